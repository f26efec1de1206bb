/** How a user token says when it was issued: ours by the user's epoch, an AccessToken2 by the second. */
export type Issued =
  { readonly by: 'rollcall'; readonly epoch: number } | { readonly by: 'agora'; readonly atSeconds: number };

/**
 * Whether a token outlives the last revocation of its user (`tokenEpoch`, Unix milliseconds, 0: never revoked).
 *
 * An AccessToken2 knows its second only. One from the second of the epoch may be older than what moved it, so it is
 * refused: a token made right after a ban works from the next second on, and no revoked one ever comes back. A forced
 * logout is milder, which is why its epoch lies in the second before it.
 */
export function outlivesEpoch(issued: Issued, tokenEpoch: number): boolean {
  if (issued.by === 'rollcall') return issued.epoch === tokenEpoch;
  return tokenEpoch === 0 || issued.atSeconds > Math.floor(tokenEpoch / 1000);
}

/**
 * Whether what names a user was issued for the one who has the name now (registered at `createdAt`, Unix milliseconds), and
 * not for one who had it before. Only the second of the issue is known. Where nobody gave the name up of late
 * (`releasedAt` is null), what is from the second of the registration is for the new user: nobody else could be meant. Else
 * it may be for the one before, so that second is refused, too.
 */
export function isForOwner(atSeconds: number, createdAt: number, releasedAt: number | null): boolean {
  return releasedAt === null
    ? atSeconds >= Math.floor(createdAt / 1000)
    : atSeconds > Math.floor(Math.max(createdAt, releasedAt) / 1000);
}

/** The epoch after a ban, a new password or a revocation: no token from before it is good, whatever made it. */
export function epochOfRevocation(nowMs: number, tokenEpoch: number): number {
  return laterThan(tokenEpoch, nowMs);
}

/**
 * The epoch after a forced logout: every Rollcall token from before it ends, and every AccessToken2 of an earlier second.
 * One from the same second is let in, because a user may come back at once; it may just as well be from before. So the
 * epoch lies in the second before, at its start, where a thousand forced logouts find room. A revocation that left no
 * room there (it was in this second, or in the last millisecond of that one) stays as strict as it was.
 */
export function epochOfForcedLogout(nowMs: number, tokenEpoch: number): number {
  return laterThan(tokenEpoch, (Math.floor(nowMs / 1000) - 1) * 1000);
}

/** Every revocation moves the epoch, also when the clock was turned back or when two of them share a millisecond. */
function laterThan(tokenEpoch: number, wanted: number): number {
  return Math.max(wanted, tokenEpoch + 1);
}
