-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/user-notes/user-notes.repository.ts
SELECT COUNT(*) AS notes
FROM user_notes
WHERE app_id = ? AND user_uuid = ?;
--   user_notes: ref PRIMARY (app_id, user_uuid)

-- src/user-notes/user-notes.repository.ts
SELECT app_id, user_uuid, id, at, author, text
FROM user_notes
WHERE app_id = ? AND user_uuid = ? AND id < ?
ORDER BY id DESC LIMIT ?;
--   user_notes: range PRIMARY (app_id, user_uuid, id)

-- src/user-notes/user-notes.repository.ts
SELECT user_uuid, id
FROM user_notes
WHERE app_id = ? AND user_uuid IN (?…)
ORDER BY user_uuid, id LIMIT ? FOR UPDATE;
--   user_notes: range PRIMARY (app_id, user_uuid)

-- src/user-notes/user-notes.repository.ts
DELETE FROM user_notes
WHERE app_id = ? AND ((user_uuid = ? AND id = ?) OR (user_uuid = ? AND id = ?) OR (user_uuid = ? AND id = ?));
--   user_notes: range PRIMARY (app_id, user_uuid, id)

-- src/user-notes/user-notes.repository.ts
DELETE FROM user_notes
WHERE app_id = ? AND ((user_uuid = ? AND id = ?));
--   user_notes: range PRIMARY (app_id, user_uuid, id)

-- src/user-notes/user-notes.repository.ts
INSERT INTO user_notes (app_id, user_uuid, id, at, author, text)
VALUES (?…);
