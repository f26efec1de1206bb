-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/idempotency/idempotent-answers.repository.ts
SELECT app_id, key_hash, request_hash, answer, expires_at, operation_id
FROM idempotent_answers
WHERE app_id = ? AND key_hash = ? AND expires_at > ?;
--   SEARCH idempotent_answers USING PRIMARY KEY (app_id=? AND key_hash=?)

-- src/idempotency/idempotent-answers.repository.ts
SELECT key_hash
FROM idempotent_answers
WHERE app_id = ? AND expires_at <= ?
ORDER BY expires_at LIMIT ?;
--   SEARCH idempotent_answers USING COVERING INDEX idempotent_answers_by_expiry (app_id=? AND expires_at<?)

-- src/idempotency/idempotent-answers.repository.ts
DELETE FROM idempotent_answers
WHERE app_id = ? AND key_hash = ? AND expires_at <= ?;
--   SEARCH idempotent_answers USING PRIMARY KEY (app_id=? AND key_hash=?)

-- src/idempotency/idempotent-answers.repository.ts
DELETE FROM idempotent_answers
WHERE app_id = ? AND key_hash IN (?…);
--   SEARCH idempotent_answers USING PRIMARY KEY (app_id=? AND key_hash=?)

-- src/idempotency/idempotent-answers.repository.ts
INSERT INTO idempotent_answers (app_id, key_hash, request_hash, answer, expires_at, operation_id)
VALUES (?…);
