-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/last-seen/last-seen.repository.ts
SELECT COUNT(*) AS entries
FROM (SELECT 1
FROM user_last_seen INDEXED BY user_last_seen_by_time
WHERE app_id = ? AND at >= ? AND at < ? LIMIT ?) AS entry;
--   CO-ROUTINE entry
--   SEARCH user_last_seen USING COVERING INDEX user_last_seen_by_time (app_id=? AND at>? AND at<?)
--   SCAN entry

-- src/last-seen/last-seen.repository.ts
SELECT user_uuid, at
FROM user_last_seen INDEXED BY user_last_seen_by_time
WHERE app_id = ? AND at = ? AND user_uuid < ?
ORDER BY user_uuid DESC LIMIT ?;
--   SEARCH user_last_seen USING COVERING INDEX user_last_seen_by_time (app_id=? AND at=? AND user_uuid<?)

-- src/last-seen/last-seen.repository.ts
SELECT user_uuid, at
FROM user_last_seen INDEXED BY user_last_seen_by_time
WHERE app_id = ? AND at = ? AND user_uuid > ?
ORDER BY user_uuid ASC LIMIT ?;
--   SEARCH user_last_seen USING COVERING INDEX user_last_seen_by_time (app_id=? AND at=? AND user_uuid>?)

-- src/last-seen/last-seen.repository.ts
SELECT user_uuid, at
FROM user_last_seen INDEXED BY user_last_seen_by_time
WHERE app_id = ? AND at >= ? AND at < ?
ORDER BY at ASC, user_uuid ASC LIMIT ?;
--   SEARCH user_last_seen USING COVERING INDEX user_last_seen_by_time (app_id=? AND at>? AND at<?)

-- src/last-seen/last-seen.repository.ts
SELECT user_uuid, at
FROM user_last_seen INDEXED BY user_last_seen_by_time
WHERE app_id = ? AND at >= ? AND at < ?
ORDER BY at DESC, user_uuid DESC LIMIT ?;
--   SEARCH user_last_seen USING COVERING INDEX user_last_seen_by_time (app_id=? AND at>? AND at<?)

-- src/last-seen/last-seen.repository.ts
SELECT user_uuid, at
FROM user_last_seen
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH user_last_seen USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/last-seen/last-seen.repository.ts
DELETE FROM user_last_seen
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH user_last_seen USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/last-seen/last-seen.repository.ts
INSERT INTO user_last_seen (app_id, user_uuid, at)
VALUES (?…)
ON CONFLICT (app_id, user_uuid) DO UPDATE
SET at = MAX(at, excluded.at);
