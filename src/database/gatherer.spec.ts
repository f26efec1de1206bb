import { Gatherer, maxWaitingRows } from './gatherer.js';

/** Runs that stay in progress until the test ends them. */
class Runs {
  readonly begun: { app: string; items: readonly number[]; end: (error?: Error) => void }[] = [];

  readonly run = (app: string, items: readonly number[]): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      const end = (error?: Error): void =>
        error === undefined ? resolve(items.map((item) => `${app}${item}`)) : reject(error);
      this.begun.push({ app, items, end });
    });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('Gatherer', () => {
  let runs: Runs;
  beforeEach(() => (runs = new Runs()));

  it('handles calls of one event loop turn in one run, each with its own result', async () => {
    const gatherer = new Gatherer(runs.run, { rows: 100, runs: 1 });
    const calls = Promise.all([1, 2, 3].map((item) => gatherer.add('a', item)));
    await turn();
    expect(runs.begun.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    runs.begun[0]?.end();
    expect(await calls).toEqual(['a1', 'a2', 'a3']);
  });

  it('gathers calls that arrive during a run, and runs them when it ends', async () => {
    const gatherer = new Gatherer(runs.run, { rows: 100, runs: 1 });
    const first = gatherer.add('a', 1);
    await turn();
    const later = Promise.all([gatherer.add('a', 2), gatherer.add('a', 3)]);
    await turn();
    expect(runs.begun).toHaveLength(1);
    runs.begun[0]?.end();
    expect(await first).toBe('a1');
    await turn();
    expect(runs.begun[1]?.items).toEqual([2, 3]);
    runs.begun[1]?.end();
    expect(await later).toEqual(['a2', 'a3']);
  });

  it('never mixes two apps in one run', async () => {
    const gatherer = new Gatherer(runs.run, { rows: 100, runs: 2 });
    const calls = Promise.all([gatherer.add('a', 1), gatherer.add('b', 2), gatherer.add('a', 3)]);
    await turn();
    expect(runs.begun.map(({ app, items }) => [app, items])).toEqual([
      ['a', [1, 3]],
      ['b', [2]],
    ]);
    for (const { end } of runs.begun) end();
    expect(await calls).toEqual(['a1', 'b2', 'a3']);
  });

  it('lets apps take turns, so that a flood of one does not delay another', async () => {
    const gatherer = new Gatherer(runs.run, { rows: 2, runs: 1 });
    for (let item = 0; item < 100; item += 1) void gatherer.add('flood', item);
    void gatherer.add('calm', 1);
    for (let done = 0; done < 3; done += 1) {
      await turn();
      runs.begun[done]?.end();
    }
    expect(runs.begun.slice(0, 3).map(({ app }) => app)).toEqual(['flood', 'calm', 'flood']);
  });

  it('limits the rows of a run, in order of the calls, but takes at least one call', async () => {
    const gatherer = new Gatherer(runs.run, { rows: 5, runs: 1 }, (rows) => rows);
    const calls = [3, 2, 1, 9, 1].map((rows) => gatherer.add('a', rows));
    for (let done = 0; done < 4; done += 1) {
      await turn();
      runs.begun[done]?.end();
    }
    await Promise.all(calls);
    expect(runs.begun.map(({ items }) => items)).toEqual([[3, 2], [1], [9], [1]]);
  });

  it('never splits the items of a call, and returns them in order', async () => {
    const gatherer = new Gatherer(runs.run, { rows: 5, runs: 1 });
    const calls = [gatherer.addAll('a', [1, 2, 3]), gatherer.add('a', 4), gatherer.addAll('a', [5, 6, 7, 8, 9, 10])];
    for (let done = 0; done < 2; done += 1) {
      await turn();
      runs.begun[done]?.end();
    }
    expect(await Promise.all(calls)).toEqual([['a1', 'a2', 'a3'], 'a4', ['a5', 'a6', 'a7', 'a8', 'a9', 'a10']]);
    expect(runs.begun.map(({ items }) => items)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8, 9, 10],
    ]);
    await expect(gatherer.addAll('a', [])).resolves.toEqual([]);
  });

  it('refuses calls immediately that would wait too long, leaving room for other apps', async () => {
    const gatherer = new Gatherer(runs.run, { rows: 500, runs: 1 }, (rows) => rows);
    const refused = { code: 'overloaded', retryAfterMs: 1000 };
    const half = maxWaitingRows / 2;
    const answers = [gatherer.add('flood', half)];
    await expect(gatherer.add('flood', 1)).rejects.toMatchObject(refused);
    await expect(gatherer.addAll('flood', [1, 1])).rejects.toMatchObject(refused);
    answers.push(gatherer.add('other', half / 2));
    await expect(gatherer.add('other', 1)).rejects.toMatchObject(refused);
    answers.push(gatherer.add('third', 1));
    // Calls in progress no longer wait.
    await turn();
    answers.push(gatherer.add('flood', 1));
    for (let done = 0; done < 4; done += 1) {
      runs.begun[done]?.end();
      await turn();
    }
    expect(await Promise.all(answers)).toEqual([`flood${half}`, `other${half / 2}`, 'third1', 'flood1']);
  });

  it('limits the number of concurrent runs', async () => {
    const gatherer = new Gatherer(runs.run, { rows: 1, runs: 3 });
    const calls = Promise.all(Array.from({ length: 10 }, (_none, item) => gatherer.add('a', item)));
    await turn();
    expect(runs.begun).toHaveLength(3);
    runs.begun[1]?.end();
    await turn();
    expect(runs.begun).toHaveLength(4);
    for (let done = 0; done < 10; done += 1) {
      runs.begun[done]?.end();
      await turn();
    }
    expect(await calls).toHaveLength(10);
  });

  it('rejects only the calls of a failed run', async () => {
    const gatherer = new Gatherer(runs.run, { rows: 100, runs: 1 });
    const failing = Promise.allSettled([gatherer.add('a', 1), gatherer.add('a', 2)]);
    await turn();
    const waiting = gatherer.add('a', 3);
    runs.begun[0]?.end(new Error('no'));
    expect((await failing).map((result) => result.status)).toEqual(['rejected', 'rejected']);
    await turn();
    runs.begun[1]?.end();
    expect(await waiting).toBe('a3');
  });
});
