/** The ban of a user as it is stored. Times are Unix milliseconds. */
export interface Ban {
  /** When a planned ban begins, perhaps in the past; null: it was in force from the moment it was stored. */
  readonly startsAt: number | null;
  /** The first instant without it; null: for ever. */
  readonly endsAt: number | null;
}

export type BanState = 'none' | 'planned' | 'active' | 'ended';

/** What the row of a user says about a ban. */
export interface StoredBan {
  readonly activated: number;
  readonly ban_starts_at: number | null;
  readonly ban_ends_at: number | null;
}

/** The one decision about bans: every token, login, session, list and answer depends on it. */
export function banStateAt(ban: Ban | null, nowMs: number): BanState {
  if (ban === null) return 'none';
  if (ban.startsAt !== null && nowMs < ban.startsAt) return 'planned';
  return ban.endsAt !== null && nowMs >= ban.endsAt ? 'ended' : 'active';
}

/**
 * The token epoch as a planned ban leaves it once it has begun, whether or not anything has stored that yet: tokens
 * from before its beginning are dead, also after its end.
 */
export function epochUnder(ban: Ban | null, tokenEpoch: number, nowMs: number): number {
  const begun = ban !== null && ban.startsAt !== null && ban.startsAt <= nowMs;
  return begun ? Math.max(tokenEpoch, ban.startsAt) : tokenEpoch;
}

/**
 * Versions that know no ban with an end write `activated` alone. Where that contradicts the other columns, it is the
 * later word: an unban, or a ban for ever.
 */
export function readBan({ activated, ban_starts_at: startsAt, ban_ends_at: endsAt }: StoredBan): Ban | null {
  if (activated === 0) return { startsAt: null, endsAt: startsAt === null ? endsAt : null };
  return startsAt === null ? null : { startsAt, endsAt };
}

/** A ban in force is stored as not activated, which is all that an older version understands. */
export function writeBan(ban: Ban | null): StoredBan {
  return {
    activated: ban === null || ban.startsAt !== null ? 1 : 0,
    ban_starts_at: ban?.startsAt ?? null,
    ban_ends_at: ban?.endsAt ?? null,
  };
}

/**
 * What is stored once time has changed a ban: it is in force from now on, or over. The result equals `ban` if nothing
 * is due.
 */
export function settle(ban: Ban | null, nowMs: number): Ban | null {
  switch (banStateAt(ban, nowMs)) {
    case 'none':
    case 'ended':
      return null;
    case 'planned':
      return ban;
    case 'active':
      return ban === null || ban.startsAt === null ? ban : { startsAt: null, endsAt: ban.endsAt };
  }
}
