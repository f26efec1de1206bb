/**
 * A user as the service acknowledged it.
 *
 * @typedef {object} SoakUser
 * @property {string} name
 * @property {string} uuid
 * @property {string} password
 * @property {boolean} banned
 * @property {number} revokedAt when its tokens were revoked, on the monotonic clock
 * @property {string[]} messages ids of the messages sent to it
 * @property {import('./soak-session.mjs').SoakSession | null} session
 */

/** The percentiles cover this many of the latest calls. */
const maxTimes = 20_000;

/** What the service acknowledged, how long it took, and the first violation. */
export class Ledger {
  /** @type {Map<string, SoakUser>} */
  users = new Map();
  /** @type {Map<string, number[]>} times in ms of the calls since the last check, by kind */
  times = new Map();
  calls = 0;
  /** Calls that were told to retry later. */
  refusals = 0;
  /** @type {string | null} */
  broken = null;

  /** @param {string} sentence */
  break(sentence) {
    this.broken ??= sentence;
  }

  /** @param {string} kind @param {number} ms */
  took(kind, ms) {
    this.calls += 1;
    const times = this.times.get(kind) ?? [];
    if (times.length < maxTimes) times.push(ms);
    this.times.set(kind, times);
  }

  /** @returns {Map<string, number>} the p99 of each kind since the previous query */
  takeP99() {
    const p99 = new Map(
      [...this.times].map(([kind, times]) => [
        kind,
        times.sort((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? 0,
      ]),
    );
    this.times.clear();
    return p99;
  }
}
