-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/idempotency/idempotent-answers.repository.ts
SELECT app_id, key_hash, request_hash, answer, expires_at, operation_id
FROM idempotent_answers
WHERE app_id = ? AND key_hash = ? AND expires_at > ?;
--   idempotent_answers: const PRIMARY (app_id, key_hash)

-- src/idempotency/idempotent-answers.repository.ts
SELECT key_hash
FROM idempotent_answers
WHERE app_id = ? AND expires_at <= ?
ORDER BY expires_at LIMIT ?;
--   idempotent_answers: range idempotent_answers_by_expiry (app_id, expires_at)

-- src/idempotency/idempotent-answers.repository.ts
DELETE FROM idempotent_answers
WHERE app_id = ? AND key_hash = ? AND expires_at <= ?;
--   idempotent_answers: range PRIMARY (app_id, key_hash)

-- src/idempotency/idempotent-answers.repository.ts
DELETE FROM idempotent_answers
WHERE app_id = ? AND key_hash IN (?…);
--   idempotent_answers: range PRIMARY (app_id, key_hash)

-- src/idempotency/idempotent-answers.repository.ts
INSERT INTO idempotent_answers (app_id, key_hash, request_hash, answer, expires_at, operation_id)
VALUES (?…);
