-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/removals/removals.repository.ts
SELECT kind, subject, portions
FROM removals
WHERE app_id = ?
ORDER BY kind, subject LIMIT ?;
--   removals: ref PRIMARY (app_id)

-- src/removals/removals.repository.ts
SELECT portions
FROM removals
WHERE app_id = ? AND kind = ? AND subject = ? FOR UPDATE;
--   removals: const PRIMARY (app_id, kind, subject)

-- src/removals/removals.repository.ts
DELETE FROM removals
WHERE app_id = ? AND kind = ? AND subject = ?;
--   removals: range PRIMARY (app_id, kind, subject)

-- src/removals/removals.repository.ts
INSERT INTO removals (app_id, kind, subject, portions)
VALUES (?…);

-- src/removals/removals.repository.ts
UPDATE removals
SET portions = portions + 1
WHERE app_id = ? AND kind = ? AND subject = ?;
--   removals: range PRIMARY (app_id, kind, subject)
