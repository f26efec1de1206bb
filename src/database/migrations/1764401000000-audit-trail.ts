import { type MigrationInterface, type QueryRunner, Table, TableColumn } from 'typeorm';
import { columnsFor } from './columns.js';

/** The trail of changes, and which operation an idempotent answer belongs to. Older versions write neither. */
export class AuditTrail1764401000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, whole, longText } = columnsFor(runner);
    const isNullable = true;
    const index = (name: string, columnNames: string[]) => ({ name: `audit_entries_by_${name}`, columnNames });
    await runner.createTable(
      new Table({
        name: 'audit_entries',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          whole('operation_id', { isPrimary: true }),
          whole('seq', { isPrimary: true }),
          whole('at'),
          text('actor', 280),
          text('address', 45, { isNullable }),
          text('request_id', 64, { isNullable }),
          text('action', 40),
          text('target', 255, { isNullable }),
          text('target_uuid', 36, { isNullable }),
          text('outcome', 16),
          text('reason', 255, { isNullable }),
          longText('old_values', { isNullable }),
          longText('new_values', { isNullable }),
          whole('changed'),
        ],
        indices: [
          index('time', ['app_id', 'at']),
          index('target', ['app_id', 'target', 'at']),
          index('actor', ['app_id', 'actor', 'at']),
          index('action', ['app_id', 'action', 'at']),
        ],
      }),
      true,
    );
    if (!(await runner.hasColumn('idempotent_answers', 'operation_id')))
      await runner.addColumn('idempotent_answers', new TableColumn(whole('operation_id', { isNullable })));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('idempotent_answers', 'operation_id');
    await runner.dropTable('audit_entries', true);
  }
}
