-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/users/ban-edges.repository.ts
SELECT app_id
FROM next_ban_edges
WHERE due_at <= ? LIMIT ?;
--   next_ban_edges: ALL

-- src/users/ban-edges.repository.ts
SELECT due_at
FROM bans FORCE INDEX (bans_by_due_time)
WHERE app_id = ? AND due_at > 0
ORDER BY due_at LIMIT 1;
--   bans: range bans_by_due_time (app_id, due_at)

-- src/users/ban-edges.repository.ts
SELECT due_at
FROM next_ban_edges
WHERE app_id = ? FOR UPDATE;
--   Impossible WHERE noticed after reading const tables

-- src/users/ban-edges.repository.ts
DELETE FROM next_ban_edges
WHERE app_id = ?;
--   next_ban_edges: range PRIMARY (app_id)

-- src/users/ban-edges.repository.ts
INSERT INTO next_ban_edges (app_id, due_at, additions)
VALUES (?…)
ON DUPLICATE KEY UPDATE due_at = LEAST(due_at, VALUES(due_at)), additions = additions + 1;

-- src/users/ban-edges.repository.ts
UPDATE next_ban_edges
SET due_at = ?
WHERE app_id = ?;
--   next_ban_edges: range PRIMARY (app_id)

-- src/users/ban-history.repository.ts
SELECT user_uuid, MAX(id) AS id, MAX(state) AS state
FROM bans
WHERE app_id = ? AND user_uuid IN (?…)
GROUP BY user_uuid;
--   bans: range PRIMARY (app_id, user_uuid)

-- src/users/ban-history.repository.ts
SELECT user_uuid, id
FROM bans
WHERE app_id = ? AND user_uuid IN (?…)
ORDER BY user_uuid, id LIMIT ?;
--   bans: range PRIMARY (app_id, user_uuid)

-- src/users/ban-history.repository.ts
SELECT user_uuid, id
FROM user_activations
WHERE app_id = ? AND user_uuid IN (?…)
ORDER BY user_uuid, id LIMIT ?;
--   user_activations: range PRIMARY (app_id, user_uuid)

-- src/users/ban-history.repository.ts
DELETE FROM bans
WHERE app_id = ? AND user_uuid = ? AND id <= ?;
--   bans: range PRIMARY (app_id, user_uuid, id)

-- src/users/ban-history.repository.ts
DELETE FROM user_activations
WHERE app_id = ? AND user_uuid = ? AND id <= ?;
--   user_activations: range PRIMARY (app_id, user_uuid, id)

-- src/users/ban-history.repository.ts
INSERT INTO bans (app_id, user_uuid, id, user_id, state, due_at, starts_at, ends_at, reason, note, banned_by, source, created_at, outcome, lifted_at, lifted_by, lift_reason)
VALUES (?…);

-- src/users/ban-history.repository.ts
UPDATE bans
SET state = ?, due_at = ends_at
WHERE app_id = ? AND user_uuid IN (?…) AND +state = ?;
--   bans: range PRIMARY (app_id, user_uuid)

-- src/users/ban-history.repository.ts
UPDATE bans
SET state = NULL, due_at = NULL, outcome = ?, lifted_at = ?, lifted_by = ?, lift_reason = ?
WHERE app_id = ? AND user_uuid IN (?…) AND +state > 0;
--   bans: range PRIMARY (app_id, user_uuid)

-- src/users/bans.repository.ts
SELECT user_uuid, id, user_id, state, starts_at, ends_at, reason, note, banned_by, source, created_at, outcome, lifted_at, lifted_by, lift_reason
FROM bans FORCE INDEX (bans_by_due_time)
WHERE app_id = ? AND due_at <= ?
ORDER BY due_at LIMIT ?;
--   bans: range bans_by_due_time (app_id, due_at)

-- src/users/bans.repository.ts
SELECT user_uuid, id, user_id, state, starts_at, ends_at, reason, note, banned_by, source, created_at, outcome, lifted_at, lifted_by, lift_reason
FROM bans FORCE INDEX (bans_by_state)
WHERE app_id = ? AND state = ? AND user_id > ?
ORDER BY user_id LIMIT ?;
--   bans: range bans_by_state (app_id, state, user_id)

-- src/users/bans.repository.ts
SELECT user_uuid, id, user_id, state, starts_at, ends_at, reason, note, banned_by, source, created_at, outcome, lifted_at, lifted_by, lift_reason
FROM bans
WHERE app_id = ? AND user_uuid = ? AND id < ?
ORDER BY id DESC LIMIT ?;
--   bans: range PRIMARY (app_id, user_uuid, id)

-- src/users/released-names.repository.ts
SELECT MAX(released_at) AS at
FROM released_names FORCE INDEX (released_names_by_name)
WHERE app_id = ? AND name_hash = ? AND expires_at > ?;
--   released_names: ref released_names_by_name (app_id, name_hash)

-- src/users/released-names.repository.ts
SELECT id
FROM released_names
WHERE app_id = ? AND expires_at <= ?
ORDER BY expires_at LIMIT ?;
--   released_names: range released_names_by_expiry (app_id, expires_at)

-- src/users/released-names.repository.ts
DELETE FROM released_names
WHERE app_id = ? AND id IN (?…);
--   released_names: range PRIMARY (app_id, id)

-- src/users/released-names.repository.ts
INSERT INTO released_names (app_id, id, name_hash, released_at, expires_at)
VALUES (?…);

-- src/users/user-changes.service.ts
SELECT id
FROM user_changes
WHERE app_id = ?;
--   user_changes: ref PRIMARY (app_id)

-- src/users/user-changes.service.ts
SELECT users
FROM user_changes
WHERE app_id = ? AND id IN (?…);
--   user_changes: range PRIMARY (app_id, id)

-- src/users/user-changes.service.ts
DELETE FROM user_changes
WHERE app_id = ? AND id IN (?…);
--   user_changes: range PRIMARY (app_id, id)

-- src/users/user-changes.service.ts
INSERT INTO user_changes (app_id, id, users)
VALUES (?…);

-- src/users/user-counts.repository.ts
INSERT INTO user_counts (app_id, slot, users)
VALUES (?…)
ON DUPLICATE KEY UPDATE users = users + VALUES(users);

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users FORCE INDEX (users_by_id)
WHERE app_id = ? AND id <= ?
ORDER BY id DESC LIMIT ? OFFSET ?;
--   users: range users_by_id (app_id, id)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users FORCE INDEX (users_by_id)
WHERE app_id = ? AND id >= ?
ORDER BY id ASC LIMIT ? OFFSET ?;
--   users: range users_by_id (app_id, id)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users FORCE INDEX (users_by_id)
WHERE app_id = ?
ORDER BY id ASC LIMIT ? OFFSET ?;
--   users: ref users_by_id (app_id)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users FORCE INDEX (users_by_id)
WHERE app_id = ?
ORDER BY id DESC LIMIT ? OFFSET ?;
--   users: ref users_by_id (app_id)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users
WHERE app_id = ? AND username <= ?
ORDER BY username DESC LIMIT ? OFFSET ?;
--   users: range PRIMARY (app_id, username)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users
WHERE app_id = ? AND username >= ?
ORDER BY username ASC LIMIT ? OFFSET ?;
--   users: range PRIMARY (app_id, username)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users
WHERE app_id = ?
ORDER BY username ASC LIMIT ? OFFSET ?;
--   users: range PRIMARY (app_id)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users
WHERE app_id = ?
ORDER BY username DESC LIMIT ? OFFSET ?;
--   users: range PRIMARY (app_id)

-- src/users/user-pages.repository.ts
SELECT username, id, nickname, modified_at
FROM users
WHERE app_id = ? AND username > ?
ORDER BY username LIMIT ?;
--   users: range PRIMARY (app_id, username)

-- src/users/user-ranges.repository.ts
SELECT COUNT(*) AS entries
FROM (SELECT 1
FROM bans FORCE INDEX (bans_by_state)
WHERE app_id = ? AND state = ? LIMIT ?) AS entry;
--   <derived2>: ALL
--   bans: ref bans_by_state (app_id, state)

-- src/users/user-ranges.repository.ts
SELECT COUNT(*) AS entries
FROM (SELECT 1
FROM users FORCE INDEX (users_by_creation)
WHERE app_id = ? AND created_at >= ? AND created_at < ? LIMIT ?) AS entry;
--   <derived2>: ALL
--   users: range users_by_creation (app_id, created_at)

-- src/users/user-ranges.repository.ts
SELECT COUNT(*) AS entries
FROM (SELECT 1
FROM users FORCE INDEX (users_by_nickname)
WHERE app_id = ? AND nickname_key >= ? AND nickname_key < ? LIMIT ?) AS entry;
--   <derived2>: ALL
--   users: range users_by_nickname (app_id, nickname_key)

-- src/users/user-ranges.repository.ts
SELECT COUNT(*) AS entries
FROM (SELECT 1
FROM users
WHERE app_id = ? AND username >= ? AND username < ? LIMIT ?) AS entry;
--   <derived2>: ALL
--   users: range PRIMARY (app_id, username)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users FORCE INDEX (users_by_creation)
WHERE app_id = ? AND created_at = ? AND id < ?
ORDER BY id DESC LIMIT ?;
--   users: range users_by_creation (app_id, created_at, id)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users FORCE INDEX (users_by_creation)
WHERE app_id = ? AND created_at = ? AND id > ?
ORDER BY id ASC LIMIT ?;
--   users: range users_by_creation (app_id, created_at, id)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users FORCE INDEX (users_by_creation)
WHERE app_id = ? AND created_at >= ? AND created_at < ?
ORDER BY created_at ASC, id ASC LIMIT ?;
--   users: range users_by_creation (app_id, created_at)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users FORCE INDEX (users_by_creation)
WHERE app_id = ? AND created_at >= ? AND created_at < ?
ORDER BY created_at DESC, id DESC LIMIT ?;
--   users: range users_by_creation (app_id, created_at)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users FORCE INDEX (users_by_nickname)
WHERE app_id = ? AND nickname_key = ? AND id < ?
ORDER BY id DESC LIMIT ?;
--   users: range users_by_nickname (app_id, nickname_key, id)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users FORCE INDEX (users_by_nickname)
WHERE app_id = ? AND nickname_key = ? AND id > ?
ORDER BY id ASC LIMIT ?;
--   users: range users_by_nickname (app_id, nickname_key, id)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users FORCE INDEX (users_by_nickname)
WHERE app_id = ? AND nickname_key >= ? AND nickname_key < ?
ORDER BY nickname_key ASC, id ASC LIMIT ?;
--   users: range users_by_nickname (app_id, nickname_key)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users FORCE INDEX (users_by_nickname)
WHERE app_id = ? AND nickname_key >= ? AND nickname_key < ?
ORDER BY nickname_key DESC, id DESC LIMIT ?;
--   users: range users_by_nickname (app_id, nickname_key)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users
WHERE app_id = ? AND username > ? AND username < ?
ORDER BY username ASC LIMIT ?;
--   users: range PRIMARY (app_id, username)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users
WHERE app_id = ? AND username >= ? AND username < ?
ORDER BY username ASC LIMIT ?;
--   users: range PRIMARY (app_id, username)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users
WHERE app_id = ? AND username >= ? AND username < ?
ORDER BY username DESC LIMIT ?;
--   users: range PRIMARY (app_id, username)

-- src/users/user-writes.repository.ts
SELECT username, id
FROM users FORCE INDEX (users_by_id)
WHERE app_id = ? AND id > ?
ORDER BY id LIMIT ?;
--   users: range users_by_id (app_id, id)

-- src/users/user-writes.repository.ts
SELECT uuid
FROM users
WHERE app_id = ? AND username IN (?…);
--   users: range PRIMARY (app_id, username)

-- src/users/user-writes.repository.ts
DELETE FROM users
WHERE app_id = ? AND username IN (?…);
--   users: range PRIMARY (app_id, username)

-- src/users/user-writes.repository.ts
INSERT INTO users (app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at, nickname_key)
VALUES (?…);

-- src/users/user-writes.repository.ts
INSERT INTO users (app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at, nickname_key)
VALUES (?…)
ON DUPLICATE KEY UPDATE app_id = users.app_id;

-- src/users/user-writes.repository.ts
INSERT INTO users (app_id, username, uuid, id, nickname, nickname_key, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, activated, ban_starts_at, ban_ends_at)
VALUES (?…)
ON DUPLICATE KEY UPDATE nickname = VALUES(nickname), activated = VALUES(activated), modified_at = VALUES(modified_at), password_hash = VALUES(password_hash), token_epoch = VALUES(token_epoch), push_settings = VALUES(push_settings), ban_starts_at = VALUES(ban_starts_at), ban_ends_at = VALUES(ban_ends_at);

-- src/users/user-writes.repository.ts
INSERT INTO users (app_id, username, uuid, id, nickname, nickname_key, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, activated, ban_starts_at, ban_ends_at)
VALUES (?…)
ON DUPLICATE KEY UPDATE nickname = VALUES(nickname), activated = VALUES(activated), modified_at = VALUES(modified_at), password_hash = VALUES(password_hash), token_epoch = VALUES(token_epoch), push_settings = VALUES(push_settings), ban_starts_at = VALUES(ban_starts_at), ban_ends_at = VALUES(ban_ends_at), nickname_key = VALUES(nickname_key);

-- src/users/user-writes.repository.ts
UPDATE users
SET has_blocks = ?
WHERE app_id = ? AND username = ?;
--   users: range PRIMARY (app_id, username)

-- src/users/users.repository.ts
SELECT SUM(users) AS users
FROM user_counts
WHERE app_id = ?;
--   user_counts: ref PRIMARY (app_id)

-- src/users/users.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users FORCE INDEX (users_by_id)
WHERE app_id = ? AND id > ?
ORDER BY id LIMIT ?;
--   users: range users_by_id (app_id, id)

-- src/users/users.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users FORCE INDEX (users_by_uuid)
WHERE app_id = ? AND uuid IN (?…);
--   users: range users_by_uuid (app_id, uuid)

-- src/users/users.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users
WHERE app_id = ? AND username IN (?…);
--   users: range PRIMARY (app_id, username)

-- src/users/users.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users
WHERE app_id = ? AND username IN (?…) FOR UPDATE;
--   users: range PRIMARY (app_id, username)
