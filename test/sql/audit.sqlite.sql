-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/audit/audit-entries.repository.ts
SELECT app_id, operation_id, seq, at, actor, address, request_id, action, target, target_uuid, outcome, reason, old_values, new_values, changed
FROM audit_entries INDEXED BY audit_entries_by_time
WHERE app_id = ? AND at >= ? AND at <= ? AND (at > ? OR operation_id > ? OR (operation_id = ? AND seq > ?))
ORDER BY at, operation_id, seq LIMIT ?;
--   SEARCH audit_entries USING INDEX audit_entries_by_time (app_id=? AND at>? AND at<?)

-- src/audit/audit-entries.repository.ts
SELECT app_id, operation_id, seq, at, actor, address, request_id, action, target, target_uuid, outcome, reason, old_values, new_values, changed
FROM audit_entries
WHERE app_id = ? AND operation_id = ? AND seq > ?
ORDER BY seq LIMIT ?;
--   SEARCH audit_entries USING PRIMARY KEY (app_id=? AND operation_id=? AND seq>?)

-- src/audit/audit-entries.repository.ts
SELECT app_id, operation_id, seq, at, actor, address, request_id, action, target, target_uuid, outcome, reason, old_values, new_values, changed
FROM audit_entries
WHERE app_id = ? AND operation_id IN (?…) AND seq IN (?…);
--   SEARCH audit_entries USING PRIMARY KEY (app_id=? AND operation_id=? AND seq=?)

-- src/audit/audit-entries.repository.ts
SELECT at, operation_id, seq
FROM audit_terms
WHERE app_id = ? AND term = ? AND at > ? AND at <= ? AND (at < ? OR operation_id < ? OR (operation_id = ? AND seq < ?))
ORDER BY at DESC, operation_id DESC, seq DESC LIMIT ?;
--   SEARCH audit_terms USING PRIMARY KEY (app_id=? AND term=? AND at>? AND at<?)

-- src/audit/audit-entries.repository.ts
SELECT at, operation_id, seq, target, actor, action
FROM audit_entries INDEXED BY audit_entries_by_time
WHERE app_id = ? AND at <= ?
ORDER BY at LIMIT ?;
--   SEARCH audit_entries USING INDEX audit_entries_by_time (app_id=? AND at<?)

-- src/audit/audit-entries.repository.ts
SELECT at, operation_id, seq, target, actor, action
FROM audit_entries INDEXED BY audit_entries_by_time
WHERE app_id = ? AND at > ? AND at <= ? AND (at < ? OR operation_id < ? OR (operation_id = ? AND seq < ?))
ORDER BY at DESC, operation_id DESC, seq DESC LIMIT ?;
--   SEARCH audit_entries USING INDEX audit_entries_by_time (app_id=? AND at>? AND at<?)

-- src/audit/audit-entries.repository.ts
SELECT at, operation_id, seq, target, actor, action
FROM audit_entries
WHERE app_id = ? AND operation_id IN (?…) AND seq IN (?…);
--   SEARCH audit_entries USING PRIMARY KEY (app_id=? AND operation_id=? AND seq=?)

-- src/audit/audit-entries.repository.ts
DELETE FROM audit_entries
WHERE app_id = ? AND operation_id IN (?…) AND at <= ?;
--   SEARCH audit_entries USING INDEX audit_entries_by_time (app_id=? AND at<?)
--   CREATE BLOOM FILTER

-- src/audit/audit-entries.repository.ts
DELETE FROM audit_terms
WHERE app_id = ? AND term IN (?…) AND at <= ?;
--   SEARCH audit_terms USING PRIMARY KEY (app_id=? AND term=? AND at<?)

-- src/audit/audit-seals.repository.ts
SELECT app_id, number, from_at, to_at, entries, entries_hash, previous_hash, hash, pruned
FROM audit_seals
WHERE app_id = ? AND number > 0
ORDER BY number DESC LIMIT 1;
--   SEARCH audit_seals USING PRIMARY KEY (app_id=? AND number>?)

-- src/audit/audit-seals.repository.ts
SELECT app_id, number, from_at, to_at, entries, entries_hash, previous_hash, hash, pruned
FROM audit_seals
WHERE app_id = ? AND number > ?
ORDER BY number LIMIT ?;
--   SEARCH audit_seals USING PRIMARY KEY (app_id=? AND number>?)

-- src/audit/audit-seals.repository.ts
DELETE FROM audit_seals
WHERE app_id = ? AND number < ?;
--   SEARCH audit_seals USING PRIMARY KEY (app_id=? AND number<?)

-- src/audit/audit-seals.repository.ts
INSERT INTO audit_seals (app_id, number, from_at, to_at, entries, entries_hash, previous_hash, hash, pruned)
VALUES (?…);

-- src/audit/audit-seals.repository.ts
INSERT INTO audit_terms (app_id, term, at, operation_id, seq)
VALUES (?…);

-- src/audit/audit-seals.repository.ts
UPDATE audit_seals
SET pruned = 1
WHERE app_id = ? AND number = ?;
--   SEARCH audit_seals USING PRIMARY KEY (app_id=? AND number=?)

-- src/audit/audit-trail.service.ts
INSERT INTO audit_entries (app_id, operation_id, seq, at, actor, address, request_id, action, target, target_uuid, outcome, reason, old_values, new_values, changed)
VALUES (?…);
