import { Injectable } from '@nestjs/common';
import { Database, type SqlRow, type Transaction } from '../database/database.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { type RemovalPortion, RemovalsService } from '../removals/removals.service.js';
import { BanEdgesRepository } from './ban-edges.repository.js';
import { type Ban, banStateAt } from './ban-state.js';
import type { BanOrigin } from './ban-terms.js';
import type { User } from './user.js';

/** What happened to the ban of a user: what the history keeps beside the ban itself. */
export type BanChange =
  | ({ readonly kind: 'ban'; readonly reason: string | null; readonly note: string | null } & BanOrigin)
  | ({ readonly kind: 'lift'; readonly reason: string | null } & BanOrigin)
  /** Time has begun or ended it. */
  | { readonly kind: 'settle' };

/** The reason that somebody gave; undefined: nobody was asked. */
export function reasonOf(change: BanChange | undefined): string | null | undefined {
  return change === undefined || change.kind === 'settle' ? undefined : change.reason;
}

export interface RecordedBanChange {
  readonly user: Pick<User, 'uuid' | 'id'>;
  readonly before: Ban | null;
  readonly after: Ban | null;
  readonly change: BanChange;
}

/** How the current ban of a user ends. */
interface Ending {
  readonly outcome: 'lifted' | 'superseded' | 'ended';
  readonly lifted_at: number | null;
  readonly lifted_by: string | null;
  readonly lift_reason: string | null;
}

export const banStates = { active: 1, planned: 2 } as const;

type NewBan = SqlRow & { readonly user_uuid: string; readonly due_at: number | null };

/** Writes the bans of users, current and past, in the transaction that changes the users. */
@Injectable()
export class BanHistoryRepository {
  constructor(
    private readonly database: Database,
    private readonly ids: TimeOrderedIds,
    private readonly edges: BanEdgesRepository,
    removals: RemovalsService,
  ) {
    // The second has the history as earlier versions write it.
    for (const table of ['bans', 'user_activations'] as const)
      removals.register('user', (portion) => this.removeFrom(table, portion));
  }

  /** Records changes of users whose rows the transaction has locked, in their order. */
  async record(
    transaction: Transaction,
    appId: string,
    changes: readonly RecordedBanChange[],
    nowMs: number,
  ): Promise<void> {
    if (changes.length === 0) return;
    const banned = changes.filter(({ change }) => change.kind === 'ban').map(({ user }) => user.uuid);
    const newest = await this.newestOf(transaction, appId, banned);
    const begun = new Set<string>();
    const endings = new Map<string, Ending>();
    const added = new Map<string, NewBan>();
    const earlier: NewBan[] = [];
    for (const { user, before, after, change } of changes) {
      const { uuid } = user;
      if (change.kind === 'settle' && after !== null) {
        begun.add(uuid);
        continue;
      }
      const ending = endingOf(before, change, nowMs);
      const own = added.get(uuid);
      if (own !== undefined) {
        earlier.push({ ...own, ...ending, state: null, due_at: null });
        added.delete(uuid);
      } else if (change.kind !== 'ban' || before !== null || newest.get(uuid)?.current === true)
        endings.set(uuid, endings.get(uuid) ?? ending);
      if (change.kind !== 'ban' || after === null) continue;
      // Raised if a node whose clock is ahead has drawn a later one, so that a user's bans are in order.
      const id = Math.max(this.ids.next(), (newest.get(uuid)?.id ?? 0) + 1);
      newest.set(uuid, { id, current: true });
      added.set(uuid, newBan(appId, id, user, after, change, nowMs));
    }
    await this.begin(transaction, appId, [...begun]);
    await this.end(transaction, appId, endings);
    const rows = [...earlier, ...added.values()];
    if (rows.length > 0) await transaction.insert('bans', Object.keys(rows[0] as NewBan), rows);
    const due = rows.flatMap((row) => row.due_at ?? []);
    if (due.length > 0) await this.edges.add(transaction, appId, Math.min(...due));
  }

  /** Takes what is due of users who no longer exist, or whom an earlier version has unbanned, off the schedule. */
  async close(transaction: Transaction, appId: string, userUuids: readonly string[], nowMs: number): Promise<void> {
    const unknown: Ending = { outcome: 'lifted', lifted_at: nowMs, lifted_by: null, lift_reason: null };
    await this.end(transaction, appId, new Map(userUuids.map((uuid) => [uuid, unknown])));
  }

  private async newestOf(
    transaction: Transaction,
    appId: string,
    userUuids: readonly string[],
  ): Promise<Map<string, { id: number; current: boolean }>> {
    if (userUuids.length === 0) return new Map();
    const among = this.database.dialect.among('user_uuid', [...new Set(userUuids)]);
    const rows = await transaction.read<{ user_uuid: string; id: number; state: number | null }>(
      `SELECT user_uuid, MAX(id) AS id, MAX(state) AS state FROM bans WHERE app_id = ? AND ${among.sql} GROUP BY user_uuid`,
      [appId, ...among.values],
    );
    return new Map(rows.map(({ user_uuid, id, state }) => [user_uuid, { id, current: state !== null }]));
  }

  private async begin(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<void> {
    if (userUuids.length === 0) return;
    const among = this.database.dialect.among('user_uuid', userUuids.toSorted());
    await transaction.run(
      `UPDATE bans SET state = ?, due_at = ends_at WHERE app_id = ? AND ${among.sql} AND +state = ?`,
      [banStates.active, appId, ...among.values, banStates.planned],
    );
  }

  /** One statement for all that end in the same way. */
  private async end(transaction: Transaction, appId: string, endings: ReadonlyMap<string, Ending>): Promise<void> {
    const alike = new Map<string, { ending: Ending; uuids: string[] }>();
    for (const [uuid, ending] of endings) {
      const key = JSON.stringify(ending);
      const same = alike.get(key);
      if (same === undefined) alike.set(key, { ending, uuids: [uuid] });
      else same.uuids.push(uuid);
    }
    for (const { ending, uuids } of alike.values()) {
      const among = this.database.dialect.among('user_uuid', uuids.sort());
      await transaction.run(
        'UPDATE bans SET state = NULL, due_at = NULL, outcome = ?, lifted_at = ?, lifted_by = ?, lift_reason = ?' +
          ` WHERE app_id = ? AND ${among.sql} AND +state > 0`,
        [ending.outcome, ending.lifted_at, ending.lifted_by, ending.lift_reason, appId, ...among.values],
      );
    }
  }

  private async removeFrom(
    table: 'bans' | 'user_activations',
    { transaction, appId, subjects, maxRows }: RemovalPortion,
  ): Promise<number> {
    const among = this.database.dialect.among('user_uuid', subjects);
    const lines = await transaction.read<{ user_uuid: string; id: number }>(
      `SELECT user_uuid, id FROM ${table} WHERE app_id = ? AND ${among.sql} ORDER BY user_uuid, id LIMIT ?`,
      [appId, ...among.values, maxRows],
    );
    for (const [uuid, lastId] of new Map(lines.map((line) => [line.user_uuid, line.id])))
      await transaction.run(`DELETE FROM ${table} WHERE app_id = ? AND user_uuid = ? AND id <= ?`, [
        appId,
        uuid,
        lastId,
      ]);
    return lines.length;
  }
}

function newBan(
  appId: string,
  id: number,
  user: Pick<User, 'uuid' | 'id'>,
  { startsAt, endsAt }: Ban,
  { reason, note, by, source }: Extract<BanChange, { kind: 'ban' }>,
  nowMs: number,
): NewBan {
  return {
    ...{ app_id: appId, user_uuid: user.uuid, id, user_id: user.id },
    ...{ state: startsAt === null ? banStates.active : banStates.planned, due_at: startsAt ?? endsAt },
    ...{ starts_at: startsAt ?? nowMs, ends_at: endsAt, reason, note, banned_by: by, source, created_at: nowMs },
    ...{ outcome: null, lifted_at: null, lifted_by: null, lift_reason: null },
  };
}

function endingOf(before: Ban | null, change: BanChange, nowMs: number): Ending {
  if (change.kind === 'settle' || banStateAt(before, nowMs) === 'ended')
    return { outcome: 'ended', lifted_at: null, lifted_by: null, lift_reason: null };
  const outcome = change.kind === 'ban' ? 'superseded' : 'lifted';
  const lift_reason = change.kind === 'lift' ? change.reason : null;
  return { outcome, lifted_at: nowMs, lifted_by: change.by, lift_reason };
}
