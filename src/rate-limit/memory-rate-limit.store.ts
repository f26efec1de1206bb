import type { Clock } from '../clock/clock.js';
import { admitted, type Decision, RateLimitStore, refused } from './rate-limit.store.js';

const maxKeys = 100_000;

/**
 * Admission times in this process. Exact for up to 100,000 keys in use; beyond that, the oldest key is dropped. There
 * is no timer: each new key checks two old ones and drops them if they are idle.
 */
export class MemoryRateLimitStore extends RateLimitStore {
  private readonly keys = new Map<string, Hits>();
  private sweeper = this.keys.entries();

  constructor(private readonly clock: Clock) {
    super();
  }

  /** The number of keys held. */
  get size(): number {
    return this.keys.size;
  }

  consume(key: string, limit: number, windowMs: number, calls = 1): Decision {
    const now = this.clock.monotonic();
    let hits = this.keys.get(key);
    if (hits === undefined) {
      this.makeRoom(now);
      this.keys.set(key, (hits = new Hits()));
    }
    return hits.consume(now, limit, windowMs, Math.min(calls, limit));
  }

  refund(key: string): void {
    this.keys.get(key)?.refund();
  }

  private makeRoom(now: number): void {
    for (let looks = 0; looks < 2; looks++) {
      const { done, value } = this.sweeper.next();
      if (done) this.sweeper = this.keys.entries();
      else if (value[1].idleAt <= now) this.keys.delete(value[0]);
    }
    if (this.keys.size < maxKeys) return;
    const [first] = this.keys.keys();
    this.keys.delete(first as string);
  }
}

/**
 * The admission times of one key, oldest first: a queue in an array, to which each time is added once and from which it
 * expires and is removed once.
 */
class Hits {
  private readonly times: number[] = [];
  private oldest = 0;
  /** From then on, dropping this key makes no difference. */
  idleAt = 0;

  consume(now: number, limit: number, windowMs: number, calls: number): Decision {
    const { times } = this;
    while (this.oldest < times.length && now - this.at(this.oldest) >= windowMs) this.oldest++;
    // Only once most of them have expired, so that a removal moves less than it removes.
    if (this.oldest * 2 > times.length) {
      times.splice(0, this.oldest);
      this.oldest = 0;
    }
    const count = times.length - this.oldest;
    if (count + calls > limit) {
      const lastInTheWay = this.at(times.length - limit + calls - 1);
      return refused(limit, lastInTheWay + windowMs - now, this.at(times.length - 1) + windowMs - now);
    }
    for (let call = 0; call < calls; call += 1) times.push(now);
    this.idleAt = now + windowMs;
    return admitted(limit, limit - count - calls, windowMs);
  }

  refund(): void {
    if (this.times.length > this.oldest) this.times.pop();
  }

  private at(index: number): number {
    return this.times[index] as number;
  }
}
