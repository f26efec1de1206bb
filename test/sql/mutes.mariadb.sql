-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/mutes/mutes.repository.ts
SELECT app_id, user_uuid, chat_until, groupchat_until, chatroom_until, expires_at
FROM user_mutes
WHERE app_id = ? AND user_uuid = ? FOR UPDATE;
--   user_mutes: const PRIMARY (app_id, user_uuid)

-- src/mutes/mutes.repository.ts
SELECT app_id, user_uuid, chat_until, groupchat_until, chatroom_until, expires_at
FROM user_mutes
WHERE app_id = ? AND user_uuid > ?
ORDER BY user_uuid LIMIT ?;
--   user_mutes: range PRIMARY (app_id, user_uuid)

-- src/mutes/mutes.repository.ts
SELECT app_id, user_uuid, chat_until, groupchat_until, chatroom_until, expires_at
FROM user_mutes
WHERE app_id = ? AND user_uuid IN (?…);
--   user_mutes: range PRIMARY (app_id, user_uuid)

-- src/mutes/mutes.repository.ts
SELECT user_uuid
FROM user_mutes FORCE INDEX (user_mutes_by_expiry)
WHERE app_id = ? AND expires_at <= ?
ORDER BY expires_at LIMIT ?;
--   user_mutes: range user_mutes_by_expiry (app_id, expires_at)

-- src/mutes/mutes.repository.ts
DELETE FROM user_mutes
WHERE app_id = ? AND user_uuid IN (?…);
--   user_mutes: range PRIMARY (app_id, user_uuid)

-- src/mutes/mutes.repository.ts
INSERT INTO user_mutes (app_id, user_uuid, chat_until, groupchat_until, chatroom_until, expires_at)
VALUES (?…);
