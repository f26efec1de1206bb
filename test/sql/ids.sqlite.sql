-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/ids/id-lease.ts
SELECT node, holder, reserved_until
FROM id_nodes;
--   SCAN id_nodes

-- src/ids/id-lease.ts
INSERT INTO id_nodes (node, holder, reserved_until)
VALUES (?…);

-- src/ids/id-lease.ts
UPDATE id_nodes
SET holder = '', reserved_until = ?
WHERE node = ? AND holder = ?;
--   SEARCH id_nodes USING PRIMARY KEY (node=?)

-- src/ids/id-lease.ts
UPDATE id_nodes
SET holder = ?, reserved_until = ?
WHERE node = ? AND holder = ? AND reserved_until = ?;
--   SEARCH id_nodes USING PRIMARY KEY (node=?)

-- src/ids/id-lease.ts
UPDATE id_nodes
SET reserved_until = ?
WHERE node = ? AND holder = ? AND reserved_until < ?;
--   SEARCH id_nodes USING PRIMARY KEY (node=?)
