-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/contacts/contact-lists.repository.ts
SELECT app_id, user_uuid, list_id, contacts
FROM contact_lists
WHERE app_id = ? AND user_uuid IN (?…);
--   contact_lists: range PRIMARY (app_id, user_uuid)

-- src/contacts/contact-lists.repository.ts
SELECT app_id, user_uuid, list_id, contacts
FROM contact_lists
WHERE app_id = ? AND user_uuid IN (?…) FOR UPDATE;
--   contact_lists: range PRIMARY (app_id, user_uuid)

-- src/contacts/contact-lists.repository.ts
DELETE FROM contact_lists
WHERE app_id = ? AND user_uuid IN (?…);
--   contact_lists: range PRIMARY (app_id, user_uuid)

-- src/contacts/contact-lists.repository.ts
INSERT INTO contact_lists (app_id, user_uuid, list_id, contacts)
VALUES (?…);

-- src/contacts/contact-lists.repository.ts
INSERT INTO contact_lists (app_id, user_uuid, list_id, contacts)
VALUES (?…)
ON DUPLICATE KEY UPDATE list_id = VALUES(list_id), contacts = VALUES(contacts);

-- src/contacts/contact-removals.ts
SELECT list_id, friend_list_id, friend_uuid
FROM contacts
WHERE app_id = ? AND list_id IN (?…) LIMIT ?;
--   contacts: range PRIMARY (app_id, list_id)

-- src/contacts/contact-removals.ts
DELETE FROM contacts
WHERE app_id = ? AND ((list_id = ? AND friend_list_id = ?) OR (list_id = ? AND friend_list_id = ?) OR (list_id = ? AND friend_list_id = ?) OR (list_id = ? AND friend_list_id = ?));
--   contacts: range PRIMARY (app_id, list_id, friend_list_id)

-- src/contacts/contacts.repository.ts
SELECT STRAIGHT_JOIN u.username AS username, c.remark AS remark, c.id AS id
FROM contacts c FORCE INDEX (contacts_by_id)
CROSS JOIN contact_lists l ON l.app_id = c.app_id AND l.user_uuid = c.friend_uuid AND l.list_id = c.friend_list_id
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = c.app_id AND u.uuid = c.friend_uuid
WHERE c.app_id = ? AND c.list_id = ? AND c.id < ?
ORDER BY c.id DESC LIMIT ?;
--   c: range contacts_by_id (app_id, list_id, id)
--   l: eq_ref PRIMARY (app_id, user_uuid)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/contacts/contacts.repository.ts
SELECT friend_list_id
FROM contacts
WHERE app_id = ? AND list_id = ? AND friend_list_id IN (?…);
--   contacts: ref contacts_by_id (app_id, list_id)

-- src/contacts/contacts.repository.ts
SELECT friend_uuid
FROM contacts
WHERE app_id = ? AND list_id = ? AND friend_list_id IN (?…);
--   contacts: ref PRIMARY (app_id, list_id)

-- src/contacts/contacts.repository.ts
SELECT remark
FROM contacts
WHERE app_id = ? AND list_id = ? AND friend_list_id = ?;
--   contacts: const PRIMARY (app_id, list_id, friend_list_id)

-- src/contacts/contacts.repository.ts
INSERT INTO contacts (app_id, list_id, friend_list_id, friend_uuid, id, remark)
VALUES (?…);

-- src/contacts/contacts.repository.ts
UPDATE contacts
SET remark = ?
WHERE app_id = ? AND list_id = ? AND friend_list_id = ?;
--   contacts: range PRIMARY (app_id, list_id, friend_list_id)
