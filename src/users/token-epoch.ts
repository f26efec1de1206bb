/** When a user token was issued: Rollcall's own by the user's epoch, an AccessToken2 by the second. */
export type Issued =
  { readonly by: 'rollcall'; readonly epoch: number } | { readonly by: 'agora'; readonly atSeconds: number };

/**
 * Whether a token outlives the last revocation of its user (`tokenEpoch`, Unix milliseconds, 0: never revoked).
 *
 * An AccessToken2 carries only its second. One from the second of the epoch may predate the revocation, so it is
 * refused: a token made right after a ban works from the next second on, and no revoked token becomes valid again. A
 * forced logout is milder, so its epoch lies in the second before it.
 */
export function outlivesEpoch(issued: Issued, tokenEpoch: number): boolean {
  if (issued.by === 'rollcall') return issued.epoch === tokenEpoch;
  return tokenEpoch === 0 || issued.atSeconds > Math.floor(tokenEpoch / 1000);
}

/**
 * Whether something naming a user was issued for the name's current owner (registered at `createdAt`, Unix
 * milliseconds) and not for an earlier one. Only the second of issue is known. If the name was not freed recently
 * (`releasedAt` is null), anything from the second of the registration is for the new user: nobody else could be meant.
 * Otherwise it may be for the earlier owner, so that second is refused too.
 */
export function isForOwner(atSeconds: number, createdAt: number, releasedAt: number | null): boolean {
  return releasedAt === null
    ? atSeconds >= Math.floor(createdAt / 1000)
    : atSeconds > Math.floor(Math.max(createdAt, releasedAt) / 1000);
}

/** The epoch after a ban, a new password or a revocation: no earlier token is valid, whatever issued it. */
export function epochOfRevocation(nowMs: number, tokenEpoch: number): number {
  return laterThan(tokenEpoch, nowMs);
}

/**
 * The epoch after a forced logout: it ends every earlier Rollcall token and every AccessToken2 of an earlier second. An
 * AccessToken2 of the same second may be older but is accepted, because a user may come back at once. So the epoch lies
 * at the start of the second before, which leaves room for a thousand forced logouts. A revocation that left no room
 * there (it was in this second, or in the last millisecond of that one) stays as strict as it was.
 */
export function epochOfForcedLogout(nowMs: number, tokenEpoch: number): number {
  return laterThan(tokenEpoch, (Math.floor(nowMs / 1000) - 1) * 1000);
}

/** Every revocation moves the epoch, even if the clock was set back or two of them share a millisecond. */
function laterThan(tokenEpoch: number, wanted: number): number {
  return Math.max(wanted, tokenEpoch + 1);
}
