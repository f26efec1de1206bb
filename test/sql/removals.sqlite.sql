-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/removals/removals.repository.ts
SELECT kind, subject, portions
FROM removals
WHERE app_id = ?
ORDER BY kind, subject LIMIT ?;
--   SEARCH removals USING PRIMARY KEY (app_id=?)

-- src/removals/removals.repository.ts
SELECT portions
FROM removals
WHERE app_id = ? AND kind = ? AND subject = ?;
--   SEARCH removals USING PRIMARY KEY (app_id=? AND kind=? AND subject=?)

-- src/removals/removals.repository.ts
DELETE FROM removals
WHERE app_id = ? AND kind = ? AND subject = ?;
--   SEARCH removals USING PRIMARY KEY (app_id=? AND kind=? AND subject=?)

-- src/removals/removals.repository.ts
INSERT INTO removals (app_id, kind, subject, portions)
VALUES (?…);

-- src/removals/removals.repository.ts
UPDATE removals
SET portions = portions + 1
WHERE app_id = ? AND kind = ? AND subject = ?;
--   SEARCH removals USING PRIMARY KEY (app_id=? AND kind=? AND subject=?)
