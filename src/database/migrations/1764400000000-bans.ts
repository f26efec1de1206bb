import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** An entry of the history as it was kept until now, with its user; `user_id` is null if the user is deleted. */
interface Line {
  readonly app_id: string;
  readonly user_uuid: string;
  readonly id: number | string;
  readonly activated: number;
  readonly at: number | string;
  readonly actor: string;
  readonly reason: string | null;
  readonly user_id: number | string | null;
}

const linesAtOnce = 500;
const copied = [
  ...['app_id', 'user_uuid', 'id', 'user_id', 'state', 'starts_at', 'reason', 'banned_by', 'source', 'created_at'],
  ...['outcome', 'lifted_at', 'lifted_by', 'lift_reason'],
] as const;
type CopiedBan = Record<(typeof copied)[number], string | number | null>;

/**
 * Bans with a beginning, an end, and who lifted them. In SQL by hand where it concerns users: TypeORM copies a table of
 * SQLite to add a column, and this one is large. Older versions leave the columns out, and empty.
 */
export class Bans1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const column of ['ban_starts_at', 'ban_ends_at'])
      if (!(await runner.hasColumn('users', column)))
        await runner.query(`ALTER TABLE users ADD COLUMN ${column} bigint`);
    const { text, whole, small } = columnsFor(runner);
    const table = { engine: 'InnoDB', withoutRowid: true };
    await runner.createTable(
      new Table({
        ...table,
        name: 'bans',
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('user_uuid', 36, { isPrimary: true }),
          whole('id', { isPrimary: true }),
          whole('user_id'),
          small('state', { isNullable: true }),
          whole('due_at', { isNullable: true }),
          whole('starts_at'),
          whole('ends_at', { isNullable: true }),
          text('reason', 1000, { isNullable: true }),
          text('note', 1000, { isNullable: true }),
          text('banned_by', 255),
          text('source', 32),
          whole('created_at'),
          text('outcome', 16, { isNullable: true }),
          whole('lifted_at', { isNullable: true }),
          text('lifted_by', 255, { isNullable: true }),
          text('lift_reason', 1000, { isNullable: true }),
        ],
        indices: [
          { name: 'bans_by_state', columnNames: ['app_id', 'state', 'user_id'] },
          { name: 'bans_by_due_time', columnNames: ['app_id', 'due_at'] },
        ],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        ...table,
        name: 'next_ban_edges',
        columns: [text('app_id', 36, { isPrimary: true }), whole('due_at'), whole('additions')],
      }),
      true,
    );
    if (await runner.hasTable('user_activations')) await copyHistory(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('next_ban_edges', true);
    await runner.dropTable('bans', true);
    for (const column of ['ban_starts_at', 'ban_ends_at'])
      await runner.query(`ALTER TABLE users DROP COLUMN ${column}`);
  }
}

/** Walks the earlier history in the order of its key; a user's lines may continue in the next step. */
async function copyHistory(runner: QueryRunner): Promise<void> {
  for (const { id: appId } of (await runner.query('SELECT id FROM apps ORDER BY id')) as { id: string }[]) {
    let after: readonly [string, number | string] = ['', 0];
    let open: CopiedBan | null = null;
    for (let more = true; more;) {
      const lines = (await runner.query(
        'SELECT l.app_id, l.user_uuid, l.id, l.activated, l.at, l.actor, l.reason, u.id AS user_id' +
          ' FROM user_activations l LEFT JOIN users u ON u.app_id = l.app_id AND u.uuid = l.user_uuid' +
          ' WHERE l.app_id = ? AND l.user_uuid >= ? AND (l.user_uuid > ? OR l.id > ?)' +
          ' ORDER BY l.user_uuid, l.id LIMIT ?',
        [appId, after[0], after[0], after[1], linesAtOnce],
      )) as Line[];
      const bans: CopiedBan[] = [];
      for (const line of lines) {
        if (open !== null && open.user_uuid !== line.user_uuid) {
          bans.push(open);
          open = null;
        }
        if (line.user_id === null) continue;
        if (line.activated === 0) open ??= openedBy(line);
        else if (open !== null) {
          bans.push(liftedBy(open, line));
          open = null;
        }
      }
      more = lines.length === linesAtOnce;
      if (!more && open !== null) bans.push(open);
      await insert(runner, appId, bans);
      const last = lines.at(-1);
      if (last !== undefined) after = [last.user_uuid, last.id];
    }
  }
}

function openedBy({ app_id, user_uuid, id, at, actor, reason, user_id }: Line): CopiedBan {
  return {
    ...{ app_id, user_uuid, id, user_id, state: 1, starts_at: at, reason, banned_by: actor },
    ...{
      source: 'earlier_version',
      created_at: at,
      outcome: null,
      lifted_at: null,
      lifted_by: null,
      lift_reason: null,
    },
  };
}

function liftedBy(ban: CopiedBan, { at, actor, reason }: Line): CopiedBan {
  return { ...ban, state: null, outcome: 'lifted', lifted_at: at, lifted_by: actor, lift_reason: reason };
}

/** Leaves out what an attempt that was cut off has inserted. */
async function insert(runner: QueryRunner, appId: string, bans: readonly CopiedBan[]): Promise<void> {
  if (bans.length === 0) return;
  const marks = (count: number): string => Array(count).fill('?').join(', ');
  const uuids = [...new Set(bans.map((ban) => ban.user_uuid))];
  const known = (await runner.query(
    `SELECT user_uuid, id FROM bans WHERE app_id = ? AND user_uuid IN (${marks(uuids.length)})`,
    [appId, ...uuids],
  )) as { user_uuid: string; id: number | string }[];
  const there = new Set(known.map(({ user_uuid, id }) => `${user_uuid} ${id}`));
  const rows = bans.filter(({ user_uuid, id }) => !there.has(`${user_uuid} ${id}`));
  if (rows.length === 0) return;
  await runner.query(
    `INSERT INTO bans (${copied.join(', ')}) VALUES ${rows.map(() => `(${marks(copied.length)})`).join(', ')}`,
    rows.flatMap((row) => copied.map((column) => row[column])),
  );
}
