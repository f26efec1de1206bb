import { Injectable } from '@nestjs/common';
import { Database, UniqueViolation } from '../database/database.js';
import { pruneExpired } from '../database/prune-expired.js';

/** Used nonces. Every statement is about one app. */
@Injectable()
export class UsedNoncesRepository {
  constructor(private readonly database: Database) {}

  /** Marks a nonce as used; false for everyone but the first. Also deletes some expired ones. */
  async useOnce(appId: string, nonce: string, expiresAtMs: number, nowMs: number): Promise<boolean> {
    try {
      await this.database.write(async (transaction) => {
        const row = { app_id: appId, nonce, expires_at: expiresAtMs };
        await transaction.insert('used_nonces', ['app_id', 'nonce', 'expires_at'], [row]);
        await pruneExpired(transaction, this.database.dialect, 'used_nonces', 'nonce', appId, nowMs);
      }, appId);
      return true;
    } catch (error) {
      if (error instanceof UniqueViolation) return false;
      throw error;
    }
  }
}
