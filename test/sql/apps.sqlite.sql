-- Plans of SQLite 3.54.1. Written by UPDATE_SQL=1 npm test -- --selectProjects sql: a change is reviewed as code is.

-- src/apps/apps.repository.ts
SELECT *
FROM apps
ORDER BY org, name;
--   SCAN apps USING INDEX apps_by_name

-- src/apps/apps.repository.ts
SELECT *
FROM apps
WHERE alias = ?;
--   SEARCH apps USING INDEX apps_by_alias (alias=?)

-- src/apps/apps.repository.ts
SELECT *
FROM apps
WHERE certificate_hash = ?
UNION ALL SELECT *
FROM apps
WHERE previous_certificate_hash = ? LIMIT 4;
--   COMPOUND QUERY
--   LEFT-MOST SUBQUERY
--   SEARCH apps USING INDEX apps_by_certificate_hash (certificate_hash=?)
--   UNION ALL
--   SEARCH apps USING INDEX apps_by_previous_certificate_hash (previous_certificate_hash=?)

-- src/apps/apps.repository.ts
SELECT *
FROM apps
WHERE id = ?;
--   SEARCH apps USING INDEX sqlite_autoindex_apps_1 (id=?)

-- src/apps/apps.repository.ts
SELECT *
FROM apps
WHERE id > ?
ORDER BY id LIMIT ?;
--   SEARCH apps USING INDEX sqlite_autoindex_apps_1 (id>?)

-- src/apps/apps.repository.ts
SELECT *
FROM apps
WHERE org = ? AND name = ?;
--   SEARCH apps USING INDEX apps_by_name (org=? AND name=?)

-- src/apps/apps.repository.ts
SELECT *
FROM apps
WHERE public_id = ?;
--   SEARCH apps USING INDEX apps_by_public_id (public_id=?)

-- src/apps/apps.repository.ts
SELECT id
FROM apps LIMIT 1;
--   SCAN apps USING COVERING INDEX sqlite_autoindex_apps_1

-- src/apps/apps.repository.ts
SELECT id
FROM apps
ORDER BY id;
--   SCAN apps USING COVERING INDEX sqlite_autoindex_apps_1

-- src/apps/apps.repository.ts
INSERT INTO apps (id, org, name, public_id, certificate, previous_certificate, token_secret, client_secret, certificate_hash, previous_certificate_hash, alias, client_id, disabled, settings, created_at)
VALUES (?…);

-- src/apps/apps.repository.ts
UPDATE apps
SET certificate = ?, previous_certificate = ?, certificate_hash = ?, previous_certificate_hash = ?, alias = ?, token_secret = ?, client_id = ?, client_secret = ?, disabled = ?, settings = ?
WHERE id = ?;
--   SEARCH apps USING INDEX sqlite_autoindex_apps_1 (id=?)

-- src/apps/apps.repository.ts
UPDATE apps
SET certificate = ?, previous_certificate = ?, token_secret = ?, client_secret = ?
WHERE id = ?;
--   SEARCH apps USING INDEX sqlite_autoindex_apps_1 (id=?)

-- src/apps/apps.repository.ts
UPDATE apps
SET certificate_hash = ?, previous_certificate_hash = ?
WHERE id = ? AND certificate = ?;
--   SEARCH apps USING INDEX sqlite_autoindex_apps_1 (id=?)
