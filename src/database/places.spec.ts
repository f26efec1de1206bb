import { AppError } from '../errors/app-error.js';
import { Places } from './places.js';

const refusals = {
  lineFull: () => new AppError('overloaded'),
  lineOfAppFull: () => new AppError('rate_limited'),
  waitedTooLong: () => new AppError('database_unavailable'),
};
const limits = { places: 4, placesOfApp: 4, waiting: 100, waitingOfApp: 50, waitMs: 500 };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Places', () => {
  /** The apps in the order in which they got a place. */
  let seated: string[];
  beforeEach(() => (seated = []));

  const take = (places: Places, app: string): Promise<unknown> =>
    places.take(app).then(
      () => seated.push(app),
      () => undefined,
    );
  const codeOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'seated',
      (error: AppError) => error.code,
    );

  it('gives an app all places while no other app wants one', async () => {
    const places = new Places(limits, refusals);
    for (let i = 0; i < 6; i += 1) void take(places, 'a');
    await turn();
    expect(seated).toEqual(['a', 'a', 'a', 'a']);
    expect(places.waiting).toBe(2);
  });

  it('gives the next free places to the apps that hold the fewest, until each has its share', async () => {
    const places = new Places({ ...limits, places: 3 }, refusals);
    for (let i = 0; i < 30; i += 1) void take(places, 'flood');
    for (const app of ['b', 'c', 'b', 'c']) void take(places, app);
    await turn();
    expect(seated).toEqual(['flood', 'flood', 'flood']);
    places.leave('flood');
    places.leave('flood');
    await turn();
    expect(seated.slice(3)).toEqual(['b', 'c']);
    // Each returns its only place and gets it again, however many others came first.
    for (const app of ['b', 'c']) places.leave(app);
    await turn();
    expect(seated.slice(5)).toEqual(['b', 'c']);
    // Their queues are empty: the rest is for the remaining app.
    for (const app of ['b', 'c']) places.leave(app);
    await turn();
    expect(seated.slice(7)).toEqual(['flood', 'flood']);
  });

  it('never gives an app more than it may have, and skips a waiting one for others', async () => {
    const places = new Places({ ...limits, placesOfApp: 1 }, refusals);
    for (const app of ['a', 'a', 'a', 'b']) void take(places, app);
    await turn();
    expect(seated).toEqual(['a', 'b']);
    places.leave('b');
    await turn();
    expect(seated).toEqual(['a', 'b']);
    places.leave('a');
    await turn();
    expect(seated).toEqual(['a', 'b', 'a']);
  });

  it("refuses callers whose app's queue is full, or when the common queue is full", async () => {
    const places = new Places({ ...limits, places: 1, waiting: 3, waitingOfApp: 2 }, refusals);
    for (const app of ['a', 'a', 'a', 'b']) void take(places, app);
    expect(await codeOf(places.take('a'))).toBe('rate_limited');
    expect(await codeOf(places.take('c'))).toBe('overloaded');
    places.leave('a');
    await turn();
    // The second place in the queue is free again, and refused callers are forgotten.
    void take(places, 'c');
    await turn();
    expect(places.waiting).toBe(3);
  });

  it('refuses callers that waited too long, and keeps no place for them', async () => {
    const places = new Places({ ...limits, places: 1, waitMs: 20 }, refusals);
    await places.take('a');
    expect(await codeOf(places.take('b'))).toBe('database_unavailable');
    expect(places.waiting).toBe(0);
    places.leave('a');
    expect(await codeOf(places.take('b'))).toBe('seated');
  });
});
