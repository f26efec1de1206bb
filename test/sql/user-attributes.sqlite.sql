-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/user-attributes/user-attributes.repository.ts
SELECT SUM(bytes) AS bytes
FROM attribute_usage
WHERE app_id = ?;
--   SEARCH attribute_usage USING PRIMARY KEY (app_id=?)

-- src/user-attributes/user-attributes.repository.ts
SELECT app_id, user_uuid, attributes, bytes, modified_at
FROM user_attributes
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH user_attributes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/user-attributes/user-attributes.repository.ts
SELECT app_id, user_uuid, attributes, bytes, modified_at
FROM user_attributes
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH user_attributes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/user-attributes/user-attributes.repository.ts
SELECT bytes
FROM user_attributes
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH user_attributes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/user-attributes/user-attributes.repository.ts
DELETE FROM user_attributes
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH user_attributes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/user-attributes/user-attributes.repository.ts
INSERT INTO attribute_usage (app_id, slot, bytes)
VALUES (?…)
ON CONFLICT (app_id, slot) DO UPDATE
SET bytes = bytes + excluded.bytes;

-- src/user-attributes/user-attributes.repository.ts
INSERT INTO user_attributes (app_id, user_uuid, attributes, bytes, modified_at)
VALUES (?…);

-- src/user-attributes/user-attributes.repository.ts
UPDATE user_attributes
SET attributes = ?, bytes = ?, modified_at = ?
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH user_attributes USING PRIMARY KEY (app_id=? AND user_uuid=?)
