import type { AppError } from '../errors/app-error.js';

export interface PlaceLimits {
  /** How many callers may hold a place at once. */
  readonly places: number;
  /** How many of them may belong to one app. */
  readonly placesOfApp: number;
  /** How many callers may wait for a place. */
  readonly waiting: number;
  /** How many of them may belong to one app. */
  readonly waitingOfApp: number;
  /** How long a caller waits at most. */
  readonly waitMs: number;
}

/** The errors for callers that get no place. */
export interface PlaceRefusals {
  readonly lineFull: () => AppError;
  readonly lineOfAppFull: () => AppError;
  readonly waitedTooLong: () => AppError;
}

interface Waiter {
  readonly grant: () => void;
}

interface LineOfApp {
  held: number;
  readonly waiters: Set<Waiter>;
}

/**
 * A bounded number of places that apps share fairly. A free place goes to the waiting app that holds the fewest, and
 * among those to the one served longest ago: a single app may hold all of them, but while others wait, no app gets more
 * than its share.
 */
export class Places {
  private readonly apps = new Map<string, LineOfApp>();
  private taken = 0;
  private waitingNow = 0;

  constructor(
    private readonly limits: PlaceLimits,
    private readonly refusals: PlaceRefusals,
  ) {}

  /** The number of waiting callers. */
  get waiting(): number {
    return this.waitingNow;
  }

  /** Resolves once the caller has a place, which `leave` returns. @throws AppError as `refusals` say */
  async take(app: string): Promise<void> {
    const line = this.apps.get(app) ?? { held: 0, waiters: new Set<Waiter>() };
    this.apps.set(app, line);
    if (this.taken < this.limits.places && line.held < this.limits.placesOfApp) {
      this.seat(line);
      return;
    }
    if (line.waiters.size >= this.limits.waitingOfApp) throw this.refusals.lineOfAppFull();
    if (this.waitingNow >= this.limits.waiting) {
      this.dropIfIdle(app, line);
      throw this.refusals.lineFull();
    }
    await this.wait(app, line);
  }

  leave(app: string): void {
    const line = this.apps.get(app) as LineOfApp;
    line.held -= 1;
    this.taken -= 1;
    this.seatNext();
    this.dropIfIdle(app, line);
  }

  private wait(app: string, line: LineOfApp): Promise<void> {
    this.waitingNow += 1;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        line.waiters.delete(waiter);
        this.waitingNow -= 1;
      };
      const waiter: Waiter = {
        grant: () => {
          end();
          this.seat(line);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        end();
        this.dropIfIdle(app, line);
        reject(this.refusals.waitedTooLong());
      }, this.limits.waitMs);
      line.waiters.add(waiter);
    });
  }

  private seat(line: LineOfApp): void {
    line.held += 1;
    this.taken += 1;
  }

  private seatNext(): void {
    let chosen: [string, LineOfApp] | undefined;
    for (const entry of this.apps) {
      const [, { held, waiters }] = entry;
      if (waiters.size === 0 || held >= this.limits.placesOfApp) continue;
      if (chosen === undefined || held < chosen[1].held) chosen = entry;
    }
    if (chosen === undefined) return;
    const [app, line] = chosen;
    // Moved to the end, so that among equals the others are next.
    this.apps.delete(app);
    this.apps.set(app, line);
    const [waiter] = line.waiters;
    waiter?.grant();
  }

  private dropIfIdle(app: string, line: LineOfApp): void {
    if (line.held === 0 && line.waiters.size === 0) this.apps.delete(app);
  }
}
