import type { Connection, RowDataPacket } from 'mysql2/promise';

/** The rows of an app in each table, beside other apps with as many: enough for a scan to show in the cost. */
const rowsPerApp = 2_000;
const apps = ['app-a', 'app-b', 'app-c', 'app-d'];
/** The app whose statements are explained, with rows of other apps on either side. */
export const explainedApp = 'app-b';
/** Rows that share a value in columns that are neither first nor last in a key. */
const rowsPerValue = 16;

/** Such columns contain words like `group` and `room` if they are text. */
const maxLengthOfWord = 16;

interface ColumnOfTable {
  readonly name: string;
  readonly type: string;
  readonly length: number | null;
}

/**
 * Fills every table of MariaDB, whatever its columns, as the optimizer decides by the contents. Wherever possible the
 * nth row contains the number n or a text of it, so that joins find rows.
 */
export async function fillTables(connection: Connection, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    const columns = await columnsOf(connection, table);
    const key = await keyOf(connection, table);
    const values = await Promise.all(columns.map((column) => valueOf(connection, table, column, key)));
    await connection.query(`DELETE FROM ${table}`);
    // The apps table itself has no app_id, and where it is the whole key each row is of another app.
    const several = columns.some(({ name }) => name === 'app_id') && key.length > 1;
    for (const app of several ? apps : [explainedApp])
      await connection.query(
        `INSERT INTO ${table} (${columns.map(({ name }) => `\`${name}\``).join(', ')})` +
          ` SELECT ${values.join(', ').replaceAll('$app', `'${app}'`)} FROM seq_1_to_${key.join() === 'app_id' ? 1 : rowsPerApp}`,
      );
    await connection.query(`ANALYZE TABLE ${table} PERSISTENT FOR ALL`);
  }
}

/** Some rows of the explained app, in key order; scanning those before or after them would cost. */
export async function sampleOf(connection: Connection, table: string): Promise<Record<string, unknown>[]> {
  const key = await keyOf(connection, table);
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT * FROM ${table}${key[0] === 'app_id' && key.length > 1 ? ` WHERE app_id = '${explainedApp}'` : ''}` +
      ` ORDER BY ${key.join(', ')} LIMIT ${rowsPerApp / 4} OFFSET ${rowsPerApp / 10}`,
  );
  return rows.filter((_row, index) => index % rowsPerValue === 0);
}

async function valueOf(
  connection: Connection,
  table: string,
  { name, type, length }: ColumnOfTable,
  key: readonly string[],
): Promise<string> {
  const position = key.indexOf(name);
  const isLast = position === key.length - 1;
  if (name === 'app_id') return key.length > 1 ? '$app' : "IF(seq = 1, $app, LPAD(seq, 6, '0'))";
  if (type === 'smallint' && !isLast) return 'seq % 2';
  if (length !== null && length <= maxLengthOfWord && !isLast) return oneOf(await wordsOf(connection, table, name));
  const row = position > 0 && !isLast ? `FLOOR(seq / ${rowsPerValue})` : 'seq';
  return length === null ? row : `LPAD(${row}, 6, '0')`;
}

/** The words that the recorded calls have left. */
async function wordsOf(connection: Connection, table: string, column: string): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(`SELECT DISTINCT \`${column}\` AS value FROM ${table}`);
  const values = rows.map(({ value }) => String(value)).sort();
  return values.length === 0 ? ['some'] : values.slice(0, 4);
}

function oneOf(values: readonly string[]): string {
  return `ELT(seq % ${values.length} + 1, ${values.map((value) => `'${value}'`).join(', ')})`;
}

async function columnsOf(connection: Connection, table: string): Promise<ColumnOfTable[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT column_name AS name, data_type AS type, character_maximum_length AS length' +
      ' FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position',
    [table],
  );
  return rows as ColumnOfTable[];
}

/** The columns of the primary key, in order. */
async function keyOf(connection: Connection, table: string): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT column_name AS name FROM information_schema.statistics' +
      " WHERE table_schema = DATABASE() AND table_name = ? AND index_name = 'PRIMARY' ORDER BY seq_in_index",
    [table],
  );
  return rows.map(({ name }) => name as string);
}
