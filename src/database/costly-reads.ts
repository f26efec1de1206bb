import { Injectable } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';
import { Places } from './places.js';

/** Each of them works for a millisecond or two in a turn of the event loop: others are served between. */
const underWay = 4;
const waitingOfApp = 64;
const waiting = 512;
const waitMs = 5_000;
const retryAfterMs = 1_000;
/** How long an app's next costly read waits after the last one, by the time that one took. */
const restPerWork = 1;
const maxRestMs = 100;

/**
 * Reads whose cost grows with an app's data: they go one after the other for each app, and a few at once in the node,
 * so that nobody else is slower because of them. Each is a walk in small statements (`breathe` between two of them).
 * docs/operations.md has the list.
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
   * @throws AppError rate_limited when too many of the app's own wait already, overloaded when too many do in all or it
   *   would wait for over 5 s, and whatever `read` throws
   */
  async run<Result>(appId: string, read: () => Promise<Result>): Promise<Result> {
    await this.places.take(appId);
    const begun = performance.now();
    try {
      return await read();
    } finally {
      // The caller has the answer already: an app that asks without a pause leaves half of the time to others.
      const restMs = Math.min(maxRestMs, (performance.now() - begun) * restPerWork);
      setTimeout(() => this.places.leave(appId), restMs).unref();
    }
  }
}

/** SQLite reads on this thread: between two statements of one call, everybody else gets a turn. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
