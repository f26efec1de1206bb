-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/blocks/blocks.repository.ts
SELECT STRAIGHT_JOIN COUNT(u.uuid) AS blocks
FROM user_blocks b
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = b.app_id AND u.uuid = b.blocked_uuid
WHERE b.app_id = ? AND b.user_uuid = ?;
--   b: ref user_blocks_by_id (app_id, user_uuid)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/blocks/blocks.repository.ts
SELECT STRAIGHT_JOIN b.blocked_uuid AS blockedUuid, b.id AS id
FROM user_blocks b FORCE INDEX (user_blocks_by_id)
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = b.app_id AND u.uuid = b.blocked_uuid
WHERE b.app_id = ? AND b.user_uuid = ? AND b.id < ?
ORDER BY b.id DESC LIMIT ?;
--   b: range user_blocks_by_id (app_id, user_uuid, id)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/blocks/blocks.repository.ts
SELECT blocked_uuid
FROM user_blocks
WHERE app_id = ? AND user_uuid = ? AND blocked_uuid IN (?…);
--   user_blocks: ref user_blocks_by_id (app_id, user_uuid)

-- src/blocks/blocks.repository.ts
SELECT user_uuid, blocked_uuid
FROM user_blocks FORCE INDEX (user_blocks_by_blocked)
WHERE app_id = ? AND blocked_uuid IN (?…) LIMIT ?;
--   user_blocks: range user_blocks_by_blocked (app_id, blocked_uuid)

-- src/blocks/blocks.repository.ts
SELECT user_uuid, blocked_uuid
FROM user_blocks
WHERE app_id = ? AND ((user_uuid = ? AND blocked_uuid = ?));
--   user_blocks: const PRIMARY (app_id, user_uuid, blocked_uuid)

-- src/blocks/blocks.repository.ts
SELECT user_uuid, blocked_uuid
FROM user_blocks
WHERE app_id = ? AND user_uuid IN (?…) LIMIT ?;
--   user_blocks: range user_blocks_by_id (app_id, user_uuid)

-- src/blocks/blocks.repository.ts
SELECT username, uuid
FROM users
WHERE app_id = ? AND username IN (?…);
--   users: range PRIMARY (app_id, username)

-- src/blocks/blocks.repository.ts
DELETE FROM user_blocks
WHERE app_id = ? AND ((user_uuid = ? AND blocked_uuid = ?) OR (user_uuid = ? AND blocked_uuid = ?));
--   user_blocks: range user_blocks_by_blocked (app_id, blocked_uuid, user_uuid)

-- src/blocks/blocks.repository.ts
INSERT INTO user_blocks (app_id, user_uuid, blocked_uuid, id)
VALUES (?…);
