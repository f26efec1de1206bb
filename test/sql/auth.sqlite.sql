-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/auth/used-nonces.repository.ts
SELECT nonce
FROM used_nonces
WHERE app_id = ? AND expires_at <= ?
ORDER BY expires_at LIMIT ?;
--   SEARCH used_nonces USING COVERING INDEX used_nonces_by_expiry (app_id=? AND expires_at<?)

-- src/auth/used-nonces.repository.ts
DELETE FROM used_nonces
WHERE app_id = ? AND nonce IN (?…);
--   SEARCH used_nonces USING PRIMARY KEY (app_id=? AND nonce=?)

-- src/auth/used-nonces.repository.ts
INSERT INTO used_nonces (app_id, nonce, expires_at)
VALUES (?…);
