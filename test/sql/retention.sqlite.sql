-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/retention/retention-clock.ts
SELECT id, seen_at, leapt_to
FROM retention_clock
WHERE id = 1;
--   SEARCH retention_clock USING PRIMARY KEY (id=?)

-- src/retention/retention-clock.ts
INSERT INTO retention_clock (id, seen_at, leapt_to)
VALUES (?…);

-- src/retention/retention-clock.ts
UPDATE retention_clock
SET seen_at = ?, leapt_to = ?
WHERE id = 1;
--   SEARCH retention_clock USING PRIMARY KEY (id=?)
