import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { readCursor, writeCursor } from '../cursors/list-cursor.js';
import { readTextCursor, writeTextCursor } from '../cursors/text-cursor.js';
import { breathe } from '../database/costly-reads.js';
import { banStateAt } from './ban-state.js';
import { BansRepository, type StoredBanRow } from './bans.repository.js';
import type { User } from './user.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

/** A ban as it is kept. Times are Unix milliseconds. */
export interface BanRecord {
  readonly startsAt: number;
  /** null: for ever. */
  readonly endsAt: number | null;
  readonly reason: string | null;
  readonly note: string | null;
  readonly by: string;
  readonly source: string;
  readonly createdAt: number;
  readonly state: 'active' | 'planned' | 'lifted' | 'superseded' | 'ended';
  readonly liftedAt: number | null;
  readonly liftedBy: string | null;
  readonly liftReason: string | null;
}

/** What holds for a user now. */
export interface EffectiveBan {
  readonly state: 'none' | 'planned' | 'active';
  readonly endsAt: number | null;
  /** null if there is no ban, or if a version that keeps no such history has made it. */
  readonly record: BanRecord | null;
  /** When this holds. */
  readonly nowMs: number;
}

export interface BannedUser {
  readonly user: User;
  readonly ban: BanRecord;
}

export type ListedState = 'active' | 'planned';

/** More bans can't be due but not settled, unless nothing has settled them for long. */
const maxDue = 500;

/** Owns what can be asked about bans. */
@Injectable()
export class BansService {
  constructor(
    private readonly bans: BansRepository,
    private readonly users: UsersService,
    private readonly repository: UsersRepository,
    private readonly clock: Clock,
  ) {}

  /** @throws AppError user_not_found */
  async of(appId: string, nameOrUuid: string): Promise<EffectiveBan> {
    const user = await this.users.get(appId, nameOrUuid);
    const nowMs = this.clock.now();
    const state = banStateAt(user.ban, nowMs);
    if (state === 'none' || state === 'ended') return { state: 'none', endsAt: null, record: null, nowMs };
    const [latest] = await this.bans.list(appId, user.uuid, null, 1);
    const record = latest === undefined || latest.state === null ? null : toRecord(latest, nowMs);
    return { state, endsAt: user.ban?.endsAt ?? null, record, nowMs };
  }

  /** The bans of a user, newest first. @throws AppError user_not_found, cursor_invalid */
  async history(
    appId: string,
    nameOrUuid: string,
    limit: number,
    cursor: string | null,
  ): Promise<{ bans: readonly BanRecord[]; cursor: string | null }> {
    const { uuid } = await this.users.get(appId, nameOrUuid);
    const scope = `bans ${appId} ${uuid}`;
    const beforeId = cursor === null ? null : Number(readTextCursor(scope, cursor));
    const rows = await this.bans.list(appId, uuid, beforeId, limit + 1);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      bans: page.map((row) => toRecord(row, this.clock.now())),
      cursor: rows.length > limit && last !== undefined ? writeTextCursor(scope, String(last.id)) : null,
    };
  }

  /** Banned users, or those with a planned ban, in the order of registration. @throws AppError cursor_invalid */
  async list(
    appId: string,
    state: ListedState,
    limit: number,
    cursor: string | null,
  ): Promise<{ banned: readonly BannedUser[]; cursor: string | null }> {
    const after = cursor === null ? 0 : readCursor(appId, cursor);
    const found = new Map<number, BannedUser>();
    const take = async (rows: readonly StoredBanRow[]): Promise<void> => {
      const uuids = rows.map((row) => row.user_uuid);
      const users = await this.repository.findAllByUuid(appId, uuids);
      const nowMs = this.clock.now();
      for (const row of rows) {
        const user = users.get(row.user_uuid);
        if (user !== undefined && banStateAt(user.ban, nowMs) === state)
          found.set(row.user_id, { user, ban: toRecord(row, nowMs) });
      }
    };
    if (state === 'active') {
      // Planned ones that have begun a moment ago.
      const due = await this.bans.listDue(appId, this.clock.now(), maxDue);
      await take(due.filter((row) => row.user_id > after));
    }
    const begun = found.size;
    for (let position: number | undefined = after; position !== undefined;) {
      const rows: StoredBanRow[] = await this.bans.listCurrent(appId, state, position, limit + 1);
      await take(rows);
      // Bans that are over but not settled are left out, so a page may take another look.
      const enough = rows.length <= limit || found.size - begun > limit;
      position = enough ? undefined : rows.at(-1)?.user_id;
      if (!enough) await breathe();
    }
    const sorted = [...found.values()].sort((one, other) => one.user.id - other.user.id);
    const banned = sorted.slice(0, limit);
    const last = banned.at(-1);
    return {
      banned,
      cursor: sorted.length > limit && last !== undefined ? writeCursor(appId, last.user.id) : null,
    };
  }
}

function toRecord(row: StoredBanRow, nowMs: number): BanRecord {
  const { starts_at: startsAt, ends_at: endsAt, outcome } = row;
  const byTime = banStateAt({ startsAt, endsAt }, nowMs);
  return {
    ...{ startsAt, endsAt, reason: row.reason, note: row.note, by: row.banned_by, source: row.source },
    createdAt: row.created_at,
    state: (outcome ?? byTime) as BanRecord['state'],
    ...{ liftedAt: row.lifted_at, liftedBy: row.lifted_by, liftReason: row.lift_reason },
  };
}
