import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { columnsFor } from './columns.js';

/** The answers of calls with an Idempotency-Key. */
export class IdempotentAnswers1763900300000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text, longText, whole } = columnsFor(runner);
    await runner.createTable(
      new Table({
        name: 'idempotent_answers',
        engine: 'InnoDB',
        withoutRowid: true,
        columns: [
          text('app_id', 36, { isPrimary: true }),
          text('key_hash', 43, { isPrimary: true }),
          text('request_hash', 43),
          longText('answer'),
          whole('expires_at'),
        ],
        indices: [{ name: 'idempotent_answers_by_expiry', columnNames: ['app_id', 'expires_at'] }],
      }),
      true,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('idempotent_answers', true);
  }
}
