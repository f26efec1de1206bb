-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/profiles/profiles.repository.ts
SELECT app_id, user_uuid, user_id, avatar_url, extras, token_version, token_hash
FROM user_profiles
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH user_profiles USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/profiles/profiles.repository.ts
SELECT app_id, user_uuid, user_id, avatar_url, extras, token_version, token_hash
FROM user_profiles
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH user_profiles USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/profiles/profiles.repository.ts
SELECT p.token_hash, p.user_uuid, p.token_version, u.token_epoch
FROM user_profiles p INDEXED BY user_profiles_by_token
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = p.app_id AND u.uuid = p.user_uuid
WHERE p.app_id = ? AND p.token_hash IN (?…);
--   SEARCH p USING INDEX user_profiles_by_token (app_id=? AND token_hash=?)
--   SEARCH u USING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/profiles/profiles.repository.ts
DELETE FROM user_profiles
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH user_profiles USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/profiles/profiles.repository.ts
INSERT INTO user_profiles (app_id, user_uuid, user_id, avatar_url, extras, token_version, token_hash)
VALUES (?…);

-- src/profiles/profiles.repository.ts
UPDATE user_profiles
SET avatar_url = ?, extras = ?
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH user_profiles USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/profiles/profiles.repository.ts
UPDATE user_profiles
SET token_version = ?, token_hash = ?
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH user_profiles USING PRIMARY KEY (app_id=? AND user_uuid=?)
