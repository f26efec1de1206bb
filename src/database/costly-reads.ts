import { Injectable } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';
import { Places } from './places.js';

/** Each takes a millisecond or two per turn of the event loop; others are served in between. */
const underWay = 4;
const waitingOfApp = 64;
const waiting = 512;
const waitMs = 5_000;
const retryAfterMs = 1_000;
/** How long an app's next costly read waits after the previous one, as a multiple of that one's duration. */
const restPerWork = 1;
const maxRestMs = 100;

/**
 * Reads whose cost grows with an app's data. Each app runs one at a time and a node a few, so that they slow nobody
 * else down. Each is split into small statements, with `breathe` between two of them. docs/operations.md lists them.
 */
@Injectable()
export class CostlyReads {
  private readonly places = new Places(
    { places: underWay, placesOfApp: 1, waiting, waitingOfApp, waitMs },
    {
      lineOfAppFull: () => new AppError('rate_limited', { retryAfterMs }),
      lineFull: () => new AppError('overloaded', { retryAfterMs }),
      waitedTooLong: () => new AppError('overloaded', { retryAfterMs }),
    },
  );

  /**
   * @throws AppError rate_limited if too many of the app's reads are waiting, overloaded if too many wait in total or
   *   this one would wait for over 5 s, and whatever `read` throws
   */
  async run<Result>(appId: string, read: () => Promise<Result>): Promise<Result> {
    await this.places.take(appId);
    const begun = performance.now();
    try {
      return await read();
    } finally {
      // The caller has its answer already. The pause leaves half of the time to others, even if the app asks without
      // one.
      const restMs = Math.min(maxRestMs, (performance.now() - begun) * restPerWork);
      setTimeout(() => this.places.leave(appId), restMs).unref();
    }
  }
}

/** SQLite reads on this thread: between two statements of a call, everybody else gets a turn. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The slices of a list, with a turn of the event loop for everybody else between two of them. */
export async function* slicesOf<Item>(items: readonly Item[], size: number): AsyncGenerator<readonly Item[], void> {
  for (let start = 0; start < items.length; start += size) {
    if (start > 0) await breathe();
    yield items.slice(start, start + size);
  }
}
