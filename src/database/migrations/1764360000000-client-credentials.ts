import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';
import { columnsFor } from './columns.js';

/** A second pair of credentials for an app. Older versions leave the columns out, and empty. */
export class ClientCredentials1764360000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text } = columnsFor(runner);
    for (const column of [
      text('client_id', 64, { isNullable: true }),
      text('client_secret', 255, { isNullable: true }),
    ])
      if (!(await runner.hasColumn('apps', column.name))) await runner.addColumn('apps', new TableColumn(column));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumns('apps', ['client_id', 'client_secret']);
  }
}
