import type { Database, SqlValue } from './database.js';

/** An index whose first column is the app, whose second is `key`, and whose third makes its entries unique. */
export interface OrderedIndex {
  readonly table: string;
  /** null: the primary key, which is the order of the table itself. */
  readonly name: string | null;
  readonly key: string;
  /** null: the key is unique. */
  readonly tie: string | null;
}

/** Keys from `from` up to, but without, `below`. */
export interface KeyRange<Key extends SqlValue = SqlValue> {
  readonly from: Key;
  readonly below: Key;
}

/** Where a walk continues: after this entry, whether or not it still exists. */
export interface KeyPosition<Key extends SqlValue = SqlValue> {
  readonly key: Key;
  readonly tie: SqlValue;
}

export interface KeyWalk<Key extends SqlValue = SqlValue> {
  readonly range: KeyRange<Key>;
  readonly descending: boolean;
  readonly after: KeyPosition<Key> | null;
  readonly limit: number;
}

/**
 * Reads the rows of an app in the order of an index. A page costs its rows, wherever it is: equal keys are read by a
 * statement of their own, as neither engine would seek both columns at once.
 */
export async function readKeyRange<Row>(
  database: Database,
  index: OrderedIndex,
  columns: readonly string[],
  appId: string,
  { range, descending, after, limit }: KeyWalk,
): Promise<Row[]> {
  const { key, tie } = index;
  const select = `SELECT ${columns.join(', ')} FROM ${index.table}${hintOf(database, index)} WHERE app_id = ? AND`;
  const direction = descending ? 'DESC' : 'ASC';
  const rows =
    after === null || tie === null
      ? []
      : await database.read<Row>(
          `${select} ${key} = ? AND ${tie} ${descending ? '<' : '>'} ? ORDER BY ${tie} ${direction} LIMIT ?`,
          [appId, after.key, after.tie, limit],
          appId,
        );
  if (rows.length === limit) return rows;
  const above = after !== null && !descending ? after.key : null;
  const order = [key, ...(tie === null ? [] : [tie])].map((column) => `${column} ${direction}`).join(', ');
  const others = await database.read<Row>(
    `${select} ${key} ${above === null ? '>=' : '>'} ? AND ${key} < ? ORDER BY ${order} LIMIT ?`,
    [appId, above ?? range.from, after !== null && descending ? after.key : range.below, limit - rows.length],
    appId,
  );
  return [...rows, ...others];
}

/** How many entries a range has, up to `max`. */
export async function countKeyRange(
  database: Database,
  index: OrderedIndex,
  appId: string,
  { from, below }: KeyRange,
  max: number,
): Promise<number> {
  const { table, key } = index;
  const [row] = await database.read<{ entries: number | string }>(
    `SELECT COUNT(*) AS entries FROM (SELECT 1 FROM ${table}${hintOf(database, index)}` +
      ` WHERE app_id = ? AND ${key} >= ? AND ${key} < ? LIMIT ?) AS entry`,
    [appId, from, below, max],
    appId,
  );
  return Number(row?.entries ?? 0);
}

/** Left alone, either engine may walk over the whole app instead of the index. */
function hintOf({ dialect }: Database, { name }: OrderedIndex): string {
  return name === null ? '' : dialect.forceIndex(name);
}
