-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/groups/group-lists.repository.ts
SELECT e.id
FROM group_list_entries e INDEXED BY group_list_entries_by_end
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = e.app_id AND u.uuid = e.user_uuid
WHERE e.app_id = ? AND e.group_id = ? AND e.list = ?;
--   SEARCH e USING COVERING INDEX group_list_entries_by_end (app_id=? AND group_id=? AND list=?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/groups/group-lists.repository.ts
SELECT e.user_uuid AS userUuid, u.username, e.expires_at AS expiresAt, e.id
FROM group_list_entries e INDEXED BY group_list_entries_by_end
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = e.app_id AND u.uuid = e.user_uuid
WHERE e.app_id = ? AND e.group_id = ? AND e.list = ? AND e.expires_at = ? AND e.id < ?
ORDER BY e.expires_at DESC, e.id DESC LIMIT ?;
--   SEARCH e USING COVERING INDEX group_list_entries_by_end (app_id=? AND group_id=? AND list=? AND expires_at=? AND id<?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/groups/group-lists.repository.ts
SELECT e.user_uuid AS userUuid, u.username, e.expires_at AS expiresAt, e.id
FROM group_list_entries e INDEXED BY group_list_entries_by_end
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = e.app_id AND u.uuid = e.user_uuid
WHERE e.app_id = ? AND e.group_id = ? AND e.list = ? AND e.expires_at > ? AND e.expires_at < ?
ORDER BY e.expires_at DESC, e.id DESC LIMIT ?;
--   SEARCH e USING COVERING INDEX group_list_entries_by_end (app_id=? AND group_id=? AND list=? AND expires_at>? AND expires_at<?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/groups/group-lists.repository.ts
SELECT user_uuid
FROM group_list_entries INDEXED BY group_list_entries_by_end
WHERE app_id = ? AND group_id = ? AND list = 'mute' AND expires_at <= ?
ORDER BY expires_at LIMIT ?;
--   SEARCH group_list_entries USING COVERING INDEX group_list_entries_by_end (app_id=? AND group_id=? AND list=? AND expires_at<?)

-- src/groups/group-lists.repository.ts
SELECT user_uuid, list, expires_at
FROM group_list_entries INDEXED BY group_list_entries_by_user
WHERE app_id = ? AND group_id = ? AND user_uuid IN (?…);
--   SEARCH group_list_entries USING INDEX group_list_entries_by_user (app_id=? AND user_uuid=? AND group_id=?)

-- src/groups/group-lists.repository.ts
DELETE FROM group_list_entries INDEXED BY group_list_entries_by_user
WHERE app_id = ? AND group_id = ? AND user_uuid IN (?…) AND list IN (?…);
--   SEARCH group_list_entries USING INDEX group_list_entries_by_user (app_id=? AND user_uuid=? AND group_id=? AND list=?)

-- src/groups/group-lists.repository.ts
INSERT INTO group_list_entries (app_id, group_id, user_uuid, list, expires_at, id)
VALUES (?…);

-- src/groups/group-removals.ts
SELECT id
FROM chat_groups
WHERE app_id = ? AND id IN (?…)
ORDER BY id;
--   SEARCH chat_groups USING PRIMARY KEY (app_id=? AND id=?)

-- src/groups/group-removals.ts
SELECT id, members
FROM chat_groups INDEXED BY chat_groups_by_owner
WHERE app_id = ? AND owner_uuid IN (?…) LIMIT ?;
--   SEARCH chat_groups USING INDEX chat_groups_by_owner (app_id=? AND owner_uuid=?)

-- src/groups/group-removals.ts
SELECT user_uuid
FROM group_members
WHERE app_id = ? AND group_id = ?
ORDER BY user_uuid LIMIT ?;
--   SEARCH group_members USING PRIMARY KEY (app_id=? AND group_id=?)

-- src/groups/group-removals.ts
SELECT user_uuid, group_id
FROM group_list_entries INDEXED BY group_list_entries_by_user
WHERE app_id = ? AND user_uuid IN (?…) LIMIT ?;
--   SEARCH group_list_entries USING COVERING INDEX group_list_entries_by_user (app_id=? AND user_uuid=?)

-- src/groups/group-removals.ts
SELECT user_uuid, group_id
FROM group_list_entries
WHERE app_id = ? AND group_id IN (?…) LIMIT ?;
--   SEARCH group_list_entries USING COVERING INDEX group_list_entries_by_end (app_id=? AND group_id=?)

-- src/groups/group-removals.ts
SELECT user_uuid, group_id
FROM group_members INDEXED BY group_members_by_user
WHERE app_id = ? AND user_uuid IN (?…) LIMIT ?;
--   SEARCH group_members USING COVERING INDEX group_members_by_user (app_id=? AND user_uuid=?)

-- src/groups/group-removals.ts
DELETE FROM chat_groups
WHERE app_id = ? AND id IN (?…);
--   SEARCH chat_groups USING PRIMARY KEY (app_id=? AND id=?)

-- src/groups/group-removals.ts
DELETE FROM group_list_entries INDEXED BY group_list_entries_by_user
WHERE app_id = ? AND user_uuid IN (?…) AND group_id IN (?…);
--   SEARCH group_list_entries USING INDEX group_list_entries_by_user (app_id=? AND user_uuid=? AND group_id=?)

-- src/groups/group-removals.ts
DELETE FROM group_members
WHERE app_id = ? AND group_id = ? AND user_uuid <= ?;
--   SEARCH group_members USING PRIMARY KEY (app_id=? AND group_id=? AND user_uuid<?)

-- src/groups/group-removals.ts
DELETE FROM group_members
WHERE app_id = ? AND group_id IN (?…);
--   SEARCH group_members USING PRIMARY KEY (app_id=? AND group_id=?)

-- src/groups/group-removals.ts
DELETE FROM group_members
WHERE app_id = ? AND user_uuid = ? AND group_id IN (?…);
--   SEARCH group_members USING PRIMARY KEY (app_id=? AND group_id=? AND user_uuid=?)

-- src/groups/group-removals.ts
UPDATE chat_groups
SET members = members - ?
WHERE app_id = ? AND id IN (?…);
--   SEARCH chat_groups USING PRIMARY KEY (app_id=? AND id=?)

-- src/groups/group-writes.repository.ts
SELECT announcement
FROM chat_groups
WHERE app_id = ? AND id = ?;
--   SEARCH chat_groups USING PRIMARY KEY (app_id=? AND id=?)

-- src/groups/group-writes.repository.ts
SELECT app_id, id, kind, owner_uuid, name, description, custom, is_public, members_only, allow_invites, members_most, members, created_at, modified_at
FROM chat_groups
WHERE app_id = ? AND id = ? AND kind = ?;
--   SEARCH chat_groups USING PRIMARY KEY (app_id=? AND id=?)

-- src/groups/group-writes.repository.ts
SELECT name, description, members_most
FROM chat_groups
WHERE app_id = ? AND id = ?;
--   SEARCH chat_groups USING PRIMARY KEY (app_id=? AND id=?)

-- src/groups/group-writes.repository.ts
SELECT user_uuid
FROM group_members
WHERE app_id = ? AND group_id = ? AND user_uuid IN (?…);
--   SEARCH group_members USING PRIMARY KEY (app_id=? AND group_id=? AND user_uuid=?)

-- src/groups/group-writes.repository.ts
SELECT uuid
FROM users INDEXED BY users_by_uuid
WHERE app_id = ? AND uuid = ?;
--   SEARCH users USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/groups/group-writes.repository.ts
DELETE FROM chat_groups
WHERE app_id = ? AND id = ?;
--   SEARCH chat_groups USING PRIMARY KEY (app_id=? AND id=?)

-- src/groups/group-writes.repository.ts
DELETE FROM group_members
WHERE app_id = ? AND group_id = ? AND user_uuid IN (?…);
--   SEARCH group_members USING PRIMARY KEY (app_id=? AND group_id=? AND user_uuid=?)

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
--   SEARCH chat_groups USING PRIMARY KEY (app_id=? AND id=?)

-- src/groups/group-writes.repository.ts
UPDATE chat_groups
SET members = members + ?, modified_at = ?
WHERE app_id = ? AND id = ?;
--   SEARCH chat_groups USING PRIMARY KEY (app_id=? AND id=?)

-- src/groups/group-writes.repository.ts
UPDATE chat_groups
SET name = ?, description = ?, members_most = ?, modified_at = ?
WHERE app_id = ? AND id = ?;
--   SEARCH chat_groups USING PRIMARY KEY (app_id=? AND id=?)

-- src/groups/groups.repository.ts
SELECT g.announcement
FROM chat_groups g
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = g.app_id AND u.uuid = g.owner_uuid
WHERE g.app_id = ? AND g.id = ? AND g.kind = ?;
--   SEARCH g USING PRIMARY KEY (app_id=? AND id=?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/groups/groups.repository.ts
SELECT g.app_id, g.id, g.kind, g.owner_uuid, g.name, g.description, g.custom, g.is_public, g.members_only, g.allow_invites, g.members_most, g.members, g.created_at, g.modified_at
FROM chat_groups g
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = g.app_id AND u.uuid = g.owner_uuid
WHERE g.app_id = ? AND g.id = ? AND g.kind = ?;
--   SEARCH g USING PRIMARY KEY (app_id=? AND id=?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/groups/groups.repository.ts
SELECT g.app_id, g.id, g.kind, g.owner_uuid, g.name, g.description, g.custom, g.is_public, g.members_only, g.allow_invites, g.members_most, g.members, g.created_at, g.modified_at
FROM chat_groups g INDEXED BY chat_groups_by_kind
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = g.app_id AND u.uuid = g.owner_uuid
WHERE g.app_id = ? AND g.kind = ? AND g.id > ?
ORDER BY g.id LIMIT ?;
--   SEARCH g USING INDEX chat_groups_by_kind (app_id=? AND kind=? AND id>?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/groups/groups.repository.ts
SELECT g.app_id, g.id, g.kind, g.owner_uuid, g.name, g.description, g.custom, g.is_public, g.members_only, g.allow_invites, g.members_most, g.members, g.created_at, g.modified_at
FROM group_members m INDEXED BY group_members_by_user
CROSS JOIN chat_groups g ON g.app_id = m.app_id AND g.id = m.group_id
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = g.app_id AND u.uuid = g.owner_uuid
WHERE m.app_id = ? AND m.user_uuid = ? AND m.kind = ? AND m.group_id > ?
ORDER BY m.group_id LIMIT ?;
--   SEARCH m USING COVERING INDEX group_members_by_user (app_id=? AND user_uuid=? AND kind=? AND group_id>?)
--   SEARCH g USING PRIMARY KEY (app_id=? AND id=?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/groups/groups.repository.ts
SELECT m.group_id, COUNT(m.user_uuid) AS leaving
FROM removals r
CROSS JOIN group_members m ON m.app_id = r.app_id AND m.user_uuid = r.subject
WHERE r.app_id = ? AND r.kind = 'user' AND m.group_id IN (?…)
GROUP BY m.group_id;
--   SEARCH r USING PRIMARY KEY (app_id=? AND kind=?)
--   SEARCH m USING PRIMARY KEY (app_id=? AND group_id=? AND user_uuid=?)
--   USE TEMP B-TREE FOR GROUP BY

-- src/groups/groups.repository.ts
SELECT m.user_uuid AS uuid, u.username
FROM group_members m
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = m.app_id AND u.uuid = m.user_uuid
WHERE m.app_id = ? AND m.group_id = ? AND m.user_uuid > ?
ORDER BY m.user_uuid LIMIT ?;
--   SEARCH m USING PRIMARY KEY (app_id=? AND group_id=? AND user_uuid>?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/groups/groups.repository.ts
SELECT owner_uuid, kind, COUNT(*) AS owned
FROM chat_groups INDEXED BY chat_groups_by_owner
WHERE app_id = ? AND owner_uuid IN (?…)
GROUP BY owner_uuid, kind;
--   SEARCH chat_groups USING INDEX chat_groups_by_owner (app_id=? AND owner_uuid=?)
--   USE TEMP B-TREE FOR GROUP BY

-- src/groups/groups.repository.ts
SELECT user_uuid
FROM group_members
WHERE app_id = ? AND group_id = ? AND user_uuid > ?
ORDER BY user_uuid LIMIT ?;
--   SEARCH group_members USING PRIMARY KEY (app_id=? AND group_id=? AND user_uuid>?)
