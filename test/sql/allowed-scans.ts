import type { ExplainedStatement, SqlEngine } from './snapshots.js';

/** Plan steps that scan a whole table, or all rows of an app. */
const scans: Record<SqlEngine, RegExp> = {
  sqlite: /^SCAN (\w+)|^SEARCH (\w+) USING .*\(app_id=\?\)/,
  mariadb: /^(\w+): (?:ALL|index)\b|^(\w+): .*\(app_id\)$/,
};

/** Statements that may, and why. */
const allowed: readonly { readonly text: RegExp; readonly reason: string }[] = [
  { text: /^SELECT node, holder, reserved_until FROM id_nodes$/, reason: 'one row per node number, at the start' },
  { text: /^SELECT \* FROM apps ORDER BY org, name$/, reason: 'goes through all apps: at the start, once a minute' },
  { text: /^SELECT id FROM apps ORDER BY id$/, reason: 'goes through all apps: `reseal` of the command line' },
  { text: /^SELECT id FROM apps LIMIT 1$/, reason: 'stops at the first row' },
  { text: /^SELECT SUM\(users\) AS users FROM user_counts /, reason: 'an app has 16 rows' },
  { text: /^SELECT SUM\(bytes\) AS bytes FROM attribute_usage /, reason: 'an app has 16 rows' },
  { text: /^SELECT id FROM user_changes /, reason: 'one minute of changes' },
  { text: /^SELECT app_id FROM next_ban_edges /, reason: 'one row for each app with a ban that begins or ends' },
  { text: /\bnext_ban_edges\b.* WHERE app_id = \?/, reason: 'an app has one row' },
  {
    text: /^SELECT kind, subject, portions FROM removals .* LIMIT \?$/,
    reason: 'in key order, up to the limit',
  },
  {
    text: /^SELECT username, id FROM users .* LIMIT \? OFFSET \?$/,
    reason: 'in index order, one stride at most',
  },
];

/** The steps of a statement whose cost grows with an app or with the number of apps. */
export function scansOf(engine: SqlEngine, { text, plan }: ExplainedStatement): string[] {
  if (allowed.some((one) => one.text.test(text))) return [];
  return plan.flatMap((line) => {
    const [, all, ofApp] = scans[engine].exec(line) ?? [];
    const table = all ?? ofApp;
    // A derived table may be scanned as a whole.
    return table === undefined || text.includes(`) AS ${table}`) ? [] : `${line}, by ${text}`;
  });
}

/** Exceptions for statements that are no longer sent. */
export function unusedExceptions(statements: readonly ExplainedStatement[]): RegExp[] {
  return allowed.flatMap(({ text }) => (statements.some((statement) => text.test(statement.text)) ? [] : text));
}
