import { AppError } from '../errors/app-error.js';
import { currentUnit, outsideUnits } from './unit-of-work.js';

/** Rows that may wait in one gatherer: forty runs or more, which take seconds. */
export const maxWaitingRows = 20_000;
const retryAfterMs = 1000;

/**
 * Answers calls of one kind with few statements: calls that arrive in the same turn of the event loop, or while the
 * last run is in progress, are handed to `run` together. There is no timer, so a lone call does not wait. Calls are
 * kept apart by app, because a statement touches one app only, and apps take turns. A call inside a unit of work runs
 * alone, within it.
 *
 * Calls that would wait too long are refused at once. An app may have as many rows waiting as there is room left: an
 * app that floods leaves half of the room to others, and a lone app never takes all of it.
 */
export class Gatherer<Item, Result> {
  private readonly waiting = new Map<string, Queue<Item, Result>>();
  private waitingRows = 0;
  private running = 0;
  private scheduled = false;

  /**
   * @param run returns one result per item, in order
   * @param limits `rows`: how much one run takes, counted by `rowsOf` (by default one per item), but at least one call;
   *   `runs`: how many runs may be in progress at once
   */
  constructor(
    private readonly run: (appId: string, items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly limits: { readonly rows: number; readonly runs: number },
    private readonly rowsOf: (item: Item) => number = () => 1,
  ) {}

  /** @throws AppError overloaded if too much is waiting already */
  add(appId: string, item: Item): Promise<Result> {
    if (currentUnit() !== undefined) return this.run(appId, [item]).then(([result]) => result as Result);
    return new Promise((resolve, reject) =>
      this.enqueue(appId, {
        items: [item],
        rows: this.rowsOf(item),
        resolve: ([result]) => resolve(result as Result),
        reject,
      }),
    );
  }

  /** Adds items that go into one run, whatever else is in it, and succeed or fail together. @throws as `add` */
  addAll(appId: string, items: readonly Item[]): Promise<readonly Result[]> {
    if (items.length === 0) return Promise.resolve([]);
    if (currentUnit() !== undefined) return this.run(appId, items);
    const rows = items.reduce((sum, item) => sum + this.rowsOf(item), 0);
    return new Promise((resolve, reject) => this.enqueue(appId, { items, rows, resolve, reject }));
  }

  private enqueue(appId: string, call: Call<Item, Result>): void {
    const queue = this.waiting.get(appId) ?? { calls: [], rows: 0 };
    if (queue.rows + call.rows > maxWaitingRows - this.waitingRows) {
      call.reject(new AppError('overloaded', { retryAfterMs }));
      return;
    }
    queue.calls.push(call);
    queue.rows += call.rows;
    this.waitingRows += call.rows;
    this.waiting.set(appId, queue);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled || this.running >= this.limits.runs) return;
    this.scheduled = true;
    // Only after the sockets of this turn have been read, so that all of their calls are included.
    outsideUnits(() => setImmediate(() => this.startRuns()));
  }

  private startRuns(): void {
    this.scheduled = false;
    while (this.running < this.limits.runs) {
      const next = this.waiting.entries().next();
      if (next.done === true) return;
      const [appId, queue] = next.value;
      this.waiting.delete(appId);
      const taken = this.take(queue);
      if (queue.calls.length > 0) this.waiting.set(appId, queue);
      void this.start(appId, taken);
    }
  }

  private take(queue: Queue<Item, Result>): Call<Item, Result>[] {
    let count = 0;
    let rows = 0;
    for (const call of queue.calls) {
      if (count > 0 && rows + call.rows > this.limits.rows) break;
      count += 1;
      rows += call.rows;
    }
    queue.rows -= rows;
    this.waitingRows -= rows;
    return queue.calls.splice(0, count);
  }

  private async start(appId: string, calls: readonly Call<Item, Result>[]): Promise<void> {
    this.running += 1;
    try {
      const results = await this.run(
        appId,
        calls.flatMap((call) => call.items),
      );
      let start = 0;
      for (const call of calls) call.resolve(results.slice(start, (start += call.items.length)));
    } catch (error) {
      for (const call of calls) call.reject(error);
    } finally {
      this.running -= 1;
      if (this.waiting.size > 0) this.schedule();
    }
  }
}

interface Call<Item, Result> {
  readonly items: readonly Item[];
  readonly rows: number;
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (error: unknown) => void;
}

/** What one app has waiting. */
interface Queue<Item, Result> {
  readonly calls: Call<Item, Result>[];
  rows: number;
}
