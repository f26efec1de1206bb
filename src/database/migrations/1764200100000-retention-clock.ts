import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** The last time that was observed. For the time before this table existed, the last reservation of ids stands in. */
export class RetentionClock1764200100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { whole, small } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'retention_clock',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [small('id', { isPrimary: true }), whole('seen_at'), whole('leapt_to')],
      }),
      true,
    );
    const [known] = (await runner.query('SELECT seen_at FROM retention_clock WHERE id = 1')) as unknown[];
    const [last] = (await runner.query('SELECT MAX(reserved_until) AS seen FROM id_nodes')) as {
      seen: number | null;
    }[];
    if (known === undefined && last != null && last.seen !== null)
      await runner.query('INSERT INTO retention_clock (id, seen_at, leapt_to) VALUES (1, ?, 0)', [Number(last.seen)]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('retention_clock', true);
  }
}
