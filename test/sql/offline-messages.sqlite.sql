-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

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
--   CO-ROUTINE ranked
--   CO-ROUTINE (subquery-8)
--   CO-ROUTINE kept
--   MERGE (UNION)
--   LEFT
--   CO-ROUTINE oldest
--   SEARCH inbox_messages USING PRIMARY KEY (app_id=? AND user_uuid=?)
--   SCAN oldest
--   USE TEMP B-TREE FOR ORDER BY
--   RIGHT
--   CO-ROUTINE newest
--   SEARCH inbox_messages USING PRIMARY KEY (app_id=? AND user_uuid=?)
--   SCAN newest
--   USE TEMP B-TREE FOR ORDER BY
--   SCAN kept
--   USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-8)
--   SCAN ranked
--   USE TEMP B-TREE FOR ORDER BY

-- src/offline-messages/inbox-limits.repository.ts
SELECT *
FROM (SELECT user_uuid, id, message_id, state
FROM (SELECT user_uuid, id, message_id, state, seq, ROW_NUMBER() OVER (PARTITION BY sender
ORDER BY seq DESC) AS place
FROM (SELECT user_uuid, id, message_id, state, seq, sender
FROM inbox_messages
WHERE app_id = ? AND user_uuid = ? AND state < 2) AS kept) AS ranked
ORDER BY place DESC, seq LIMIT ?) AS inbox0;
--   CO-ROUTINE ranked
--   CO-ROUTINE (subquery-5)
--   SEARCH inbox_messages USING PRIMARY KEY (app_id=? AND user_uuid=?)
--   USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-5)
--   SCAN ranked
--   USE TEMP B-TREE FOR ORDER BY

-- src/offline-messages/inbox-limits.repository.ts
SELECT *
FROM (SELECT user_uuid, id, message_id, state
FROM inbox_messages
WHERE app_id = ? AND user_uuid = ? AND state >= 2
ORDER BY seq LIMIT ?) AS inbox0;
--   SEARCH inbox_messages USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/offline-messages/inbox-messages.repository.ts
SELECT i.id, i.seq, i.offline, i.created_at, m.sender, m.chat_type, m.type, m.body, m.ext
FROM inbox_messages i
JOIN messages m ON m.app_id = i.app_id AND m.id = i.message_id
WHERE i.app_id = ? AND i.user_uuid = ? AND i.seq > ? AND (i.state = ? OR i.seq > ?)
ORDER BY i.seq LIMIT ?;
--   SEARCH i USING PRIMARY KEY (app_id=? AND user_uuid=? AND seq>?)
--   SEARCH m USING PRIMARY KEY (app_id=? AND id=?)

-- src/offline-messages/inbox-messages.repository.ts
SELECT user_uuid, id, seq, state
FROM inbox_messages INDEXED BY inbox_messages_by_id
WHERE app_id = ? AND id IN (?…);
--   SEARCH inbox_messages USING INDEX inbox_messages_by_id (app_id=? AND id=?)

-- src/offline-messages/inboxes.repository.ts
SELECT app_id, user_uuid, last_seq, read_seq, undelivered, kept, history
FROM inboxes
WHERE app_id = ? AND user_uuid > ? AND last_seq > read_seq
ORDER BY user_uuid LIMIT ?;
--   SEARCH inboxes USING PRIMARY KEY (app_id=? AND user_uuid>?)

-- src/offline-messages/inboxes.repository.ts
SELECT app_id, user_uuid, last_seq, read_seq, undelivered, kept, history
FROM inboxes
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH inboxes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/offline-messages/inboxes.repository.ts
INSERT INTO inboxes (app_id, user_uuid, last_seq, read_seq, undelivered, kept, history)
VALUES (?…);

-- src/offline-messages/inboxes.repository.ts
UPDATE inboxes
SET last_seq = ?, read_seq = ?, undelivered = ?, kept = ?, history = ?
WHERE app_id = ? AND user_uuid = ?;
--   SEARCH inboxes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/offline-messages/message-deliveries.repository.ts
SELECT user_uuid, id, offline, state
FROM inbox_messages INDEXED BY inbox_messages_by_id
WHERE app_id = ? AND id IN (?…);
--   SEARCH inbox_messages USING INDEX inbox_messages_by_id (app_id=? AND id=?)

-- src/offline-messages/message-deliveries.repository.ts
INSERT INTO inbox_messages (app_id, user_uuid, seq, id, message_id, state, offline, own, created_at, sender)
VALUES (?…);

-- src/offline-messages/message-deliveries.repository.ts
INSERT INTO messages (app_id, id, sender, chat_type, type, body, ext, created_at)
VALUES (?…);

-- src/offline-messages/message-deliveries.repository.ts
UPDATE inbox_messages INDEXED BY inbox_messages_by_id
SET state = CASE offline WHEN 0 THEN 2 ELSE 1 END
WHERE app_id = ? AND id IN (?…);
--   SEARCH inbox_messages USING INDEX inbox_messages_by_id (app_id=? AND id=?)

-- src/offline-messages/message-expiry.repository.ts
SELECT id
FROM messages
WHERE app_id = ? AND id >= ? AND id < ?
ORDER BY id LIMIT ?;
--   SEARCH messages USING PRIMARY KEY (app_id=? AND id>? AND id<?)

-- src/offline-messages/message-expiry.repository.ts
SELECT user_uuid, id, message_id, state
FROM inbox_messages INDEXED BY inbox_messages_by_id
WHERE app_id = ? AND id < ?
ORDER BY id LIMIT ?;
--   SEARCH inbox_messages USING INDEX inbox_messages_by_id (app_id=? AND id<?)

-- src/offline-messages/message-expiry.repository.ts
SELECT user_uuid, id, message_id, state
FROM inbox_messages INDEXED BY inbox_messages_by_id
WHERE app_id = ? AND id IN (?…);
--   SEARCH inbox_messages USING INDEX inbox_messages_by_id (app_id=? AND id=?)

-- src/offline-messages/message-removals.repository.ts
SELECT DISTINCT message_id
FROM inbox_messages
WHERE app_id = ? AND message_id IN (?…);
--   SEARCH inbox_messages USING COVERING INDEX inbox_messages_by_message (app_id=? AND message_id=?)

-- src/offline-messages/message-removals.repository.ts
SELECT user_uuid, id, message_id, state
FROM inbox_messages
WHERE app_id = ? AND user_uuid IN (?…) LIMIT ?;
--   SEARCH inbox_messages USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/offline-messages/message-removals.repository.ts
DELETE FROM inbox_messages INDEXED BY inbox_messages_by_id
WHERE app_id = ? AND id IN (?…);
--   SEARCH inbox_messages USING INDEX inbox_messages_by_id (app_id=? AND id=?)

-- src/offline-messages/message-removals.repository.ts
DELETE FROM inboxes
WHERE app_id = ? AND user_uuid IN (?…);
--   SEARCH inboxes USING PRIMARY KEY (app_id=? AND user_uuid=?)

-- src/offline-messages/message-removals.repository.ts
DELETE FROM messages
WHERE app_id = ? AND id IN (?…);
--   SEARCH messages USING PRIMARY KEY (app_id=? AND id=?)

-- src/offline-messages/unread-messages.repository.ts
SELECT i.user_uuid, COUNT(i.seq) AS unread
FROM inboxes b
JOIN inbox_messages i ON i.app_id = b.app_id AND i.user_uuid = b.user_uuid AND i.seq > b.read_seq
WHERE b.app_id = ? AND i.app_id = ? AND i.user_uuid IN (?…) AND i.own = 0 AND i.created_at >= ? AND i.created_at < ?
GROUP BY i.user_uuid;
--   SEARCH i USING PRIMARY KEY (app_id=? AND user_uuid=?)
--   SEARCH b USING PRIMARY KEY (app_id=? AND user_uuid=?)
