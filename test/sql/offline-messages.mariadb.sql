-- Plans of MariaDB 10.11. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/offline-messages/inbox-limits.repository.ts
SELECT *
FROM (SELECT user_uuid, id, message_id, state
FROM (SELECT user_uuid, id, message_id, state, seq, ROW_NUMBER() OVER (PARTITION BY sender
ORDER BY seq DESC) AS place
FROM (SELECT *
FROM (SELECT user_uuid, id, message_id, state, seq, sender
FROM inbox_messages
WHERE app_id = ? AND user_uuid = ? AND state < 2
ORDER BY seq LIMIT ?) AS oldest
UNION SELECT *
FROM (SELECT user_uuid, id, message_id, state, seq, sender
FROM inbox_messages
WHERE app_id = ? AND user_uuid = ? AND state < 2
ORDER BY seq DESC LIMIT ?) AS newest) AS kept) AS ranked
ORDER BY place DESC, seq LIMIT ?) AS inbox0;
--   <derived2>: ALL
--   filesort
--   <derived3>: ALL
--   filesort
--   temporary table
--   <derived4>: ALL
--   <derived5>: ALL
--   inbox_messages: ref PRIMARY (app_id, user_uuid)
--   <derived7>: ALL
--   inbox_messages: ref PRIMARY (app_id, user_uuid)

-- src/offline-messages/inbox-limits.repository.ts
SELECT *
FROM (SELECT user_uuid, id, message_id, state
FROM (SELECT user_uuid, id, message_id, state, seq, ROW_NUMBER() OVER (PARTITION BY sender
ORDER BY seq DESC) AS place
FROM (SELECT user_uuid, id, message_id, state, seq, sender
FROM inbox_messages
WHERE app_id = ? AND user_uuid = ? AND state < 2) AS kept) AS ranked
ORDER BY place DESC, seq LIMIT ?) AS inbox0;
--   <derived2>: ALL
--   filesort
--   <derived3>: ALL
--   filesort
--   temporary table
--   inbox_messages: ref PRIMARY (app_id, user_uuid)

-- src/offline-messages/inbox-limits.repository.ts
SELECT *
FROM (SELECT user_uuid, id, message_id, state
FROM inbox_messages
WHERE app_id = ? AND user_uuid = ? AND state >= 2
ORDER BY seq LIMIT ?) AS inbox0;
--   <derived2>: ALL
--   inbox_messages: ref PRIMARY (app_id, user_uuid)

-- src/offline-messages/inbox-messages.repository.ts
SELECT i.id, i.seq, i.offline, i.created_at, m.sender, m.chat_type, m.type, m.body, m.ext
FROM inbox_messages i
JOIN messages m ON m.app_id = i.app_id AND m.id = i.message_id
WHERE i.app_id = ? AND i.user_uuid = ? AND i.seq > ? AND (i.state = ? OR i.seq > ?)
ORDER BY i.seq LIMIT ?;
--   i: range PRIMARY (app_id, user_uuid, seq)
--   m: eq_ref PRIMARY (app_id, id)

-- src/offline-messages/inbox-messages.repository.ts
SELECT user_uuid, id, seq, state
FROM inbox_messages FORCE INDEX (inbox_messages_by_id)
WHERE app_id = ? AND id IN (?…);
--   inbox_messages: range inbox_messages_by_id (app_id, id)

-- src/offline-messages/inboxes.repository.ts
SELECT app_id, user_uuid, last_seq, read_seq, undelivered, kept, history
FROM inboxes
WHERE app_id = ? AND user_uuid > ? AND last_seq > read_seq
ORDER BY user_uuid LIMIT ?;
--   inboxes: range PRIMARY (app_id, user_uuid)

-- src/offline-messages/inboxes.repository.ts
SELECT app_id, user_uuid, last_seq, read_seq, undelivered, kept, history
FROM inboxes
WHERE app_id = ? AND user_uuid IN (?…);
--   inboxes: range PRIMARY (app_id, user_uuid)

-- src/offline-messages/inboxes.repository.ts
SELECT app_id, user_uuid, last_seq, read_seq, undelivered, kept, history
FROM inboxes
WHERE app_id = ? AND user_uuid IN (?…) FOR UPDATE;
--   inboxes: range PRIMARY (app_id, user_uuid)

-- src/offline-messages/inboxes.repository.ts
INSERT INTO inboxes (app_id, user_uuid, last_seq, read_seq, undelivered, kept, history)
VALUES (?…);

-- src/offline-messages/inboxes.repository.ts
INSERT INTO inboxes (app_id, user_uuid, last_seq, read_seq, undelivered, kept, history)
VALUES (?…)
ON DUPLICATE KEY UPDATE last_seq = VALUES(last_seq), read_seq = VALUES(read_seq), undelivered = VALUES(undelivered), kept = VALUES(kept), history = VALUES(history);

-- src/offline-messages/message-deliveries.repository.ts
SELECT user_uuid, id, offline, state
FROM inbox_messages FORCE INDEX (inbox_messages_by_id)
WHERE app_id = ? AND id IN (?…);
--   inbox_messages: range inbox_messages_by_id (app_id, id)

-- src/offline-messages/message-deliveries.repository.ts
INSERT INTO inbox_messages (app_id, user_uuid, seq, id, message_id, state, offline, own, created_at, sender)
VALUES (?…);

-- src/offline-messages/message-deliveries.repository.ts
INSERT INTO messages (app_id, id, sender, chat_type, type, body, ext, created_at)
VALUES (?…);

-- src/offline-messages/message-deliveries.repository.ts
UPDATE inbox_messages
SET state = CASE offline WHEN 0 THEN 2 ELSE 1 END
WHERE app_id = ? AND id IN (?…);
--   inbox_messages: range inbox_messages_by_id (app_id, id)

-- src/offline-messages/message-expiry.repository.ts
SELECT id
FROM messages
WHERE app_id = ? AND id >= ? AND id < ?
ORDER BY id LIMIT ?;
--   messages: range PRIMARY (app_id, id)

-- src/offline-messages/message-expiry.repository.ts
SELECT user_uuid, id, message_id, state
FROM inbox_messages FORCE INDEX (inbox_messages_by_id)
WHERE app_id = ? AND id < ?
ORDER BY id LIMIT ?;
--   inbox_messages: range inbox_messages_by_id (app_id, id)

-- src/offline-messages/message-expiry.repository.ts
SELECT user_uuid, id, message_id, state
FROM inbox_messages FORCE INDEX (inbox_messages_by_id)
WHERE app_id = ? AND id IN (?…);
--   inbox_messages: range inbox_messages_by_id (app_id, id)

-- src/offline-messages/message-removals.repository.ts
SELECT DISTINCT message_id
FROM inbox_messages
WHERE app_id = ? AND message_id IN (?…);
--   inbox_messages: range inbox_messages_by_message (app_id, message_id)

-- src/offline-messages/message-removals.repository.ts
SELECT user_uuid, id, message_id, state
FROM inbox_messages
WHERE app_id = ? AND user_uuid IN (?…) LIMIT ?;
--   inbox_messages: range PRIMARY (app_id, user_uuid)

-- src/offline-messages/message-removals.repository.ts
DELETE FROM inbox_messages
WHERE app_id = ? AND id IN (?…);
--   inbox_messages: range inbox_messages_by_id (app_id, id)

-- src/offline-messages/message-removals.repository.ts
DELETE FROM inboxes
WHERE app_id = ? AND user_uuid IN (?…);
--   inboxes: range PRIMARY (app_id, user_uuid)

-- src/offline-messages/message-removals.repository.ts
DELETE FROM messages
WHERE app_id = ? AND id IN (?…);
--   messages: range PRIMARY (app_id, id)

-- src/offline-messages/unread-messages.repository.ts
SELECT i.user_uuid, COUNT(i.seq) AS unread
FROM inboxes b
JOIN inbox_messages i ON i.app_id = b.app_id AND i.user_uuid = b.user_uuid AND i.seq > b.read_seq
WHERE b.app_id = ? AND i.app_id = ? AND i.user_uuid IN (?…) AND i.own = 0 AND i.created_at >= ? AND i.created_at < ?
GROUP BY i.user_uuid;
--   i: range PRIMARY (app_id, user_uuid)
--   b: eq_ref PRIMARY (app_id, user_uuid)
