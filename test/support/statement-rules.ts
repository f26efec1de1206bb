import type { Statement } from './statement-log.js';

/** Words that no statement may contain: SQL that a supported engine lacks, or that hides errors. */
const forbidden: readonly [RegExp, string][] = [
  [/\bINSERT\s+(OR\s+)?IGNORE\b/i, 'bends values that do not fit'],
  [/\b(INSERT\s+OR\s+)?REPLACE\s+INTO\b/i, 'deletes the row of a key that exists'],
  [/\bSKIP\s+LOCKED\b|\bNOWAIT\b/i, 'not on TiDB'],
  [/\bLOCK\s+IN\s+SHARE\s+MODE\b|\bFOR\s+SHARE\b/i, 'not on TiDB'],
  [/\b(GET_LOCK|RELEASE_LOCK)\b|\bLOCK\s+TABLES?\b/i, 'not on Galera'],
  [/\bSERIALIZABLE\b/i, 'not on TiDB, and of one node only on Galera'],
  [/\bTEMPORARY\b/i, 'belongs to a connection'],
  [/@[a-z]/i, 'a user variable belongs to a connection'],
  [/\b(AUTO_INCREMENT|AUTOINCREMENT|LAST_INSERT_ID)\b/i, 'ids are made by us'],
  [/\b(FOREIGN\s+KEY|REFERENCES|CASCADE|TRIGGER)\b/i, 'not on sharded Vitess'],
  [/\b(NOW|UNIX_TIMESTAMP|UUID|RAND|CURRENT_TIMESTAMP)\s*\(|\bCURRENT_TIMESTAMP\b/i, 'times and ids are ours'],
  [/\bCOUNT\s*\(\s*\*\s*\)/i, 'reads every row of an app'],
  [/\bLIKE\b/i, 'a name with % in it finds others'],
  [/;\s*\S/, 'two statements in one'],
];

/** Pages of a numbered list: their offset is at most 2,000 index entries. */
const offsetAllowed = /^SELECT username, id FROM users\b/;

/** Statements of the schema itself and the ids of all apps: they are not about apps, and may use these. */
const schemaWords =
  /\b(migrations|migration_lock|id_nodes|retention_clock|information_schema|sqlite_master)\b|^(CREATE|ALTER|PRAGMA)\b/i;

/** Control of transactions and connections. */
const control =
  /^(BEGIN IMMEDIATE|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT one_write|RELEASE one_write|ROLLBACK TO one_write|SET SESSION .*|SELECT 1)$/i;
const unitBegins = /^(START TRANSACTION|SAVEPOINT one_write)$/;
const unitEnds = /^(COMMIT|ROLLBACK|RELEASE one_write)$/;

/** Statements about the apps themselves: looking for an app means not knowing it yet. */
const ofApps: readonly RegExp[] = [
  // By what a request names: org and app, App ID, alias, or a certificate if a Qiscus call names nothing else.
  /^SELECT \* FROM apps WHERE org = \? AND name = \?$/,
  /^SELECT \* FROM apps WHERE (public_id|alias) = \?$/,
  /^SELECT \* FROM apps WHERE certificate_hash = \? UNION ALL SELECT \* FROM apps WHERE previous_certificate_hash = \? LIMIT 4$/,
  // The command line lists them, message expiry goes from one to the next, and the first start creates one.
  /^SELECT \* FROM apps ORDER BY org, name$/,
  /^SELECT id FROM apps (LIMIT 1|ORDER BY id)$/,
  /^SELECT \* FROM apps WHERE id > \? ORDER BY id LIMIT \?$/,
  /^SELECT \* FROM apps WHERE id = \?( FOR UPDATE)?$/,
  // When bans next begin or end, of all apps in one question.
  /^SELECT app_id FROM next_ban_edges WHERE due_at <= \? LIMIT \?$/,
  /^INSERT INTO apps \(id, /,
  /^UPDATE apps SET .* WHERE id = \?( AND certificate = \?)?$/,
];

export interface Verdict {
  readonly problems: readonly string[];
  /** Statements about rows of apps. */
  readonly checked: number;
  /** How many different ones there are, apart from the length of lists. */
  readonly texts: ReadonlySet<string>;
  /** `VERB table` of each. */
  readonly uses: ReadonlySet<string>;
}

/**
 * Whether each statement about rows of an app names that app and no other, and each transaction a single app.
 * @param apps the ids of all apps
 * @param tables those whose rows belong to apps
 */
export function judge(
  statements: readonly Statement[],
  apps: ReadonlySet<unknown>,
  tables: ReadonlySet<string>,
): Verdict {
  const problems = new Set<string>();
  const texts = new Set<string>();
  const uses = new Set<string>();
  const units = new Map<object, Set<unknown>>();
  let checked = 0;
  for (const { sql: written, values, connection } of statements) {
    const sql = written.replace(/\s+/g, ' ').replaceAll(/[`"]/g, '').trim();
    for (const [word, reason] of forbidden)
      if (word.test(sql) && !schemaWords.test(sql)) problems.add(`${reason}: ${sql}`);
    if (/\bOFFSET\b/i.test(sql) && !offsetAllowed.test(sql)) problems.add(`OFFSET: ${sql}`);
    if (unitBegins.test(sql)) units.set(connection, new Set());
    if (unitEnds.test(sql)) units.delete(connection);
    if (control.test(sql) || schemaWords.test(sql) || ofApps.some((text) => text.test(sql))) continue;
    const named = tablesIn(sql);
    if (named.length === 0 || named.some((name) => !tables.has(name))) problems.add(`about no table of apps: ${sql}`);
    checked += 1;
    texts.add(sql.replace(/\?(, \?)+/g, '?…').replace(/(\(\?…\))(, \(\?…\))+/g, '$1…'));
    for (const name of named) uses.add(`${sql.split(' ', 1)[0]} ${name}`);
    if (!namesItsApp(sql)) problems.add(`names no app: ${sql}`);
    const unit = units.get(connection) ?? new Set();
    const bound = appsIn(sql, values);
    for (const app of bound) unit.add(app);
    if (bound.size !== 1 || ![...bound].every((app) => apps.has(app)))
      problems.add(`not bound to one app but to ${JSON.stringify([...bound])}: ${sql}`);
    if (unit.size > 1) problems.add(`a transaction of several apps: ${sql}`);
  }
  return { problems: [...problems], checked, texts, uses };
}

/** The tables that a statement names, in order. */
function tablesIn(sql: string): string[] {
  return [...sql.matchAll(/\b(?:FROM|JOIN|INTO|(?<!KEY )UPDATE) ([a-z_]+)\b(?!\()/g)].map(([, name]) => name as string);
}

/** Each SELECT, INSERT, UPDATE and DELETE in the text on its own. */
function namesItsApp(sql: string): boolean {
  if (sql.startsWith('INSERT')) return /^INSERT INTO [a-z_]+ \(app_id, /.test(sql);
  // A list of values is not a SELECT from a table.
  const parts = sql.replaceAll('(SELECT value FROM json_each(?))', '(?)').split(/\b(?=SELECT )/);
  return parts.every((part) => {
    const aliases = [...part.matchAll(/\b(?:FROM|JOIN) ([a-z_]+) ([a-z])\b/g)].map(([, , alias]) => alias as string);
    if (tablesIn(part).length === 0) return true;
    const conditions = part.slice(part.search(/\b(WHERE|ON)\b/));
    if (tablesIn(part).length > 1 && aliases.length !== tablesIn(part).length) return false;
    return aliases.length > 1
      ? / WHERE .*\b[a-z]\.app_id = \?/.test(part) && aliases.every((alias) => conditions.includes(`${alias}.app_id`))
      : / WHERE .*\bapp_id = \?/.test(part);
  });
}

/** The values bound to `app_id`. */
function appsIn(sql: string, values: readonly unknown[]): Set<unknown> {
  const insert = /^INSERT INTO [a-z_]+ \(([^)]*)\) VALUES (\([?, ]*\)(?:, \([?, ]*\))*)/.exec(sql);
  if (insert !== null) {
    const width = (insert[1] as string).split(',').length;
    const count = (insert[2] as string).split('?').length - 1;
    return new Set(values.filter((_value, index) => index < count && index % width === 0));
  }
  const places = [...sql.matchAll(/\bapp_id = \?/g)].map(({ index }) => sql.slice(0, index).split('?').length - 1);
  return new Set(places.map((place) => values[place]));
}
