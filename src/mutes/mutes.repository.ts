import { Injectable } from '@nestjs/common';
import { differences } from '../audit/audit-entry.js';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { Clock } from '../clock/clock.js';
import { Database, type SqlRow, type Transaction } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import { targetOf } from '../users/user-audit.js';
import type { User } from '../users/user.js';
import { UserChangesService } from '../users/user-changes.service.js';
import { UserEvents } from '../users/user-events.js';
import { UsersService } from '../users/users.service.js';
import { endOf, type Mute, muteKinds, noMute, withDurations } from './mute.js';
import type { UserMuteRow } from './user-mute.entity.js';

export interface MutedUser {
  readonly userUuid: string;
  readonly mute: Mute;
}

const changeable = ['chat_until', 'groupchat_until', 'chatroom_until', 'expires_at'];
const columns = ['app_id', 'user_uuid', ...changeable];
const select = `SELECT ${columns.join(', ')} FROM user_mutes`;
const rowsPerRun = 500;
/** More than the one a call adds, so that expired mutes cannot accumulate. */
const prunedPerCall = 10;

/** Reads and changes mutes. Every statement concerns one app. */
@Injectable()
export class MutesRepository {
  private readonly byUuid: Gatherer<string, Mute>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly users: UsersService,
    private readonly userChanges: UserChangesService,
    private readonly audit: AuditTrail,
    events: UserEvents,
  ) {
    this.byUuid = new Gatherer((appId, uuids) => this.readAll(appId, uuids), { rows: rowsPerRun, runs: 2 });
    events.onDeleteInTransaction((transaction, appId, deleted) =>
      this.deleteOf(
        transaction,
        appId,
        deleted.map(({ uuid }) => uuid),
      ),
    );
  }

  /** A user's mute, which may have expired. */
  find(appId: string, userUuid: string): Promise<Mute> {
    return this.byUuid.add(appId, userUuid);
  }

  /** Up to `limit` mutes, possibly expired, ordered by user uuid, after the user with the uuid `afterUuid`. */
  async listAfter(appId: string, afterUuid: string, limit: number): Promise<MutedUser[]> {
    const rows = await this.database.read<UserMuteRow>(
      `${select} WHERE app_id = ? AND user_uuid > ? ORDER BY user_uuid LIMIT ?`,
      [appId, afterUuid, limit],
      appId,
    );
    return rows.map((row) => ({ userUuid: row.user_uuid, mute: toMute(row) }));
  }

  /**
   * Changes a user's mute while the user's row is locked, so a concurrent deletion removes it too. Recorded as a change
   * of the user, so that every node reloads it.
   * @throws AppError user_not_found
   */
  change(user: User, change: (before: Mute) => Mute): Promise<void> {
    const { appId, uuid } = user;
    const { forUpdate } = this.database.dialect;
    return this.database.write(async (transaction) => {
      await this.users.lockAllForUpdate(transaction, appId, [user]);
      // Locked, because another call may prune it once it has expired.
      const [row] = await transaction.read<UserMuteRow>(`${select} WHERE app_id = ? AND user_uuid = ?${forUpdate}`, [
        appId,
        uuid,
      ]);
      const before = row === undefined ? noMute : toMute(row);
      const after = change(before);
      if (endOf(after) === 0) await this.deleteOf(transaction, appId, row === undefined ? [] : [uuid]);
      else if (row === undefined) await transaction.insert('user_mutes', columns, [toRow(appId, uuid, after)]);
      else await transaction.updateRows('user_mutes', ['app_id', 'user_uuid'], changeable, [toRow(appId, uuid, after)]);
      await this.prune(transaction, appId);
      await this.userChanges.add(transaction, appId, new Map([[uuid, null]]));
      const changed = differences(withDurations(before, {}, this.clock.now()), after, muteKinds);
      if (changed !== undefined)
        await this.audit.record(transaction, appId, [{ action: 'user.mute', ...targetOf(user), ...changed }]);
    }, appId);
  }

  private async readAll(appId: string, uuids: readonly string[]): Promise<Mute[]> {
    const among = this.database.dialect.among('user_uuid', [...new Set(uuids)]);
    const rows = await this.database.read<UserMuteRow>(
      `${select} WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
      appId,
    );
    const found = new Map(rows.map((row) => [row.user_uuid, toMute(row)]));
    return uuids.map((uuid) => found.get(uuid) ?? noMute);
  }

  /** Rechecks that they have expired: another call may have extended one meanwhile. */
  private async prune(transaction: Transaction, appId: string): Promise<void> {
    const { among, forceIndex } = this.database.dialect;
    const now = this.clock.now();
    const over = await transaction.read<Pick<UserMuteRow, 'user_uuid'>>(
      `SELECT user_uuid FROM user_mutes${forceIndex('user_mutes_by_expiry')}` +
        ' WHERE app_id = ? AND expires_at <= ? ORDER BY expires_at LIMIT ?',
      [appId, now, prunedPerCall],
    );
    if (over.length === 0) return;
    const uuids = among('user_uuid', over.map((row) => row.user_uuid).sort());
    await transaction.run(`DELETE FROM user_mutes WHERE app_id = ? AND ${uuids.sql} AND expires_at <= ?`, [
      appId,
      ...uuids.values,
      now,
    ]);
  }

  private async deleteOf(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<void> {
    if (userUuids.length === 0) return;
    const among = this.database.dialect.among('user_uuid', [...userUuids].sort());
    await transaction.run(`DELETE FROM user_mutes WHERE app_id = ? AND ${among.sql}`, [appId, ...among.values]);
  }
}

function toMute({ chat_until, groupchat_until, chatroom_until }: UserMuteRow): Mute {
  return { chat: chat_until, groupchat: groupchat_until, chatroom: chatroom_until };
}

function toRow(appId: string, userUuid: string, mute: Mute): SqlRow {
  return {
    ...{ app_id: appId, user_uuid: userUuid, chat_until: mute.chat, groupchat_until: mute.groupchat },
    ...{ chatroom_until: mute.chatroom, expires_at: endOf(mute) },
  };
}
