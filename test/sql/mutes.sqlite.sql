-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/mutes/mutes.repository.ts
SELECT app_id, user_uuid, chat_until, groupchat_until, chatroom_until, expires_at
FROM user_mutes
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH user_mutes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/mutes/mutes.repository.ts
SELECT app_id, user_uuid, chat_until, groupchat_until, chatroom_until, expires_at
FROM user_mutes
WHERE app_id = ? AND user_uuid > ?
ORDER BY user_uuid LIMIT ?;
--   SEARCH user_mutes USING PRIMARY KEY (app_id=? AND user_uuid>?)

-- src/mutes/mutes.repository.ts
SELECT app_id, user_uuid, chat_until, groupchat_until, chatroom_until, expires_at
FROM user_mutes
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH user_mutes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/mutes/mutes.repository.ts
SELECT user_uuid
FROM user_mutes INDEXED BY user_mutes_by_expiry
WHERE app_id = ? AND expires_at <= ?
ORDER BY expires_at LIMIT ?;
--   SEARCH user_mutes USING COVERING INDEX user_mutes_by_expiry (app_id=? AND expires_at<?)

-- src/mutes/mutes.repository.ts
DELETE FROM user_mutes
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH user_mutes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/mutes/mutes.repository.ts
INSERT INTO user_mutes (app_id, user_uuid, chat_until, groupchat_until, chatroom_until, expires_at)
VALUES (?…);
