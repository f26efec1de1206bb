-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/bulk-operations/bulk-items.repository.ts
SELECT seq
FROM bulk_items
WHERE app_id = ? AND operation_id = ?
ORDER BY seq LIMIT ?;
--   SEARCH bulk_items USING PRIMARY KEY (app_id=? AND operation_id=?)

-- src/bulk-operations/bulk-items.repository.ts
SELECT seq, target, user_uuid, outcome, code
FROM bulk_items INDEXED BY bulk_items_by_outcome
WHERE app_id = ? AND operation_id = ? AND outcome = ? AND seq > ?
ORDER BY seq LIMIT ?;
--   SEARCH bulk_items USING INDEX bulk_items_by_outcome (app_id=? AND operation_id=? AND outcome=? AND seq>?)

-- src/bulk-operations/bulk-items.repository.ts
SELECT seq, target, user_uuid, outcome, code
FROM bulk_items INDEXED BY bulk_items_by_outcome
WHERE app_id = ? AND operation_id = ? AND outcome = ?
ORDER BY seq LIMIT ?;
--   SEARCH bulk_items USING INDEX bulk_items_by_outcome (app_id=? AND operation_id=? AND outcome=?)

-- src/bulk-operations/bulk-items.repository.ts
DELETE FROM bulk_items
WHERE app_id = ? AND operation_id = ? AND seq <= ?;
--   SEARCH bulk_items USING PRIMARY KEY (app_id=? AND operation_id=? AND seq<?)

-- src/bulk-operations/bulk-items.repository.ts
INSERT INTO bulk_items (app_id, operation_id, seq, target, user_uuid, outcome, code)
VALUES (?…);

-- src/bulk-operations/bulk-items.repository.ts
UPDATE bulk_items
SET outcome = ?, code = ?
WHERE app_id = ? AND operation_id = ? AND seq = ?;
--   SEARCH bulk_items USING PRIMARY KEY (app_id=? AND operation_id=? AND seq=?)

-- src/bulk-operations/bulk-operations.repository.ts
SELECT app_id, id, action, state, request, caller, undoes, collected_to, total, changed, unchanged, failed, created_at, finished_at, lease_owner, lease_until
FROM bulk_operations INDEXED BY bulk_operations_by_end
WHERE app_id = ? AND finished_at = 0
ORDER BY id LIMIT ?;
--   SEARCH bulk_operations USING INDEX bulk_operations_by_end (app_id=? AND finished_at=?)

-- src/bulk-operations/bulk-operations.repository.ts
SELECT app_id, id, action, state, request, caller, undoes, collected_to, total, changed, unchanged, failed, created_at, finished_at, lease_owner, lease_until
FROM bulk_operations
WHERE app_id = ? AND id < ?
ORDER BY id DESC LIMIT ?;
--   SEARCH bulk_operations USING PRIMARY KEY (app_id=? AND id<?)

-- src/bulk-operations/bulk-operations.repository.ts
SELECT app_id, id, action, state, request, caller, undoes, collected_to, total, changed, unchanged, failed, created_at, finished_at, lease_owner, lease_until
FROM bulk_operations
WHERE app_id = ? AND id = ?;
--   SEARCH bulk_operations USING PRIMARY KEY (app_id=? AND id=?)

-- src/bulk-operations/bulk-operations.repository.ts
SELECT id
FROM bulk_operations INDEXED BY bulk_operations_by_end
WHERE app_id = ? AND finished_at > 0 AND finished_at < ?
ORDER BY finished_at, id LIMIT ?;
--   SEARCH bulk_operations USING COVERING INDEX bulk_operations_by_end (app_id=? AND finished_at>? AND finished_at<?)

-- src/bulk-operations/bulk-operations.repository.ts
DELETE FROM bulk_operations
WHERE app_id = ? AND id = ?;
--   SEARCH bulk_operations USING PRIMARY KEY (app_id=? AND id=?)

-- src/bulk-operations/bulk-operations.repository.ts
INSERT INTO bulk_operations (app_id, id, action, state, request, caller, undoes, collected_to, total, changed, unchanged, failed, created_at, finished_at, lease_owner, lease_until)
VALUES (?…);

-- src/bulk-operations/bulk-operations.repository.ts
UPDATE bulk_operations
SET changed = ?, unchanged = ?, failed = ?, lease_owner = ?, lease_until = ?
WHERE app_id = ? AND id = ?;
--   SEARCH bulk_operations USING PRIMARY KEY (app_id=? AND id=?)

-- src/bulk-operations/bulk-operations.repository.ts
UPDATE bulk_operations
SET state = ?, finished_at = ?, lease_until = ?
WHERE app_id = ? AND id = ?;
--   SEARCH bulk_operations USING PRIMARY KEY (app_id=? AND id=?)
