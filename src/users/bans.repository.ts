import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import type { BanRow } from './ban.entity.js';
import { banStates } from './ban-history.repository.js';

const columns =
  'user_uuid, id, user_id, state, starts_at, ends_at, reason, note, banned_by, source, created_at,' +
  ' outcome, lifted_at, lifted_by, lift_reason';
export type StoredBanRow = Omit<BanRow, 'app_id' | 'due_at'>;

/** Questions about bans. Every statement touches one app. */
@Injectable()
export class BansRepository {
  constructor(private readonly database: Database) {}

  /** The bans of a user, newest first, before the one with the id `beforeId` (null: from the newest). */
  list(appId: string, userUuid: string, beforeId: number | null, limit: number): Promise<StoredBanRow[]> {
    return this.database.read<StoredBanRow>(
      `SELECT ${columns} FROM bans WHERE app_id = ? AND user_uuid = ? AND id < ? ORDER BY id DESC LIMIT ?`,
      [appId, userUuid, beforeId ?? Number.MAX_SAFE_INTEGER, limit],
      appId,
    );
  }

  /** Bans stored as in force or as planned, by the user's `id`, after that one. */
  listCurrent(
    appId: string,
    state: keyof typeof banStates,
    afterUserId: number,
    limit: number,
  ): Promise<StoredBanRow[]> {
    return this.database.read<StoredBanRow>(
      `SELECT ${columns} FROM bans${this.database.dialect.forceIndex('bans_by_state')}` +
        ' WHERE app_id = ? AND state = ? AND user_id > ? ORDER BY user_id LIMIT ?',
      [appId, banStates[state], afterUserId, limit],
      appId,
    );
  }

  /** Bans that time has begun or ended without anyone storing it yet, the earliest first. */
  listDue(appId: string, nowMs: number, limit: number): Promise<StoredBanRow[]> {
    return this.database.read<StoredBanRow>(
      `SELECT ${columns} FROM bans${this.database.dialect.forceIndex('bans_by_due_time')}` +
        ' WHERE app_id = ? AND due_at <= ? ORDER BY due_at LIMIT ?',
      [appId, nowMs, limit],
      appId,
    );
  }
}
