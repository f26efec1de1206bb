-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/audit/audit-trail.service.ts
INSERT INTO audit_entries (app_id, operation_id, seq, at, actor, address, request_id, action, target, target_uuid, outcome, reason, old_values, new_values, changed)
VALUES (?…);
