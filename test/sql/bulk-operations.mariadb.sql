-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/bulk-operations/bulk-items.repository.ts
SELECT seq
FROM bulk_items
WHERE app_id = ? AND operation_id = ?
ORDER BY seq LIMIT ?;
--   filesort
--   bulk_items: ref bulk_items_by_outcome (app_id, operation_id)

-- src/bulk-operations/bulk-items.repository.ts
SELECT seq, target, user_uuid, outcome, code
FROM bulk_items FORCE INDEX (bulk_items_by_outcome)
WHERE app_id = ? AND operation_id = ? AND outcome = ? AND seq > ?
ORDER BY seq LIMIT ?;
--   bulk_items: range bulk_items_by_outcome (app_id, operation_id, outcome, seq)

-- src/bulk-operations/bulk-items.repository.ts
SELECT seq, target, user_uuid, outcome, code
FROM bulk_items FORCE INDEX (bulk_items_by_outcome)
WHERE app_id = ? AND operation_id = ? AND outcome = ?
ORDER BY seq LIMIT ?;
--   bulk_items: ref bulk_items_by_outcome (app_id, operation_id, outcome)

-- src/bulk-operations/bulk-items.repository.ts
DELETE FROM bulk_items
WHERE app_id = ? AND operation_id = ? AND seq <= ?;
--   bulk_items: range PRIMARY (app_id, operation_id, seq)

-- src/bulk-operations/bulk-items.repository.ts
INSERT INTO bulk_items (app_id, operation_id, seq, target, user_uuid, outcome, code)
VALUES (?…);

-- src/bulk-operations/bulk-items.repository.ts
INSERT INTO bulk_items (app_id, operation_id, seq, target, user_uuid, outcome, code)
VALUES (?…)
ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), code = VALUES(code);

-- src/bulk-operations/bulk-operations.repository.ts
SELECT app_id, id, action, state, request, caller, undoes, collected_to, total, changed, unchanged, failed, created_at, finished_at, lease_owner, lease_until
FROM bulk_operations FORCE INDEX (bulk_operations_by_end)
WHERE app_id = ? AND finished_at = 0
ORDER BY id LIMIT ?;
--   bulk_operations: ref bulk_operations_by_end (app_id, finished_at)

-- src/bulk-operations/bulk-operations.repository.ts
SELECT app_id, id, action, state, request, caller, undoes, collected_to, total, changed, unchanged, failed, created_at, finished_at, lease_owner, lease_until
FROM bulk_operations
WHERE app_id = ? AND id < ?
ORDER BY id DESC LIMIT ?;
--   bulk_operations: range PRIMARY (app_id, id)

-- src/bulk-operations/bulk-operations.repository.ts
SELECT app_id, id, action, state, request, caller, undoes, collected_to, total, changed, unchanged, failed, created_at, finished_at, lease_owner, lease_until
FROM bulk_operations
WHERE app_id = ? AND id = ?;
--   bulk_operations: const PRIMARY (app_id, id)

-- src/bulk-operations/bulk-operations.repository.ts
SELECT app_id, id, action, state, request, caller, undoes, collected_to, total, changed, unchanged, failed, created_at, finished_at, lease_owner, lease_until
FROM bulk_operations
WHERE app_id = ? AND id = ? FOR UPDATE;
--   bulk_operations: const PRIMARY (app_id, id)

-- src/bulk-operations/bulk-operations.repository.ts
SELECT id
FROM bulk_operations FORCE INDEX (bulk_operations_by_end)
WHERE app_id = ? AND finished_at > 0 AND finished_at < ?
ORDER BY finished_at, id LIMIT ?;
--   bulk_operations: range bulk_operations_by_end (app_id, finished_at)

-- src/bulk-operations/bulk-operations.repository.ts
DELETE FROM bulk_operations
WHERE app_id = ? AND id = ?;
--   bulk_operations: range PRIMARY (app_id, id)

-- src/bulk-operations/bulk-operations.repository.ts
INSERT INTO bulk_operations (app_id, id, action, state, request, caller, undoes, collected_to, total, changed, unchanged, failed, created_at, finished_at, lease_owner, lease_until)
VALUES (?…);

-- src/bulk-operations/bulk-operations.repository.ts
UPDATE bulk_operations
SET changed = ?, unchanged = ?, failed = ?, lease_owner = ?, lease_until = ?
WHERE app_id = ? AND id = ?;
--   bulk_operations: range PRIMARY (app_id, id)

-- src/bulk-operations/bulk-operations.repository.ts
UPDATE bulk_operations
SET state = ?, finished_at = ?, lease_until = ?
WHERE app_id = ? AND id = ?;
--   bulk_operations: range PRIMARY (app_id, id)
