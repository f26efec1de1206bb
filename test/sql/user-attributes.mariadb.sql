-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/user-attributes/user-attributes.repository.ts
SELECT SUM(bytes) AS bytes
FROM attribute_usage
WHERE app_id = ?;
--   attribute_usage: ref PRIMARY (app_id)

-- src/user-attributes/user-attributes.repository.ts
SELECT app_id, user_uuid, attributes, bytes, modified_at
FROM user_attributes
WHERE app_id = ? AND user_uuid = ? FOR UPDATE;
--   user_attributes: const PRIMARY (app_id, user_uuid)

-- src/user-attributes/user-attributes.repository.ts
SELECT app_id, user_uuid, attributes, bytes, modified_at
FROM user_attributes
WHERE app_id = ? AND user_uuid IN (?…);
--   user_attributes: range PRIMARY (app_id, user_uuid)

-- src/user-attributes/user-attributes.repository.ts
SELECT bytes
FROM user_attributes
WHERE app_id = ? AND user_uuid IN (?…) FOR UPDATE;
--   user_attributes: range PRIMARY (app_id, user_uuid)

-- src/user-attributes/user-attributes.repository.ts
DELETE FROM user_attributes
WHERE app_id = ? AND user_uuid IN (?…);
--   user_attributes: range PRIMARY (app_id, user_uuid)

-- src/user-attributes/user-attributes.repository.ts
INSERT INTO attribute_usage (app_id, slot, bytes)
VALUES (?…)
ON DUPLICATE KEY UPDATE bytes = bytes + VALUES(bytes);

-- src/user-attributes/user-attributes.repository.ts
INSERT INTO user_attributes (app_id, user_uuid, attributes, bytes, modified_at)
VALUES (?…);

-- src/user-attributes/user-attributes.repository.ts
UPDATE user_attributes
SET attributes = ?, bytes = ?, modified_at = ?
WHERE app_id = ? AND user_uuid = ?;
--   user_attributes: range PRIMARY (app_id, user_uuid)
