import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** Changes of many users, and undos. */
export class BulkOperations1764403000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, longText, whole, small } = columnsFor(runner);
    const isPrimary = true;
    const isNullable = true;
    await runner.createTable(
      new Table({
        name: 'bulk_operations',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary }),
          whole('id', { isPrimary }),
          text('action', 16),
          text('state', 16),
          longText('request'),
          longText('caller'),
          whole('undoes', { isNullable }),
          ...['collected_to', 'total', 'changed', 'unchanged', 'failed'].map((name) => whole(name)),
          whole('created_at'),
          whole('finished_at'),
          text('lease_owner', 36, { isNullable }),
          whole('lease_until'),
        ],
        indices: [
          { name: 'bulk_operations_by_end', columnNames: ['app_id', 'finished_at', 'id'] },
          { name: 'bulk_operations_by_undone', columnNames: ['app_id', 'undoes'], isUnique: true },
        ],
      }),
      true,
    );
    await runner.createTable(
      new Table({
        name: 'bulk_items',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary }),
          whole('operation_id', { isPrimary }),
          whole('seq', { isPrimary }),
          text('target', 255),
          text('user_uuid', 36, { isNullable }),
          small('outcome'),
          text('code', 40, { isNullable }),
        ],
        indices: [{ name: 'bulk_items_by_outcome', columnNames: ['app_id', 'operation_id', 'outcome', 'seq'] }],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('bulk_items', true);
    await runner.dropTable('bulk_operations', true);
  }
}
