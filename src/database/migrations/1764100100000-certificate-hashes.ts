import { createHash } from 'node:crypto';
import { type MigrationInterface, type QueryRunner, TableColumn, TableIndex } from 'typeorm';
import { columnsFor } from './columns.js';

const rowsPerStep = 500;
const indexes = {
  apps_by_certificate_hash: 'certificate_hash',
  apps_by_previous_certificate_hash: 'previous_certificate_hash',
} as const;

interface Certificates {
  readonly id: string;
  readonly certificate: string;
  readonly previous_certificate: string | null;
}

/** An index for callers that present a certificate without naming an app. Older versions leave the columns empty. */
export class CertificateHashes1764100100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { text } = columnsFor(runner);
    for (const column of Object.values(indexes))
      if (!(await runner.hasColumn('apps', column)))
        await runner.addColumn('apps', new TableColumn(text(column, 43, { isNullable: true })));
    for (let after = ''; ;) {
      const rows = (await runner.query(
        'SELECT id, certificate, previous_certificate FROM apps WHERE id > ? ORDER BY id LIMIT ?',
        [after, rowsPerStep],
      )) as Certificates[];
      for (const { id, certificate, previous_certificate: previous } of rows)
        await runner.query(
          'UPDATE apps SET certificate_hash = ?, previous_certificate_hash = ? WHERE id = ? AND certificate = ?',
          [hashOf(certificate), previous === null ? null : hashOf(previous), id, certificate],
        );
      after = rows.at(-1)?.id ?? '';
      if (rows.length < rowsPerStep) break;
    }
    const present = new Set((await runner.getTable('apps'))?.indices.map(({ name }) => name));
    for (const [name, column] of Object.entries(indexes))
      if (!present.has(name)) await runner.createIndex('apps', new TableIndex({ name, columnNames: [column] }));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [name, column] of Object.entries(indexes)) {
      await runner.dropIndex('apps', name);
      await runner.dropColumn('apps', column);
    }
  }
}

function hashOf(certificate: string): string {
  return createHash('sha256').update(certificate.toLowerCase()).digest('base64url');
}
