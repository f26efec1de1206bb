import type { DatabaseEngine } from '../config/env.js';

export type SqlValue = string | number | null;

/** The few places where the two engines differ in spelling. */
export interface SqlDialect {
  /** `column IN …`, as SQL and its values. */
  readonly among: (column: string, values: readonly SqlValue[]) => { sql: string; values: readonly SqlValue[] };
  /** `(one, other) IN …` of pairs: as SQL and its values. */
  readonly amongPairs: (
    columns: readonly [string, string],
    pairs: readonly (readonly [SqlValue, SqlValue])[],
  ) => { sql: string; values: readonly SqlValue[] };
  /** Ends an INSERT: if the primary key (`key`) exists, adds the inserted `column` to the stored one. */
  readonly addToExisting: (key: string, column: string) => string;
  /**
   * Ends an INSERT: if the primary key (`key`) exists, keeps the lower `column` of both and adds one to `counter`, so
   * that the row changes in any case.
   */
  readonly keepLowest: (key: string, column: string, counter: string) => string;
  /** Ends a SELECT in a transaction: its rows cannot change until the transaction ends. */
  readonly forUpdate: string;
  /** Starts a SELECT whose tables, joined by CROSS JOIN, are read in the order in which they are named. */
  readonly selectInOrder: string;
  /** After a table's name: use this index, whatever the optimizer prefers. */
  readonly forceIndex: (index: string) => string;
  /**
   * The same for an UPDATE or DELETE. MySQL has no such hint for both, but it has statistics. SQLite has none, and
   * prefers the first column of a primary key, which is a whole app, to two columns of an index.
   */
  readonly forceIndexToChange: (index: string) => string;
}

export const sqlDialects: Record<DatabaseEngine, SqlDialect> = {
  sqlite: {
    // One prepared statement for every length of the list.
    among: (column, values) => ({
      sql: `${column} IN (SELECT value FROM json_each(?))`,
      values: [JSON.stringify(values)],
    }),
    amongPairs: ([one, other], pairs) => ({
      sql:
        `(${one}, ${other}) IN` +
        " (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))",
      values: [JSON.stringify(pairs)],
    }),
    addToExisting: (key, column) => ` ON CONFLICT (${key}) DO UPDATE SET ${column} = ${column} + excluded.${column}`,
    keepLowest: (key, column, counter) =>
      ` ON CONFLICT (${key}) DO UPDATE SET ${column} = MIN(${column}, excluded.${column}), ${counter} = ${counter} + 1`,
    // The write queue runs one transaction at a time.
    forUpdate: '',
    selectInOrder: 'SELECT',
    forceIndex: (index) => ` INDEXED BY ${index}`,
    forceIndexToChange: (index) => ` INDEXED BY ${index}`,
  },
  mysql: {
    among: (column, values) => ({ sql: `${column} IN (${placeholders(values.length)})`, values }),
    // MariaDB takes no range of an index for a list of pairs.
    amongPairs: ([one, other], pairs) => ({
      sql: `(${pairs.map(() => `(${one} = ? AND ${other} = ?)`).join(' OR ')})`,
      values: pairs.flat(),
    }),
    addToExisting: (_key, column) => ` ON DUPLICATE KEY UPDATE ${column} = ${column} + VALUES(${column})`,
    keepLowest: (_key, column, counter) =>
      ` ON DUPLICATE KEY UPDATE ${column} = LEAST(${column}, VALUES(${column})), ${counter} = ${counter} + 1`,
    forUpdate: ' FOR UPDATE',
    selectInOrder: 'SELECT STRAIGHT_JOIN',
    forceIndex: (index) => ` FORCE INDEX (${index})`,
    forceIndexToChange: () => '',
  },
};

/** `(?, ?, ?), (?, ?, ?)` for that many rows of that many columns. */
export function valueRows(rows: number, columns: number): string {
  return Array(rows)
    .fill(`(${placeholders(columns)})`)
    .join(', ');
}

/** `?, ?, ?` */
export function placeholders(count: number): string {
  return Array(count).fill('?').join(', ');
}
