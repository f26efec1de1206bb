import { currentUnit } from './unit-of-work.js';

/**
 * Answers calls of one kind with few statements: what arrives in one turn of the event loop, or while the last run is
 * under way, is handed to `run` together. There is no timer, so a lone call waits for nothing. Calls are kept apart by
 * app, because one statement touches one app only, and apps take turns. A call inside a unit of work runs alone, in it.
 */
export class Gatherer<Item, Result> {
  private readonly waiting = new Map<string, Call<Item, Result>[]>();
  private running = 0;
  private scheduled = false;

  /**
   * @param run answers one result for each item, in their order
   * @param limits `rows`: how much one run takes, counted by `rowsOf` (default: one for each item), but at least one
   *   item; `runs`: how many runs may be under way at once
   */
  constructor(
    private readonly run: (appId: string, items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly limits: { readonly rows: number; readonly runs: number },
    private readonly rowsOf: (item: Item) => number = () => 1,
  ) {}

  add(appId: string, item: Item): Promise<Result> {
    if (currentUnit() !== undefined) return this.run(appId, [item]).then(([result]) => result as Result);
    return new Promise((resolve, reject) => {
      const call = { item, resolve, reject };
      const calls = this.waiting.get(appId);
      if (calls === undefined) this.waiting.set(appId, [call]);
      else calls.push(call);
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled || this.running >= this.limits.runs) return;
    this.scheduled = true;
    // After the sockets of this turn have been read, so that all of their calls are there.
    setImmediate(() => {
      this.scheduled = false;
      while (this.running < this.limits.runs) {
        const next = this.waiting.entries().next();
        if (next.done === true) return;
        const [appId, calls] = next.value;
        this.waiting.delete(appId);
        const taken = this.take(calls);
        if (calls.length > 0) this.waiting.set(appId, calls);
        void this.start(appId, taken);
      }
    });
  }

  private take(calls: Call<Item, Result>[]): Call<Item, Result>[] {
    let rows = 0;
    const overflow = calls.findIndex((call, index) => (rows += this.rowsOf(call.item)) > this.limits.rows && index > 0);
    return calls.splice(0, overflow === -1 ? calls.length : overflow);
  }

  private async start(appId: string, calls: readonly Call<Item, Result>[]): Promise<void> {
    this.running += 1;
    try {
      const results = await this.run(
        appId,
        calls.map((call) => call.item),
      );
      calls.forEach((call, index) => call.resolve(results[index] as Result));
    } catch (error) {
      for (const call of calls) call.reject(error);
    } finally {
      this.running -= 1;
      if (this.waiting.size > 0) this.schedule();
    }
  }
}

interface Call<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}
