-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/blocks/blocks.repository.ts
SELECT COUNT(u.uuid) AS blocks
FROM user_blocks b
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = b.app_id AND u.uuid = b.blocked_uuid
WHERE b.app_id = ? AND b.user_uuid = ?;
--   SEARCH b USING COVERING INDEX user_blocks_by_id (app_id=? AND user_uuid=?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/blocks/blocks.repository.ts
SELECT b.blocked_uuid AS blockedUuid, b.id AS id
FROM user_blocks b INDEXED BY user_blocks_by_id
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = b.app_id AND u.uuid = b.blocked_uuid
WHERE b.app_id = ? AND b.user_uuid = ? AND b.id < ?
ORDER BY b.id DESC LIMIT ?;
--   SEARCH b USING COVERING INDEX user_blocks_by_id (app_id=? AND user_uuid=? AND id<?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/blocks/blocks.repository.ts
SELECT blocked_uuid
FROM user_blocks
WHERE app_id = ? AND user_uuid = ? AND blocked_uuid IN (?…);
--   SEARCH user_blocks USING COVERING INDEX user_blocks_by_blocked (app_id=? AND blocked_uuid=? AND user_uuid=?)

-- src/blocks/blocks.repository.ts
SELECT user_uuid, blocked_uuid
FROM user_blocks INDEXED BY user_blocks_by_blocked
WHERE app_id = ? AND blocked_uuid IN (?…) LIMIT ?;
--   SEARCH user_blocks USING COVERING INDEX user_blocks_by_blocked (app_id=? AND blocked_uuid=?)

-- src/blocks/blocks.repository.ts
SELECT user_uuid, blocked_uuid
FROM user_blocks
WHERE app_id = ? AND (user_uuid, blocked_uuid) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]')
FROM json_each(?));
--   SEARCH user_blocks USING COVERING INDEX user_blocks_by_blocked (app_id=? AND blocked_uuid=? AND user_uuid=?)

-- src/blocks/blocks.repository.ts
SELECT user_uuid, blocked_uuid
FROM user_blocks
WHERE app_id = ? AND user_uuid IN (?…) LIMIT ?;
--   SEARCH user_blocks USING COVERING INDEX user_blocks_by_id (app_id=? AND user_uuid=?)

-- src/blocks/blocks.repository.ts
SELECT username, uuid
FROM users
WHERE app_id = ? AND username IN (?…);
--   SEARCH users USING PRIMARY KEY (app_id=? AND username=?)

-- src/blocks/blocks.repository.ts
DELETE FROM user_blocks
WHERE app_id = ? AND (user_uuid, blocked_uuid) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]')
FROM json_each(?));
--   SEARCH user_blocks USING PRIMARY KEY (app_id=? AND user_uuid=? AND blocked_uuid=?)

-- src/blocks/blocks.repository.ts
INSERT INTO user_blocks (app_id, user_uuid, blocked_uuid, id)
VALUES (?…);
