import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';
import { columnsFor } from './columns.js';

/** A sealed certificate or token secret is longer than the secret. */
export class RoomForSealedSecrets1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await setLengths(runner, 255, 255);
  }

  /** Fails, and changes nothing, while something is sealed. */
  async down(runner: QueryRunner): Promise<void> {
    await setLengths(runner, 32, 64);
  }
}

async function setLengths(runner: QueryRunner, certificate: number, tokenSecret: number): Promise<void> {
  const { text } = columnsFor(runner);
  const columns = [
    text('certificate', certificate),
    text('previous_certificate', certificate, { isNullable: true }),
    text('token_secret', tokenSecret, { default: "''" }),
  ];
  for (const column of columns) {
    if (runner.dataSource.options.type !== 'mysql') {
      await runner.changeColumn('apps', column.name, new TableColumn(column));
      continue;
    }
    // TypeORM would drop the column and add an empty one in its place.
    const ending = column.isNullable === true ? 'NULL' : 'NOT NULL';
    const byDefault = column.default === undefined ? '' : ` DEFAULT ${String(column.default)}`;
    await runner.query(
      `ALTER TABLE apps MODIFY ${column.name} varchar(${column.length})` +
        ` CHARACTER SET ${column.charset} COLLATE ${column.collation} ${ending}${byDefault}`,
    );
  }
}
