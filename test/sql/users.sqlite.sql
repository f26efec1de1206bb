-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/users/ban-edges.repository.ts
SELECT app_id
FROM next_ban_edges
WHERE due_at <= ? LIMIT ?;
--   SCAN next_ban_edges

-- src/users/ban-edges.repository.ts
SELECT due_at
FROM bans INDEXED BY bans_by_due_time
WHERE app_id = ? AND due_at > 0
ORDER BY due_at LIMIT 1;
--   SEARCH bans USING COVERING INDEX bans_by_due_time (app_id=? AND due_at>?)

-- src/users/ban-edges.repository.ts
SELECT due_at
FROM next_ban_edges
WHERE app_id = ?;
--   SEARCH next_ban_edges USING PRIMARY KEY (app_id=?)

-- src/users/ban-edges.repository.ts
DELETE FROM next_ban_edges
WHERE app_id = ?;
--   SEARCH next_ban_edges USING PRIMARY KEY (app_id=?)

-- src/users/ban-edges.repository.ts
INSERT INTO next_ban_edges (app_id, due_at, additions)
VALUES (?…)
ON CONFLICT (app_id) DO UPDATE
SET due_at = MIN(due_at, excluded.due_at), additions = additions + 1;

-- src/users/ban-edges.repository.ts
UPDATE next_ban_edges
SET due_at = ?
WHERE app_id = ?;
--   SEARCH next_ban_edges USING PRIMARY KEY (app_id=?)

-- src/users/ban-history.repository.ts
SELECT user_uuid, MAX(id) AS id, MAX(state) AS state
FROM bans
WHERE app_id = ? AND user_uuid IN (?…)
GROUP BY user_uuid;
--   SEARCH bans USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/users/ban-history.repository.ts
SELECT user_uuid, id
FROM bans
WHERE app_id = ? AND user_uuid IN (?…)
ORDER BY user_uuid, id LIMIT ?;
--   SEARCH bans USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/users/ban-history.repository.ts
SELECT user_uuid, id
FROM user_activations
WHERE app_id = ? AND user_uuid IN (?…)
ORDER BY user_uuid, id LIMIT ?;
--   SEARCH user_activations USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/users/ban-history.repository.ts
DELETE FROM bans
WHERE app_id = ? AND user_uuid = ? AND id <= ?;
--   SEARCH bans USING PRIMARY KEY (app_id=? AND user_uuid=? AND id<?)

-- src/users/ban-history.repository.ts
DELETE FROM user_activations
WHERE app_id = ? AND user_uuid = ? AND id <= ?;
--   SEARCH user_activations USING PRIMARY KEY (app_id=? AND user_uuid=? AND id<?)

-- src/users/ban-history.repository.ts
INSERT INTO bans (app_id, user_uuid, id, user_id, state, due_at, starts_at, ends_at, reason, note, banned_by, source, created_at, outcome, lifted_at, lifted_by, lift_reason)
VALUES (?…);

-- src/users/ban-history.repository.ts
UPDATE bans
SET state = ?, due_at = ends_at
WHERE app_id = ? AND user_uuid IN (?…) AND +state = ?;
--   SEARCH bans USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/users/ban-history.repository.ts
UPDATE bans
SET state = NULL, due_at = NULL, outcome = ?, lifted_at = ?, lifted_by = ?, lift_reason = ?
WHERE app_id = ? AND user_uuid IN (?…) AND +state > 0;
--   SEARCH bans USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/users/bans.repository.ts
SELECT user_uuid, id, user_id, state, starts_at, ends_at, reason, note, banned_by, source, created_at, outcome, lifted_at, lifted_by, lift_reason
FROM bans INDEXED BY bans_by_due_time
WHERE app_id = ? AND due_at <= ?
ORDER BY due_at LIMIT ?;
--   SEARCH bans USING INDEX bans_by_due_time (app_id=? AND due_at<?)

-- src/users/bans.repository.ts
SELECT user_uuid, id, user_id, state, starts_at, ends_at, reason, note, banned_by, source, created_at, outcome, lifted_at, lifted_by, lift_reason
FROM bans INDEXED BY bans_by_state
WHERE app_id = ? AND state = ? AND user_id > ?
ORDER BY user_id LIMIT ?;
--   SEARCH bans USING INDEX bans_by_state (app_id=? AND state=? AND user_id>?)

-- src/users/bans.repository.ts
SELECT user_uuid, id, user_id, state, starts_at, ends_at, reason, note, banned_by, source, created_at, outcome, lifted_at, lifted_by, lift_reason
FROM bans
WHERE app_id = ? AND user_uuid = ? AND id < ?
ORDER BY id DESC LIMIT ?;
--   SEARCH bans USING PRIMARY KEY (app_id=? AND user_uuid=? AND id<?)

-- src/users/released-names.repository.ts
SELECT MAX(released_at) AS at
FROM released_names INDEXED BY released_names_by_name
WHERE app_id = ? AND name_hash = ? AND expires_at > ?;
--   SEARCH released_names USING INDEX released_names_by_name (app_id=? AND name_hash=?)

-- src/users/released-names.repository.ts
SELECT id
FROM released_names
WHERE app_id = ? AND expires_at <= ?
ORDER BY expires_at LIMIT ?;
--   SEARCH released_names USING COVERING INDEX released_names_by_expiry (app_id=? AND expires_at<?)

-- src/users/released-names.repository.ts
DELETE FROM released_names
WHERE app_id = ? AND id IN (?…);
--   SEARCH released_names USING PRIMARY KEY (app_id=? AND id=?)

-- src/users/released-names.repository.ts
INSERT INTO released_names (app_id, id, name_hash, released_at, expires_at)
VALUES (?…);

-- src/users/user-changes.service.ts
SELECT id
FROM user_changes
WHERE app_id = ?;
--   SEARCH user_changes USING PRIMARY KEY (app_id=?)

-- src/users/user-changes.service.ts
SELECT users
FROM user_changes
WHERE app_id = ? AND id IN (?…);
--   SEARCH user_changes USING PRIMARY KEY (app_id=? AND id=?)

-- src/users/user-changes.service.ts
DELETE FROM user_changes
WHERE app_id = ? AND id IN (?…);
--   SEARCH user_changes USING PRIMARY KEY (app_id=? AND id=?)

-- src/users/user-changes.service.ts
INSERT INTO user_changes (app_id, id, users)
VALUES (?…);

-- src/users/user-counts.repository.ts
INSERT INTO user_counts (app_id, slot, users)
VALUES (?…)
ON CONFLICT (app_id, slot) DO UPDATE
SET users = users + excluded.users;

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users INDEXED BY users_by_id
WHERE app_id = ? AND id <= ?
ORDER BY id DESC LIMIT ? OFFSET ?;
--   SEARCH users USING COVERING INDEX users_by_id (app_id=? AND id<?)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users INDEXED BY users_by_id
WHERE app_id = ? AND id >= ?
ORDER BY id ASC LIMIT ? OFFSET ?;
--   SEARCH users USING COVERING INDEX users_by_id (app_id=? AND id>?)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users INDEXED BY users_by_id
WHERE app_id = ?
ORDER BY id ASC LIMIT ? OFFSET ?;
--   SEARCH users USING COVERING INDEX users_by_id (app_id=?)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users INDEXED BY users_by_id
WHERE app_id = ?
ORDER BY id DESC LIMIT ? OFFSET ?;
--   SEARCH users USING COVERING INDEX users_by_id (app_id=?)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users
WHERE app_id = ? AND username <= ?
ORDER BY username DESC LIMIT ? OFFSET ?;
--   SEARCH users USING PRIMARY KEY (app_id=? AND username<?)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users
WHERE app_id = ? AND username >= ?
ORDER BY username ASC LIMIT ? OFFSET ?;
--   SEARCH users USING PRIMARY KEY (app_id=? AND username>?)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users
WHERE app_id = ?
ORDER BY username ASC LIMIT ? OFFSET ?;
--   SEARCH users USING PRIMARY KEY (app_id=?)

-- src/users/user-pages.repository.ts
SELECT username, id
FROM users
WHERE app_id = ?
ORDER BY username DESC LIMIT ? OFFSET ?;
--   SEARCH users USING PRIMARY KEY (app_id=?)

-- src/users/user-pages.repository.ts
SELECT username, id, nickname, modified_at
FROM users
WHERE app_id = ? AND username > ?
ORDER BY username LIMIT ?;
--   SEARCH users USING PRIMARY KEY (app_id=? AND username>?)

-- src/users/user-ranges.repository.ts
SELECT COUNT(*) AS entries
FROM (SELECT 1
FROM bans INDEXED BY bans_by_state
WHERE app_id = ? AND state = ? LIMIT ?) AS entry;
--   CO-ROUTINE entry
--   SEARCH bans USING COVERING INDEX bans_by_state (app_id=? AND state=?)
--   SCAN entry

-- src/users/user-ranges.repository.ts
SELECT COUNT(*) AS entries
FROM (SELECT 1
FROM users INDEXED BY users_by_creation
WHERE app_id = ? AND created_at >= ? AND created_at < ? LIMIT ?) AS entry;
--   CO-ROUTINE entry
--   SEARCH users USING COVERING INDEX users_by_creation (app_id=? AND created_at>? AND created_at<?)
--   SCAN entry

-- src/users/user-ranges.repository.ts
SELECT COUNT(*) AS entries
FROM (SELECT 1
FROM users INDEXED BY users_by_nickname
WHERE app_id = ? AND nickname_key >= ? AND nickname_key < ? LIMIT ?) AS entry;
--   CO-ROUTINE entry
--   SEARCH users USING COVERING INDEX users_by_nickname (app_id=? AND nickname_key>? AND nickname_key<?)
--   SCAN entry

-- src/users/user-ranges.repository.ts
SELECT COUNT(*) AS entries
FROM (SELECT 1
FROM users
WHERE app_id = ? AND username >= ? AND username < ? LIMIT ?) AS entry;
--   CO-ROUTINE entry
--   SEARCH users USING PRIMARY KEY (app_id=? AND username>? AND username<?)
--   SCAN entry

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users INDEXED BY users_by_creation
WHERE app_id = ? AND created_at = ? AND id < ?
ORDER BY id DESC LIMIT ?;
--   SEARCH users USING INDEX users_by_creation (app_id=? AND created_at=? AND id<?)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users INDEXED BY users_by_creation
WHERE app_id = ? AND created_at = ? AND id > ?
ORDER BY id ASC LIMIT ?;
--   SEARCH users USING INDEX users_by_creation (app_id=? AND created_at=? AND id>?)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users INDEXED BY users_by_creation
WHERE app_id = ? AND created_at >= ? AND created_at < ?
ORDER BY created_at ASC, id ASC LIMIT ?;
--   SEARCH users USING INDEX users_by_creation (app_id=? AND created_at>? AND created_at<?)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users INDEXED BY users_by_creation
WHERE app_id = ? AND created_at >= ? AND created_at < ?
ORDER BY created_at DESC, id DESC LIMIT ?;
--   SEARCH users USING INDEX users_by_creation (app_id=? AND created_at>? AND created_at<?)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users INDEXED BY users_by_nickname
WHERE app_id = ? AND nickname_key = ? AND id < ?
ORDER BY id DESC LIMIT ?;
--   SEARCH users USING INDEX users_by_nickname (app_id=? AND nickname_key=? AND id<?)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users INDEXED BY users_by_nickname
WHERE app_id = ? AND nickname_key = ? AND id > ?
ORDER BY id ASC LIMIT ?;
--   SEARCH users USING INDEX users_by_nickname (app_id=? AND nickname_key=? AND id>?)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users INDEXED BY users_by_nickname
WHERE app_id = ? AND nickname_key >= ? AND nickname_key < ?
ORDER BY nickname_key ASC, id ASC LIMIT ?;
--   SEARCH users USING INDEX users_by_nickname (app_id=? AND nickname_key>? AND nickname_key<?)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users INDEXED BY users_by_nickname
WHERE app_id = ? AND nickname_key >= ? AND nickname_key < ?
ORDER BY nickname_key DESC, id DESC LIMIT ?;
--   SEARCH users USING INDEX users_by_nickname (app_id=? AND nickname_key>? AND nickname_key<?)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users
WHERE app_id = ? AND username > ? AND username < ?
ORDER BY username ASC LIMIT ?;
--   SEARCH users USING PRIMARY KEY (app_id=? AND username>? AND username<?)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users
WHERE app_id = ? AND username >= ? AND username < ?
ORDER BY username ASC LIMIT ?;
--   SEARCH users USING PRIMARY KEY (app_id=? AND username>? AND username<?)

-- src/users/user-ranges.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users
WHERE app_id = ? AND username >= ? AND username < ?
ORDER BY username DESC LIMIT ?;
--   SEARCH users USING PRIMARY KEY (app_id=? AND username>? AND username<?)

-- src/users/user-writes.repository.ts
SELECT username, id
FROM users INDEXED BY users_by_id
WHERE app_id = ? AND id > ?
ORDER BY id LIMIT ?;
--   SEARCH users USING COVERING INDEX users_by_id (app_id=? AND id>?)

-- src/users/user-writes.repository.ts
DELETE FROM users
WHERE app_id = ? AND username IN (?…);
--   SEARCH users USING PRIMARY KEY (app_id=? AND username=?)

-- src/users/user-writes.repository.ts
INSERT INTO users (app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at, nickname_key)
VALUES (?…)
ON CONFLICT DO NOTHING;

-- src/users/user-writes.repository.ts
UPDATE users
SET has_blocks = ?
WHERE app_id = ? AND username = ?;
--   SEARCH users USING PRIMARY KEY (app_id=? AND username=?)

-- src/users/user-writes.repository.ts
UPDATE users
SET nickname = ?, activated = ?, modified_at = ?, password_hash = ?, token_epoch = ?, push_settings = ?, ban_starts_at = ?, ban_ends_at = ?
WHERE app_id = ? AND username = ?;
--   SEARCH users USING PRIMARY KEY (app_id=? AND username=?)

-- src/users/user-writes.repository.ts
UPDATE users
SET nickname = ?, activated = ?, modified_at = ?, password_hash = ?, token_epoch = ?, push_settings = ?, ban_starts_at = ?, ban_ends_at = ?, nickname_key = ?
WHERE app_id = ? AND username = ?;
--   SEARCH users USING PRIMARY KEY (app_id=? AND username=?)

-- src/users/users.repository.ts
SELECT SUM(users) AS users
FROM user_counts
WHERE app_id = ?;
--   SEARCH user_counts USING PRIMARY KEY (app_id=?)

-- src/users/users.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users INDEXED BY users_by_id
WHERE app_id = ? AND id > ?
ORDER BY id LIMIT ?;
--   SEARCH users USING INDEX users_by_id (app_id=? AND id>?)

-- src/users/users.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users INDEXED BY users_by_uuid
WHERE app_id = ? AND uuid IN (?…);
--   SEARCH users USING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/users/users.repository.ts
SELECT app_id, username, uuid, id, nickname, activated, created_at, modified_at, password_hash, token_epoch, has_blocks, push_settings, ban_starts_at, ban_ends_at
FROM users
WHERE app_id = ? AND username IN (?…);
--   SEARCH users USING PRIMARY KEY (app_id=? AND username=?)
