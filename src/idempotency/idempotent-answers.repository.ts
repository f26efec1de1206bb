import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';
import { pruneExpired } from '../database/prune-expired.js';
import type { IdempotentAnswerRow } from './idempotent-answer.entity.js';

const columns = ['app_id', 'key_hash', 'request_hash', 'answer', 'expires_at', 'operation_id'] as const;

/** Used keys, and what for. Every statement is about one app. */
@Injectable()
export class IdempotentAnswersRepository {
  constructor(private readonly database: Database) {}

  /** What this key was used for; null if it was never used, or has expired. */
  async find(appId: string, keyHash: string, nowMs: number): Promise<IdempotentAnswerRow | null> {
    const [row] = await this.database.read<IdempotentAnswerRow>(
      `SELECT ${columns.join(', ')} FROM idempotent_answers WHERE app_id = ? AND key_hash = ? AND expires_at > ?`,
      [appId, keyHash, nowMs],
      appId,
    );
    return row ?? null;
  }

  /**
   * Runs `use`, and makes everything it writes and the resulting row one transaction.
   * @throws UniqueViolation if another node has used the key meanwhile, and whatever `use` throws: nothing is written
   */
  together<Result>(
    appId: string,
    use: () => Promise<Result>,
    toRow: (result: Result) => IdempotentAnswerRow,
    nowMs: number,
  ): Promise<Result> {
    return this.database.runInUnitOfWork(
      use,
      (transaction, result) => this.insert(transaction, toRow(result), nowMs),
      appId,
    );
  }

  private async insert(transaction: Transaction, row: IdempotentAnswerRow, nowMs: number): Promise<void> {
    const { app_id, key_hash } = row;
    await transaction.run('DELETE FROM idempotent_answers WHERE app_id = ? AND key_hash = ? AND expires_at <= ?', [
      app_id,
      key_hash,
      nowMs,
    ]);
    await transaction.insert('idempotent_answers', columns, [{ ...row }]);
    await pruneExpired(transaction, this.database.dialect, 'idempotent_answers', 'key_hash', app_id, nowMs);
  }
}
