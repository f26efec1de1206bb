/** How a user token says when it was issued: ours by the user's epoch, an AccessToken2 by the second. */
export type Issued =
  { readonly by: 'rollcall'; readonly epoch: number } | { readonly by: 'agora'; readonly atSeconds: number };

/**
 * Whether a token outlives the last revocation of its user (`tokenEpoch`, Unix milliseconds, 0: never revoked).
 *
 * An AccessToken2 knows its second only. One from the second of the revocation may be older than it, so it is refused:
 * a token made right after a revocation works from the next second on, and no revoked one ever comes back.
 */
export function outlivesEpoch(issued: Issued, tokenEpoch: number): boolean {
  if (issued.by === 'rollcall') return issued.epoch === tokenEpoch;
  return tokenEpoch === 0 || issued.atSeconds > Math.floor(tokenEpoch / 1000);
}
