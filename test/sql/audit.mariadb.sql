-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/audit/audit-entries.repository.ts
SELECT app_id, operation_id, seq, at, actor, address, request_id, action, target, target_uuid, outcome, reason, old_values, new_values, changed
FROM audit_entries FORCE INDEX (audit_entries_by_time)
WHERE app_id = ? AND at >= ? AND at <= ? AND (at > ? OR operation_id > ? OR (operation_id = ? AND seq > ?))
ORDER BY at, operation_id, seq LIMIT ?;
--   audit_entries: range audit_entries_by_time (app_id, at)

-- src/audit/audit-entries.repository.ts
SELECT app_id, operation_id, seq, at, actor, address, request_id, action, target, target_uuid, outcome, reason, old_values, new_values, changed
FROM audit_entries
WHERE app_id = ? AND operation_id = ? AND seq > ?
ORDER BY seq LIMIT ?;
--   audit_entries: range PRIMARY (app_id, operation_id, seq)

-- src/audit/audit-entries.repository.ts
SELECT app_id, operation_id, seq, at, actor, address, request_id, action, target, target_uuid, outcome, reason, old_values, new_values, changed
FROM audit_entries
WHERE app_id = ? AND operation_id IN (?…) AND seq IN (?…);
--   audit_entries: range PRIMARY (app_id, operation_id, seq)

-- src/audit/audit-entries.repository.ts
SELECT at, operation_id, seq
FROM audit_terms
WHERE app_id = ? AND term = ? AND at > ? AND at <= ? AND (at < ? OR operation_id < ? OR (operation_id = ? AND seq < ?))
ORDER BY at DESC, operation_id DESC, seq DESC LIMIT ?;
--   audit_terms: range PRIMARY (app_id, term, at)

-- src/audit/audit-entries.repository.ts
SELECT at, operation_id, seq, target, actor, action
FROM audit_entries FORCE INDEX (audit_entries_by_time)
WHERE app_id = ? AND at <= ?
ORDER BY at LIMIT ?;
--   audit_entries: range audit_entries_by_time (app_id, at)

-- src/audit/audit-entries.repository.ts
SELECT at, operation_id, seq, target, actor, action
FROM audit_entries FORCE INDEX (audit_entries_by_time)
WHERE app_id = ? AND at > ? AND at <= ? AND (at < ? OR operation_id < ? OR (operation_id = ? AND seq < ?))
ORDER BY at DESC, operation_id DESC, seq DESC LIMIT ?;
--   audit_entries: range audit_entries_by_time (app_id, at)

-- src/audit/audit-entries.repository.ts
SELECT at, operation_id, seq, target, actor, action
FROM audit_entries
WHERE app_id = ? AND operation_id IN (?…) AND seq IN (?…);
--   audit_entries: range PRIMARY (app_id, operation_id, seq)

-- src/audit/audit-entries.repository.ts
DELETE FROM audit_entries
WHERE app_id = ? AND operation_id IN (?…) AND at <= ?;
--   audit_entries: range PRIMARY (app_id, operation_id)

-- src/audit/audit-entries.repository.ts
DELETE FROM audit_terms
WHERE app_id = ? AND term IN (?…) AND at <= ?;
--   audit_terms: range PRIMARY (app_id, term, at)

-- src/audit/audit-seals.repository.ts
SELECT app_id, number, from_at, to_at, entries, entries_hash, previous_hash, hash, pruned
FROM audit_seals
WHERE app_id = ? AND number > 0
ORDER BY number DESC LIMIT 1;
--   audit_seals: range PRIMARY (app_id, number)

-- src/audit/audit-seals.repository.ts
SELECT app_id, number, from_at, to_at, entries, entries_hash, previous_hash, hash, pruned
FROM audit_seals
WHERE app_id = ? AND number > ?
ORDER BY number LIMIT ?;
--   audit_seals: range PRIMARY (app_id, number)

-- src/audit/audit-seals.repository.ts
DELETE FROM audit_seals
WHERE app_id = ? AND number < ?;
--   audit_seals: range PRIMARY (app_id, number)

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
--   audit_seals: range PRIMARY (app_id, number)

-- src/audit/audit-trail.service.ts
INSERT INTO audit_entries (app_id, operation_id, seq, at, actor, address, request_id, action, target, target_uuid, outcome, reason, old_values, new_values, changed)
VALUES (?…);
