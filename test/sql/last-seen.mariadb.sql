-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/last-seen/last-seen.repository.ts
SELECT COUNT(*) AS entries
FROM (SELECT 1
FROM user_last_seen FORCE INDEX (user_last_seen_by_time)
WHERE app_id = ? AND at >= ? AND at < ? LIMIT ?) AS entry;
--   <derived2>: ALL
--   user_last_seen: range user_last_seen_by_time (app_id, at)

-- src/last-seen/last-seen.repository.ts
SELECT user_uuid, at
FROM user_last_seen FORCE INDEX (user_last_seen_by_time)
WHERE app_id = ? AND at = ? AND user_uuid < ?
ORDER BY user_uuid DESC LIMIT ?;
--   user_last_seen: range user_last_seen_by_time (app_id, at, user_uuid)

-- src/last-seen/last-seen.repository.ts
SELECT user_uuid, at
FROM user_last_seen FORCE INDEX (user_last_seen_by_time)
WHERE app_id = ? AND at = ? AND user_uuid > ?
ORDER BY user_uuid ASC LIMIT ?;
--   user_last_seen: range user_last_seen_by_time (app_id, at, user_uuid)

-- src/last-seen/last-seen.repository.ts
SELECT user_uuid, at
FROM user_last_seen FORCE INDEX (user_last_seen_by_time)
WHERE app_id = ? AND at >= ? AND at < ?
ORDER BY at ASC, user_uuid ASC LIMIT ?;
--   user_last_seen: range user_last_seen_by_time (app_id, at)

-- src/last-seen/last-seen.repository.ts
SELECT user_uuid, at
FROM user_last_seen FORCE INDEX (user_last_seen_by_time)
WHERE app_id = ? AND at >= ? AND at < ?
ORDER BY at DESC, user_uuid DESC LIMIT ?;
--   user_last_seen: range user_last_seen_by_time (app_id, at)

-- src/last-seen/last-seen.repository.ts
SELECT user_uuid, at
FROM user_last_seen
WHERE app_id = ? AND user_uuid IN (?…);
--   user_last_seen: range PRIMARY (app_id, user_uuid)

-- src/last-seen/last-seen.repository.ts
DELETE FROM user_last_seen
WHERE app_id = ? AND user_uuid IN (?…);
--   user_last_seen: range PRIMARY (app_id, user_uuid)

-- src/last-seen/last-seen.repository.ts
INSERT INTO user_last_seen (app_id, user_uuid, at)
VALUES (?…)
ON DUPLICATE KEY UPDATE at = GREATEST(at, VALUES(at));
