-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/contacts/contact-lists.repository.ts
SELECT app_id, user_uuid, list_id, contacts
FROM contact_lists
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH contact_lists USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/contacts/contact-lists.repository.ts
DELETE FROM contact_lists
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH contact_lists USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/contacts/contact-lists.repository.ts
INSERT INTO contact_lists (app_id, user_uuid, list_id, contacts)
VALUES (?…);

-- src/contacts/contact-lists.repository.ts
UPDATE contact_lists
SET list_id = ?, contacts = ?
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH contact_lists USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/contacts/contact-removals.ts
SELECT list_id, friend_list_id, friend_uuid
FROM contacts
WHERE app_id = ? AND list_id IN (?…) LIMIT ?;
--   SEARCH contacts USING PRIMARY KEY (app_id=? AND list_id=?)

-- src/contacts/contact-removals.ts
DELETE FROM contacts
WHERE app_id = ? AND (list_id, friend_list_id) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]')
FROM json_each(?));
--   SEARCH contacts USING PRIMARY KEY (app_id=? AND list_id=? AND friend_list_id=?)

-- src/contacts/contacts.repository.ts
SELECT friend_list_id
FROM contacts
WHERE app_id = ? AND list_id = ? AND friend_list_id IN (?…);
--   SEARCH contacts USING PRIMARY KEY (app_id=? AND list_id=? AND friend_list_id=?)

-- src/contacts/contacts.repository.ts
SELECT friend_uuid
FROM contacts
WHERE app_id = ? AND list_id = ? AND friend_list_id IN (?…);
--   SEARCH contacts USING PRIMARY KEY (app_id=? AND list_id=? AND friend_list_id=?)

-- src/contacts/contacts.repository.ts
SELECT remark
FROM contacts
WHERE app_id = ? AND list_id = ? AND friend_list_id = ?;
--   SEARCH contacts USING PRIMARY KEY (app_id=? AND list_id=? AND friend_list_id=?)

-- src/contacts/contacts.repository.ts
SELECT u.username AS username, c.remark AS remark, c.id AS id
FROM contacts c INDEXED BY contacts_by_id
CROSS JOIN contact_lists l ON l.app_id = c.app_id AND l.user_uuid = c.friend_uuid AND l.list_id = c.friend_list_id
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = c.app_id AND u.uuid = c.friend_uuid
WHERE c.app_id = ? AND c.list_id = ? AND c.id < ?
ORDER BY c.id DESC LIMIT ?;
--   SEARCH c USING INDEX contacts_by_id (app_id=? AND list_id=? AND id<?)
--   SEARCH l USING PRIMARY KEY (app_id=? AND user_uuid=?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/contacts/contacts.repository.ts
INSERT INTO contacts (app_id, list_id, friend_list_id, friend_uuid, id, remark)
VALUES (?…);

-- src/contacts/contacts.repository.ts
UPDATE contacts
SET remark = ?
WHERE app_id = ? AND list_id = ? AND friend_list_id = ?;
--   SEARCH contacts USING PRIMARY KEY (app_id=? AND list_id=? AND friend_list_id=?)
