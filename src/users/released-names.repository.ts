import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Database, type Transaction } from '../database/database.js';
import { pruneExpired } from '../database/prune-expired.js';

/** A day, the longest lifetime of anything issued for a name, plus an hour for clock skew. */
const keptMs = 25 * 3600 * 1000;
const columns = ['app_id', 'id', 'name_hash', 'released_at', 'expires_at'] as const;

/** When names became free. Every statement touches one app. */
@Injectable()
export class ReleasedNamesRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Records these names as free in the transaction that frees them, and prunes more old records than it adds. */
  async add(transaction: Transaction, appId: string, usernames: readonly string[]): Promise<void> {
    const now = this.clock.now();
    const rows = usernames.map((username) => ({
      app_id: appId,
      id: randomBytes(16).toString('base64url'),
      name_hash: hashName(username),
      released_at: now,
      expires_at: now + keptMs,
    }));
    await transaction.insert('released_names', columns, rows);
    await pruneExpired(transaction, this.database.dialect, 'released_names', 'id', appId, now, rows.length);
  }

  /** When the name was last freed, in Unix milliseconds; null: not within the last day. */
  async lastRelease(appId: string, username: string): Promise<number | null> {
    const from = `released_names${this.database.dialect.forceIndex('released_names_by_name')}`;
    const [row] = await this.database.read<{ at: number | null }>(
      `SELECT MAX(released_at) AS at FROM ${from} WHERE app_id = ? AND name_hash = ? AND expires_at > ?`,
      [appId, hashName(username), this.clock.now()],
    );
    return row?.at ?? null;
  }
}

function hashName(username: string): string {
  return createHash('sha256').update(`released name\n${username}`).digest('base64url');
}
