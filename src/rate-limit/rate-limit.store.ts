export interface Decision {
  readonly allowed: boolean;
  /** Calls admitted per window at most. */
  readonly limit: number;
  /** Calls that would still be admitted now; 0 if refused. */
  readonly remaining: number;
  /** Whole milliseconds until the call fits, if nobody else takes the place; 0 if allowed. */
  readonly retryAfterMs: number;
  /** Whole milliseconds until the full limit is available again, if no more calls are admitted. */
  readonly resetMs: number;
}

/** Admission times by key. They are lost on restart, which breaks nothing. */
export abstract class RateLimitStore {
  /**
   * Admits the call if fewer than `limit` calls of this key were admitted in the last `windowMs`. Exact: **no** window
   * [t, t + windowMs), wherever it begins, ever holds more than `limit` admitted calls, and no call is refused while
   * fewer are in its window. Refused calls do not count. A key always comes with the same limit and window. Never
   * fails. Returns without a promise if no other process has to be asked.
   * @param calls how many calls this one counts as: all of them are admitted or none. More than the limit count as the
   *   limit, so that a call that weighs too much is admitted on its own
   */
  abstract consume(key: string, limit: number, windowMs: number, calls?: number): Decision | Promise<Decision>;

  /**
   * Takes back the newest admitted call of this key, as if it had never come; does nothing if there is none. With
   * several calls in progress it may be another one's place, slightly older or newer: the number is right. Never fails.
   */
  abstract refund(key: string): void | Promise<void>;
}

export function admitted(limit: number, remaining: number, windowMs: number): Decision {
  return { allowed: true, limit, remaining, retryAfterMs: 0, resetMs: windowMs };
}

export function refused(limit: number, retryAfterMs: number, resetMs: number): Decision {
  return { allowed: false, limit, remaining: 0, retryAfterMs: Math.ceil(retryAfterMs), resetMs: Math.ceil(resetMs) };
}
