-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/presence-subscriptions/presence-states.repository.ts
SELECT app_id, user_uuid, statuses, ext, last_online_at, watchers
FROM presence_states
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH presence_states USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/presence-subscriptions/presence-states.repository.ts
SELECT app_id, user_uuid, statuses, ext, last_online_at, watchers
FROM presence_states
WHERE app_id = ? AND user_uuid IN (?…)
ORDER BY user_uuid;
--   SEARCH presence_states USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/presence-subscriptions/presence-states.repository.ts
DELETE FROM presence_states
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH presence_states USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/presence-subscriptions/presence-states.repository.ts
UPDATE presence_states
SET statuses = ?, ext = ?
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH presence_states USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/presence-subscriptions/presence-states.repository.ts
UPDATE presence_states
SET statuses = ?, last_online_at = ?
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH presence_states USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/presence-subscriptions/presence-states.repository.ts
UPDATE presence_states
SET watchers = watchers + ?
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH presence_states USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/presence-subscriptions/presence-states.repository.ts
-- src/presence-subscriptions/subscriptions.repository.ts
INSERT INTO presence_states (app_id, user_uuid, statuses, ext, last_online_at, watchers)
VALUES (?…);

-- src/presence-subscriptions/subscription-removals.ts
SELECT subscriber_uuid, target_uuid
FROM presence_subscriptions INDEXED BY presence_subscriptions_by_target
WHERE app_id = ? AND target_uuid IN (?…) LIMIT ?;
--   SEARCH presence_subscriptions USING COVERING INDEX presence_subscriptions_by_target (app_id=? AND target_uuid=?)

-- src/presence-subscriptions/subscription-removals.ts
SELECT subscriber_uuid, target_uuid
FROM presence_subscriptions
WHERE app_id = ? AND subscriber_uuid IN (?…) LIMIT ?;
--   SEARCH presence_subscriptions USING PRIMARY KEY (app_id=? AND subscriber_uuid=?)

-- src/presence-subscriptions/subscriptions.repository.ts
SELECT COUNT(target_uuid) AS count
FROM presence_subscriptions
WHERE app_id = ? AND subscriber_uuid = ? AND expires_at + 0 > ?;
--   SEARCH presence_subscriptions USING PRIMARY KEY (app_id=? AND subscriber_uuid=?)

-- src/presence-subscriptions/subscriptions.repository.ts
SELECT s.target_uuid, s.expires_at, u.username
FROM presence_subscriptions s
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = s.app_id AND u.uuid = s.target_uuid
WHERE s.app_id = ? AND s.subscriber_uuid = ? AND s.target_uuid > ? AND s.expires_at > ?
ORDER BY s.target_uuid LIMIT ?;
--   SEARCH s USING PRIMARY KEY (app_id=? AND subscriber_uuid=? AND target_uuid>?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/presence-subscriptions/subscriptions.repository.ts
SELECT target_uuid, expires_at
FROM presence_subscriptions
WHERE app_id = ? AND subscriber_uuid = ? AND target_uuid IN (?…)
ORDER BY target_uuid;
--   SEARCH presence_subscriptions USING PRIMARY KEY (app_id=? AND subscriber_uuid=? AND target_uuid=?)

-- src/presence-subscriptions/subscriptions.repository.ts
SELECT u.uuid, u.username
FROM presence_subscriptions s INDEXED BY presence_subscriptions_by_target
CROSS JOIN users u INDEXED BY users_by_uuid ON u.app_id = s.app_id AND u.uuid = s.subscriber_uuid
WHERE s.app_id = ? AND s.target_uuid = ? AND s.subscriber_uuid > ? AND s.expires_at > ?
ORDER BY s.subscriber_uuid LIMIT ?;
--   SEARCH s USING INDEX presence_subscriptions_by_target (app_id=? AND target_uuid=? AND subscriber_uuid>?)
--   SEARCH u USING COVERING INDEX users_by_uuid (app_id=? AND uuid=?)

-- src/presence-subscriptions/subscriptions.repository.ts
DELETE FROM presence_subscriptions
WHERE app_id = ? AND subscriber_uuid = ? AND target_uuid IN (?…);
--   SEARCH presence_subscriptions USING PRIMARY KEY (app_id=? AND subscriber_uuid=? AND target_uuid=?)

-- src/presence-subscriptions/subscriptions.repository.ts
INSERT INTO presence_subscriptions (app_id, subscriber_uuid, target_uuid, expires_at)
VALUES (?…);

-- src/presence-subscriptions/subscriptions.repository.ts
UPDATE presence_subscriptions
SET expires_at = ?
WHERE app_id = ? AND subscriber_uuid = ? AND target_uuid IN (?…);
--   SEARCH presence_subscriptions USING PRIMARY KEY (app_id=? AND subscriber_uuid=? AND target_uuid=?)
