-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/profiles/profiles.repository.ts
SELECT STRAIGHT_JOIN p.token_hash, p.user_uuid, p.token_version, u.token_epoch
FROM user_profiles p FORCE INDEX (user_profiles_by_token)
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = p.app_id AND u.uuid = p.user_uuid
WHERE p.app_id = ? AND p.token_hash IN (?…);
--   p: range user_profiles_by_token (app_id, token_hash)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/profiles/profiles.repository.ts
SELECT app_id, user_uuid, user_id, avatar_url, extras, token_version, token_hash
FROM user_profiles
WHERE app_id = ? AND user_uuid = ?;
--   user_profiles: const PRIMARY (app_id, user_uuid)

-- src/profiles/profiles.repository.ts
SELECT app_id, user_uuid, user_id, avatar_url, extras, token_version, token_hash
FROM user_profiles
WHERE app_id = ? AND user_uuid IN (?…);
--   user_profiles: range PRIMARY (app_id, user_uuid)

-- src/profiles/profiles.repository.ts
DELETE FROM user_profiles
WHERE app_id = ? AND user_uuid IN (?…);
--   user_profiles: range PRIMARY (app_id, user_uuid)

-- src/profiles/profiles.repository.ts
INSERT INTO user_profiles (app_id, user_uuid, user_id, avatar_url, extras, token_version, token_hash)
VALUES (?…);

-- src/profiles/profiles.repository.ts
UPDATE user_profiles
SET avatar_url = ?, extras = ?
WHERE app_id = ? AND user_uuid = ?;
--   user_profiles: range PRIMARY (app_id, user_uuid)

-- src/profiles/profiles.repository.ts
UPDATE user_profiles
SET token_version = ?, token_hash = ?
WHERE app_id = ? AND user_uuid = ?;
--   user_profiles: range PRIMARY (app_id, user_uuid)
