import { Injectable } from '@nestjs/common';
import { Database, UniqueViolation } from '../database/database.js';

/** More than one, so that what has ended cannot gather. */
const forgottenPerUse = 10;

/** Which nonces were used. Every statement is about one app. */
@Injectable()
export class UsedNoncesRepository {
  constructor(private readonly database: Database) {}

  /** Marks a nonce as used: false for everyone but the first. Forgets some whose time is over. */
  async useOnce(appId: string, nonce: string, expiresAtMs: number, nowMs: number): Promise<boolean> {
    try {
      await this.database.write(async (transaction) => {
        const row = { app_id: appId, nonce, expires_at: expiresAtMs };
        await transaction.insert('used_nonces', ['app_id', 'nonce', 'expires_at'], [row]);
        const ended = await transaction.read<{ nonce: string }>(
          'SELECT nonce FROM used_nonces WHERE app_id = ? AND expires_at < ? ORDER BY expires_at LIMIT ?',
          [appId, nowMs, forgottenPerUse],
        );
        if (ended.length === 0) return;
        const among = this.database.dialect.among(
          'nonce',
          ended.map((one) => one.nonce),
        );
        await transaction.run(`DELETE FROM used_nonces WHERE app_id = ? AND ${among.sql}`, [appId, ...among.values]);
      });
      return true;
    } catch (error) {
      if (error instanceof UniqueViolation) return false;
      throw error;
    }
  }
}
