-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/presence-subscriptions/presence-states.repository.ts
SELECT app_id, user_uuid, statuses, ext, last_online_at, watchers
FROM presence_states
WHERE app_id = ? AND user_uuid IN (?…);
--   presence_states: range PRIMARY (app_id, user_uuid)

-- src/presence-subscriptions/presence-states.repository.ts
SELECT app_id, user_uuid, statuses, ext, last_online_at, watchers
FROM presence_states
WHERE app_id = ? AND user_uuid IN (?…)
ORDER BY user_uuid FOR UPDATE;
--   presence_states: range PRIMARY (app_id, user_uuid)

-- src/presence-subscriptions/presence-states.repository.ts
DELETE FROM presence_states
WHERE app_id = ? AND user_uuid IN (?…);
--   presence_states: range PRIMARY (app_id, user_uuid)

-- src/presence-subscriptions/presence-states.repository.ts
INSERT INTO presence_states (app_id, user_uuid, statuses, ext, last_online_at, watchers)
VALUES (?…)
ON DUPLICATE KEY UPDATE statuses = VALUES(statuses), last_online_at = VALUES(last_online_at);

-- src/presence-subscriptions/presence-states.repository.ts
UPDATE presence_states
SET statuses = ?, ext = ?
WHERE app_id = ? AND user_uuid = ?;
--   presence_states: range PRIMARY (app_id, user_uuid)

-- src/presence-subscriptions/presence-states.repository.ts
UPDATE presence_states
SET watchers = watchers + ?
WHERE app_id = ? AND user_uuid IN (?…);
--   presence_states: range PRIMARY (app_id, user_uuid)

-- src/presence-subscriptions/presence-states.repository.ts
-- src/presence-subscriptions/subscriptions.repository.ts
INSERT INTO presence_states (app_id, user_uuid, statuses, ext, last_online_at, watchers)
VALUES (?…);

-- src/presence-subscriptions/subscription-removals.ts
SELECT subscriber_uuid, target_uuid
FROM presence_subscriptions FORCE INDEX (presence_subscriptions_by_target)
WHERE app_id = ? AND target_uuid IN (?…) LIMIT ?;
--   presence_subscriptions: range presence_subscriptions_by_target (app_id, target_uuid)

-- src/presence-subscriptions/subscription-removals.ts
SELECT subscriber_uuid, target_uuid
FROM presence_subscriptions
WHERE app_id = ? AND subscriber_uuid IN (?…) LIMIT ?;
--   presence_subscriptions: range PRIMARY (app_id, subscriber_uuid)

-- src/presence-subscriptions/subscriptions.repository.ts
SELECT COUNT(target_uuid) AS count
FROM presence_subscriptions
WHERE app_id = ? AND subscriber_uuid = ? AND expires_at + 0 > ?;
--   presence_subscriptions: ref PRIMARY (app_id, subscriber_uuid)

-- src/presence-subscriptions/subscriptions.repository.ts
SELECT STRAIGHT_JOIN s.target_uuid, s.expires_at, u.username
FROM presence_subscriptions s
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = s.app_id AND u.uuid = s.target_uuid
WHERE s.app_id = ? AND s.subscriber_uuid = ? AND s.target_uuid > ? AND s.expires_at > ?
ORDER BY s.target_uuid LIMIT ?;
--   s: range PRIMARY (app_id, subscriber_uuid, target_uuid)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/presence-subscriptions/subscriptions.repository.ts
SELECT STRAIGHT_JOIN u.uuid, u.username
FROM presence_subscriptions s FORCE INDEX (presence_subscriptions_by_target)
CROSS JOIN users u FORCE INDEX (users_by_uuid) ON u.app_id = s.app_id AND u.uuid = s.subscriber_uuid
WHERE s.app_id = ? AND s.target_uuid = ? AND s.subscriber_uuid > ? AND s.expires_at > ?
ORDER BY s.subscriber_uuid LIMIT ?;
--   s: range presence_subscriptions_by_target (app_id, target_uuid, subscriber_uuid)
--   u: eq_ref users_by_uuid (app_id, uuid)

-- src/presence-subscriptions/subscriptions.repository.ts
SELECT target_uuid, expires_at
FROM presence_subscriptions
WHERE app_id = ? AND subscriber_uuid = ? AND target_uuid IN (?…)
ORDER BY target_uuid FOR UPDATE;
--   presence_subscriptions: ref PRIMARY (app_id, subscriber_uuid)

-- src/presence-subscriptions/subscriptions.repository.ts
DELETE FROM presence_subscriptions
WHERE app_id = ? AND subscriber_uuid = ? AND target_uuid IN (?…);
--   presence_subscriptions: range presence_subscriptions_by_target (app_id, target_uuid, subscriber_uuid)

-- src/presence-subscriptions/subscriptions.repository.ts
INSERT INTO presence_subscriptions (app_id, subscriber_uuid, target_uuid, expires_at)
VALUES (?…);

-- src/presence-subscriptions/subscriptions.repository.ts
UPDATE presence_subscriptions
SET expires_at = ?
WHERE app_id = ? AND subscriber_uuid = ? AND target_uuid IN (?…);
--   presence_subscriptions: range presence_subscriptions_by_target (app_id, target_uuid, subscriber_uuid)
