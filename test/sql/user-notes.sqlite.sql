-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/user-notes/user-notes.repository.ts
SELECT COUNT(*) AS notes
FROM user_notes
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH user_notes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/user-notes/user-notes.repository.ts
SELECT app_id, user_uuid, id, at, author, text
FROM user_notes
WHERE app_id = ? AND user_uuid = ? AND id < ?
ORDER BY id DESC LIMIT ?;
--   SEARCH user_notes USING PRIMARY KEY (app_id=? AND user_uuid=? AND id<?)

-- src/user-notes/user-notes.repository.ts
SELECT user_uuid, id
FROM user_notes
WHERE app_id = ? AND user_uuid IN (?…)
ORDER BY user_uuid, id LIMIT ?;
--   SEARCH user_notes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/user-notes/user-notes.repository.ts
DELETE FROM user_notes
WHERE app_id = ? AND (user_uuid, id) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]')
FROM json_each(?));
--   SEARCH user_notes USING PRIMARY KEY (app_id=? AND user_uuid=? AND id=?)

-- src/user-notes/user-notes.repository.ts
INSERT INTO user_notes (app_id, user_uuid, id, at, author, text)
VALUES (?…);
