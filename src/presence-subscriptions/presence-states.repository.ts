import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import type { PresenceStateRow } from './presence-state.entity.js';
import { type PublishedPresence, withoutStatus, withStatus } from './published-presence.js';

export interface PresenceState {
  readonly statuses: Readonly<Record<string, string>>;
  readonly ext: string;
  readonly lastOnlineAt: number;
  readonly watchers: number;
}

/** A device came or went. */
interface Touch {
  readonly userUuid: string;
  readonly at: number;
  /** A device that went offline, so its published status no longer applies. */
  readonly left: string | null;
}

export const stateColumns = ['app_id', 'user_uuid', 'statuses', 'ext', 'last_online_at', 'watchers'];
const selected = `SELECT ${stateColumns.join(', ')} FROM presence_states WHERE app_id = ?`;
const rowsPerRun = 500;

/**
 * Reads and changes the stored presence of users. Lock order: the user, then the state, then the subscriptions to it,
 * and several rows in key order.
 */
@Injectable()
export class PresenceStatesRepository {
  private readonly states: Gatherer<string, PresenceState | null>;
  private readonly touches: Gatherer<Touch, void>;

  constructor(
    private readonly database: Database,
    private readonly users: UsersService,
  ) {
    this.states = new Gatherer((appId, uuids) => this.read(appId, uuids), { rows: rowsPerRun, runs: 2 });
    this.touches = new Gatherer(
      (appId, touches) => this.database.write((transaction) => this.touchAll(transaction, appId, touches), appId),
      { rows: rowsPerRun, runs: 1 },
    );
  }

  /** null: nobody watches the user, and nothing was published. Called whenever a device comes or goes. */
  find(appId: string, userUuid: string): Promise<PresenceState | null> {
    return this.states.add(appId, userUuid);
  }

  /** The same for up to 100 users, in their order. */
  findAll(appId: string, userUuids: readonly string[]): Promise<readonly (PresenceState | null)[]> {
    return this.states.addAll(appId, userUuids);
  }

  /** @throws AppError user_not_found */
  publish(appId: string, user: User, published: PublishedPresence): Promise<void> {
    return this.database.write(async (transaction) => {
      await this.users.lockAllForUpdate(transaction, appId, [user]);
      const [row] = await this.lock(transaction, appId, [user.uuid]);
      const statuses = JSON.stringify(withStatus(row === undefined ? {} : statusesOf(row), published));
      if (row === undefined)
        await transaction.insert('presence_states', stateColumns, [
          { ...newState(appId, user.uuid), statuses, ext: published.ext },
        ]);
      else
        await transaction.run('UPDATE presence_states SET statuses = ?, ext = ? WHERE app_id = ? AND user_uuid = ?', [
          ...[statuses, published.ext, appId, user.uuid],
        ]);
    }, appId);
  }

  /** Records that a device came or went, if there is a state for its user. */
  touch(appId: string, touch: Touch): Promise<void> {
    return this.touches.add(appId, touch);
  }

  /** The states of these users, locked until the transaction ends. */
  lock(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<PresenceStateRow[]> {
    const { among, forUpdate } = this.database.dialect;
    const these = among('user_uuid', userUuids.toSorted());
    return transaction.read<PresenceStateRow>(`${selected} AND ${these.sql} ORDER BY user_uuid${forUpdate}`, [
      appId,
      ...these.values,
    ]);
  }

  /** Adds to the watcher count of each of these users, whose states are locked. */
  async addWatchers(transaction: Transaction, appId: string, counts: ReadonlyMap<string, number>): Promise<void> {
    for (const count of new Set(counts.values())) {
      if (count === 0) continue;
      const uuids = [...counts].flatMap(([uuid, of]) => (of === count ? uuid : []));
      const these = this.database.dialect.among('user_uuid', uuids.sort());
      await transaction.run(`UPDATE presence_states SET watchers = watchers + ? WHERE app_id = ? AND ${these.sql}`, [
        ...[count, appId],
        ...these.values,
      ]);
    }
  }

  /** Deletes the states of these users. */
  async deleteAll(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<void> {
    const these = this.database.dialect.among('user_uuid', userUuids.toSorted());
    await transaction.run(`DELETE FROM presence_states WHERE app_id = ? AND ${these.sql}`, [appId, ...these.values]);
  }

  private async read(appId: string, userUuids: readonly string[]): Promise<(PresenceState | null)[]> {
    const these = this.database.dialect.among('user_uuid', userUuids);
    const rows = await this.database.read<PresenceStateRow>(
      `${selected} AND ${these.sql}`,
      [appId, ...these.values],
      appId,
    );
    const states = new Map(rows.map((row) => [row.user_uuid, toState(row)]));
    return userUuids.map((uuid) => states.get(uuid) ?? null);
  }

  private async touchAll(transaction: Transaction, appId: string, touches: readonly Touch[]): Promise<void[]> {
    const rows = await this.lock(transaction, appId, [...new Set(touches.map(({ userUuid }) => userUuid))]);
    const changed = rows.map((row) => {
      const own = touches.filter(({ userUuid }) => userUuid === row.user_uuid);
      const left = own.reduce(
        (statuses, { left }) => (left === null ? statuses : withoutStatus(statuses, left)),
        statusesOf(row),
      );
      const lastOnlineAt = Math.max(row.last_online_at, ...own.map(({ at }) => at));
      return { ...row, statuses: JSON.stringify(left), last_online_at: lastOnlineAt };
    });
    await transaction.updateRows(
      'presence_states',
      ['app_id', 'user_uuid'],
      ['statuses', 'last_online_at'],
      changed.map((row) => ({ ...row })),
    );
    return touches.map(() => undefined);
  }
}

/** The row for a user without a state so far. */
export function newState(appId: string, userUuid: string): PresenceStateRow {
  return { app_id: appId, user_uuid: userUuid, statuses: '{}', ext: '', last_online_at: 0, watchers: 0 };
}

function statusesOf({ statuses }: PresenceStateRow): Record<string, string> {
  return JSON.parse(statuses) as Record<string, string>;
}

function toState(row: PresenceStateRow): PresenceState {
  const { ext, last_online_at: lastOnlineAt, watchers } = row;
  return { statuses: statusesOf(row), ext, lastOnlineAt, watchers };
}
