-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/groups/group-lists.repository.ts
SELECT STRAIGHT_JOIN e.id
FROM group_list_entries e FORCE INDEX (group_list_entries_by_end)
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = e.app_id AND u.uuid = e.user_uuid
WHERE e.app_id = ? AND e.group_id = ? AND e.list = ?;
--   e: ref group_list_entries_by_end (app_id, group_id, list)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/groups/group-lists.repository.ts
SELECT STRAIGHT_JOIN e.user_uuid AS userUuid, u.username, e.expires_at AS expiresAt, e.id
FROM group_list_entries e FORCE INDEX (group_list_entries_by_end)
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = e.app_id AND u.uuid = e.user_uuid
WHERE e.app_id = ? AND e.group_id = ? AND e.list = ? AND e.expires_at = ? AND e.id < ?
ORDER BY e.expires_at DESC, e.id DESC LIMIT ?;
--   e: range group_list_entries_by_end (app_id, group_id, list, expires_at, id)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/groups/group-lists.repository.ts
SELECT STRAIGHT_JOIN e.user_uuid AS userUuid, u.username, e.expires_at AS expiresAt, e.id
FROM group_list_entries e FORCE INDEX (group_list_entries_by_end)
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = e.app_id AND u.uuid = e.user_uuid
WHERE e.app_id = ? AND e.group_id = ? AND e.list = ? AND e.expires_at > ? AND e.expires_at < ?
ORDER BY e.expires_at DESC, e.id DESC LIMIT ?;
--   e: range group_list_entries_by_end (app_id, group_id, list, expires_at)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/groups/group-lists.repository.ts
SELECT user_uuid
FROM group_list_entries FORCE INDEX (group_list_entries_by_end)
WHERE app_id = ? AND group_id = ? AND list = 'mute' AND expires_at <= ?
ORDER BY expires_at LIMIT ?;
--   group_list_entries: range group_list_entries_by_end (app_id, group_id, list, expires_at)

-- src/groups/group-lists.repository.ts
SELECT user_uuid, list, expires_at
FROM group_list_entries FORCE INDEX (group_list_entries_by_user)
WHERE app_id = ? AND group_id = ? AND user_uuid IN (?…);
--   group_list_entries: range group_list_entries_by_user (app_id, user_uuid, group_id)

-- src/groups/group-lists.repository.ts
DELETE FROM group_list_entries
WHERE app_id = ? AND group_id = ? AND user_uuid IN (?…) AND list IN (?…);
--   group_list_entries: range group_list_entries_by_end (app_id, group_id, list)

-- src/groups/group-lists.repository.ts
INSERT INTO group_list_entries (app_id, group_id, user_uuid, list, expires_at, id)
VALUES (?…);

-- src/groups/group-removals.ts
SELECT id
FROM chat_groups
WHERE app_id = ? AND id IN (?…)
ORDER BY id FOR UPDATE;
--   chat_groups: range PRIMARY (app_id, id)

-- src/groups/group-removals.ts
SELECT id, members
FROM chat_groups FORCE INDEX (chat_groups_by_owner)
WHERE app_id = ? AND owner_uuid IN (?…) LIMIT ? FOR UPDATE;
--   chat_groups: range chat_groups_by_owner (app_id, owner_uuid)

-- src/groups/group-removals.ts
SELECT user_uuid
FROM group_members
WHERE app_id = ? AND group_id = ?
ORDER BY user_uuid LIMIT ?;
--   group_members: ref PRIMARY (app_id, group_id)

-- src/groups/group-removals.ts
SELECT user_uuid, group_id
FROM group_list_entries FORCE INDEX (group_list_entries_by_user)
WHERE app_id = ? AND user_uuid IN (?…) LIMIT ?;
--   group_list_entries: range group_list_entries_by_user (app_id, user_uuid)

-- src/groups/group-removals.ts
SELECT user_uuid, group_id
FROM group_list_entries
WHERE app_id = ? AND group_id IN (?…) LIMIT ?;
--   group_list_entries: range group_list_entries_by_end (app_id, group_id)

-- src/groups/group-removals.ts
SELECT user_uuid, group_id
FROM group_members FORCE INDEX (group_members_by_user)
WHERE app_id = ? AND user_uuid IN (?…) LIMIT ?;
--   group_members: range group_members_by_user (app_id, user_uuid)

-- src/groups/group-removals.ts
DELETE FROM chat_groups
WHERE app_id = ? AND id IN (?…);
--   chat_groups: range PRIMARY (app_id, id)

-- src/groups/group-removals.ts
DELETE FROM group_list_entries
WHERE app_id = ? AND user_uuid IN (?…) AND group_id IN (?…);
--   group_list_entries: range group_list_entries_by_end (app_id, group_id)

-- src/groups/group-removals.ts
DELETE FROM group_members
WHERE app_id = ? AND group_id = ? AND user_uuid <= ?;
--   group_members: range PRIMARY (app_id, group_id, user_uuid)

-- src/groups/group-removals.ts
DELETE FROM group_members
WHERE app_id = ? AND group_id IN (?…);
--   group_members: range PRIMARY (app_id, group_id)

-- src/groups/group-removals.ts
DELETE FROM group_members
WHERE app_id = ? AND user_uuid = ? AND group_id IN (?…);
--   group_members: range group_members_by_user (app_id, user_uuid)

-- src/groups/group-removals.ts
UPDATE chat_groups
SET members = members - ?
WHERE app_id = ? AND id IN (?…);
--   chat_groups: range PRIMARY (app_id, id)

-- src/groups/group-writes.repository.ts
SELECT announcement
FROM chat_groups
WHERE app_id = ? AND id = ?;
--   chat_groups: const PRIMARY (app_id, id)

-- src/groups/group-writes.repository.ts
SELECT app_id, id, kind, owner_uuid, name, description, custom, is_public, members_only, allow_invites, members_most, members, created_at, modified_at
FROM chat_groups
WHERE app_id = ? AND id = ? AND kind = ? FOR UPDATE;
--   chat_groups: const PRIMARY (app_id, id)

-- src/groups/group-writes.repository.ts
SELECT name, description, members_most
FROM chat_groups
WHERE app_id = ? AND id = ?;
--   chat_groups: const PRIMARY (app_id, id)

-- src/groups/group-writes.repository.ts
SELECT user_uuid
FROM group_members
WHERE app_id = ? AND group_id = ? AND user_uuid IN (?…);
--   group_members: ref PRIMARY (app_id, group_id)

-- src/groups/group-writes.repository.ts
SELECT uuid
FROM users FORCE INDEX (users_by_uuid)
WHERE app_id = ? AND uuid = ?;
--   users: const users_by_uuid (app_id, uuid)

-- src/groups/group-writes.repository.ts
DELETE FROM chat_groups
WHERE app_id = ? AND id = ?;
--   chat_groups: range PRIMARY (app_id, id)

-- src/groups/group-writes.repository.ts
DELETE FROM group_members
WHERE app_id = ? AND group_id = ? AND user_uuid IN (?…);
--   group_members: range group_members_by_user (app_id, user_uuid)

-- src/groups/group-writes.repository.ts
INSERT INTO chat_groups (app_id, id, kind, owner_uuid, name, description, custom, is_public, members_only, allow_invites, members_most, members, created_at, modified_at)
VALUES (?…);

-- src/groups/group-writes.repository.ts
INSERT INTO group_members (app_id, group_id, user_uuid, kind, joined_at)
VALUES (?…);

-- src/groups/group-writes.repository.ts
UPDATE chat_groups
SET announcement = ?, modified_at = ?
WHERE app_id = ? AND id = ?;
--   chat_groups: range PRIMARY (app_id, id)

-- src/groups/group-writes.repository.ts
UPDATE chat_groups
SET members = members + ?, modified_at = ?
WHERE app_id = ? AND id = ?;
--   chat_groups: range PRIMARY (app_id, id)

-- src/groups/group-writes.repository.ts
UPDATE chat_groups
SET name = ?, description = ?, members_most = ?, modified_at = ?
WHERE app_id = ? AND id = ?;
--   chat_groups: range PRIMARY (app_id, id)

-- src/groups/groups.repository.ts
SELECT STRAIGHT_JOIN g.announcement
FROM chat_groups g
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = g.app_id AND u.uuid = g.owner_uuid
WHERE g.app_id = ? AND g.id = ? AND g.kind = ?;
--   g: const PRIMARY (app_id, id)
--   u: const users_by_uuid (app_id, uuid)

-- src/groups/groups.repository.ts
SELECT STRAIGHT_JOIN g.app_id, g.id, g.kind, g.owner_uuid, g.name, g.description, g.custom, g.is_public, g.members_only, g.allow_invites, g.members_most, g.members, g.created_at, g.modified_at
FROM chat_groups g
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = g.app_id AND u.uuid = g.owner_uuid
WHERE g.app_id = ? AND g.id = ? AND g.kind = ?;
--   g: const PRIMARY (app_id, id)
--   u: const users_by_uuid (app_id, uuid)

-- src/groups/groups.repository.ts
SELECT STRAIGHT_JOIN g.app_id, g.id, g.kind, g.owner_uuid, g.name, g.description, g.custom, g.is_public, g.members_only, g.allow_invites, g.members_most, g.members, g.created_at, g.modified_at
FROM chat_groups g FORCE INDEX (chat_groups_by_kind)
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = g.app_id AND u.uuid = g.owner_uuid
WHERE g.app_id = ? AND g.kind = ? AND g.id > ?
ORDER BY g.id LIMIT ?;
--   g: range chat_groups_by_kind (app_id, kind, id)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/groups/groups.repository.ts
SELECT STRAIGHT_JOIN g.app_id, g.id, g.kind, g.owner_uuid, g.name, g.description, g.custom, g.is_public, g.members_only, g.allow_invites, g.members_most, g.members, g.created_at, g.modified_at
FROM group_members m FORCE INDEX (group_members_by_user)
CROSS JOIN chat_groups g ON g.app_id = m.app_id AND g.id = m.group_id
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = g.app_id AND u.uuid = g.owner_uuid
WHERE m.app_id = ? AND m.user_uuid = ? AND m.kind = ? AND m.group_id > ?
ORDER BY m.group_id LIMIT ?;
--   m: range group_members_by_user (app_id, user_uuid, kind, group_id)
--   g: eq_ref PRIMARY (app_id, id)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/groups/groups.repository.ts
SELECT STRAIGHT_JOIN m.group_id, COUNT(m.user_uuid) AS leaving
FROM removals r
CROSS JOIN group_members m ON m.app_id = r.app_id AND m.user_uuid = r.subject
WHERE r.app_id = ? AND r.kind = 'user' AND m.group_id IN (?…)
GROUP BY m.group_id;
--   filesort
--   temporary table
--   r: ref PRIMARY (app_id, kind)
--   m: ref group_members_by_user (app_id, user_uuid)

-- src/groups/groups.repository.ts
SELECT STRAIGHT_JOIN m.user_uuid AS uuid, u.username
FROM group_members m
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = m.app_id AND u.uuid = m.user_uuid
WHERE m.app_id = ? AND m.group_id = ? AND m.user_uuid > ?
ORDER BY m.user_uuid LIMIT ?;
--   m: range PRIMARY (app_id, group_id, user_uuid)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/groups/groups.repository.ts
SELECT owner_uuid, kind, COUNT(*) AS owned
FROM chat_groups FORCE INDEX (chat_groups_by_owner)
WHERE app_id = ? AND owner_uuid IN (?…)
GROUP BY owner_uuid, kind;
--   filesort
--   temporary table
--   chat_groups: range chat_groups_by_owner (app_id, owner_uuid)

-- src/groups/groups.repository.ts
SELECT user_uuid
FROM group_members
WHERE app_id = ? AND group_id = ? AND user_uuid > ?
ORDER BY user_uuid LIMIT ?;
--   group_members: range PRIMARY (app_id, group_id, user_uuid)
