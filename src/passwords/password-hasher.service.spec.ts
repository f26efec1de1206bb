import { setTimeout as sleep } from 'node:timers/promises';
import { hashSync } from '@node-rs/argon2';
import type { Env, PasswordCost } from '../config/env.js';
import type { Transaction } from '../database/database.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { PasswordHasher, maxWaiting } from './password-hasher.service.js';

const cheap: PasswordCost = { memoryKib: 8, iterations: 1, parallelism: 1 };
const hasherOf = (passwordConcurrency = 1, passwordCost = cheap) =>
  new PasswordHasher({ passwordConcurrency, passwordCost } as Env);

test('a hash is an argon2id PHC string with the configured cost and a fresh salt', async () => {
  const hasher = hasherOf(2, { memoryKib: 64, iterations: 3, parallelism: 2 });
  const [one, other] = await Promise.all([hasher.hash('secret', 'app'), hasher.hash('secret', 'app')]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=64,t=3,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(one).not.toBe(other);
});

test('the right password verifies, and one that differs in its last byte does not', async () => {
  const hasher = hasherOf();
  const password = 'a'.repeat(63);
  const phc = await hasher.hash(`${password}b`, 'app');
  expect(await hasher.verify(phc, `${password}b`, 'app')).toBe(true);
  expect(await hasher.verify(phc, `${password}c`, 'app')).toBe(false);
  expect(await hasher.verify(phc, password, 'app')).toBe(false);
  expect(await hasher.verify(phc, '', 'app')).toBe(false);
});

test('a hash of a different cost still verifies', async () => {
  const phc = hashSync('secret', { memoryCost: 32, timeCost: 2, parallelism: 1 });
  expect(await hasherOf().verify(phc, 'secret', 'app')).toBe(true);
});

test('a broken hash fails only its own caller and releases its slot', async () => {
  const hasher = hasherOf();
  const broken = hasher.verify('not a PHC string', 'secret', 'app');
  const next = hasher.hash('secret', 'app');
  await expect(broken).rejects.toThrow();
  await expect(next).resolves.toContain('$argon2id$');
  expect([hasher.running, hasher.waiting]).toEqual([0, 0]);
});

test('no more run at once than configured, and the gauges report them', async () => {
  const hasher = hasherOf(3);
  const work = Array.from({ length: 10 }, (_, index) => hasher.hash('secret', `app${index % 2}`));
  expect([hasher.running, hasher.waiting]).toEqual([3, 7]);
  let most = 0;
  await Promise.all(work.map((each) => each.then(() => (most = Math.max(most, hasher.running)))));
  expect(most).toBeLessThanOrEqual(3);
  expect([hasher.running, hasher.waiting]).toEqual([0, 0]);
});

test('hashing leaves the event loop free', async () => {
  const work = hasherOf(1, { memoryKib: 65_536, iterations: 3, parallelism: 1 }).hash('secret', 'app');
  let done = false;
  void work.then(() => (done = true));
  let turns = 0;
  while (!done) {
    await sleep(1);
    turns++;
  }
  expect(turns).toBeGreaterThan(2);
});

test('apps take turns: one call of a quiet app waits for one call of the flood, not for all', async () => {
  const hasher = hasherOf();
  const order: string[] = [];
  const call = (app: string) => hasher.hash('secret', app).then(() => order.push(app));
  const work = [...Array.from({ length: 100 }, () => call('flood')), call('quiet'), call('other'), call('quiet')];
  await Promise.all(work);
  expect(order.slice(0, 6)).toEqual(['flood', 'flood', 'quiet', 'other', 'flood', 'quiet']);
});

test('within an app, calls are served in order of arrival', async () => {
  const hasher = hasherOf();
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => hasher.hash('secret', 'app').then(() => order.push(index))),
  );
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

describe('when the queue would take over two seconds', () => {
  // At least 20 ms each on any machine, so fewer than 119 of them fit into two seconds.
  const dear: PasswordCost = { memoryKib: 40_960, iterations: 2, parallelism: 1 };
  const outcome = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error) => error.code,
    );

  test('the next is refused, and a batch is admitted or refused as a whole', async () => {
    const hasher = hasherOf(1, dear);
    // A single measurement is too noisy; after sixty, the duration is known.
    await hasher.hash('secret', 'app');
    await hasher.hashAll(Array<string>(60).fill('secret'), 'app');
    const batch = () => outcome(hasher.hashAll(Array<string>(60).fill('secret'), 'app'));
    const work = [batch(), batch()];
    expect(hasher.waiting).toBe(119);
    await expect(batch()).resolves.toBe('overloaded');
    await expect(outcome(hasher.hash('secret', 'app'))).resolves.toBe('overloaded');
    expect(hasher.waiting).toBeLessThanOrEqual(119);
    expect(await Promise.all(work)).toEqual(['done', 'done']);
  }, 60_000);
});

test('one slow hash causes no refusals', async () => {
  const hasher = hasherOf(1, { memoryKib: 65_536, iterations: 1, parallelism: 1 });
  await hasher.hash('secret', 'app');
  Object.assign(hasher, { env: { passwordConcurrency: 1, passwordCost: cheap } });
  const many = Array.from({ length: 70 }, () => hasher.hash('secret', 'app'));
  await expect(Promise.all(many)).resolves.toHaveLength(70);
});

test('a process that repeatedly stalls for a second refuses no calls because of it', async () => {
  const hasher = hasherOf(1);
  const now = performance.now.bind(performance);
  let stoodStillMs = 0;
  performance.now = () => now() + stoodStillMs;
  try {
    for (let time = 0; time < 10; time += 1) {
      const few = hasher.hashAll(Array<string>(6).fill('secret'), 'app');
      stoodStillMs += 1000;
      await few;
    }
    const batch = hasher.hashAll(Array<string>(119).fill('secret'), 'app');
    await expect(Promise.all([batch, hasher.hash('secret', 'app')])).resolves.toHaveLength(2);
  } finally {
    performance.now = now;
  }
});

describe('when 2,000 are waiting', () => {
  const flood = (hasher: PasswordHasher) =>
    Array.from({ length: 1 + maxWaiting }, () =>
      hasher.hash('secret', 'flood').then(
        () => 'done',
        (error) => error.code,
      ),
    );

  test('another call of the same app is refused with a Retry-After, and all others are served', async () => {
    const hasher = hasherOf();
    const work = flood(hasher);
    await expect(hasher.hash('secret', 'flood')).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 1000 });
    expect(hasher.waiting).toBe(maxWaiting);
    expect(new Set(await Promise.all(work))).toEqual(new Set(['done']));
  });

  test('another app is still admitted, at the expense of the last call in the longest queue', async () => {
    const hasher = hasherOf();
    const work = flood(hasher);
    const quiet = hasher.hash('secret', 'quiet');
    expect(hasher.waiting).toBe(maxWaiting);
    await expect(work.at(-1)).resolves.toBe('overloaded');
    await expect(quiet).resolves.toContain('$argon2id$');
    expect((await Promise.all(work)).filter((result) => result === 'overloaded')).toHaveLength(1);
    expect([hasher.running, hasher.waiting]).toEqual([0, 0]);
  });

  test('two floods share the capacity evenly', async () => {
    const hasher = hasherOf();
    const first = flood(hasher);
    const second = Array.from({ length: 1500 }, () =>
      hasher.hash('secret', 'second').then(
        () => 'done',
        (error) => error.code,
      ),
    );
    expect(hasher.waiting).toBe(maxWaiting);
    const served = async (work: Promise<string>[]) =>
      (await Promise.all(work)).filter((result) => result === 'done').length;
    expect([await served(first), await served(second)].map((count) => Math.abs(count - 1000) <= 2)).toEqual([
      true,
      true,
    ]);
  });
});

test.each([
  ['hash', (hasher: PasswordHasher) => hasher.hash('secret', 'app')],
  ['hash one of several', (hasher: PasswordHasher) => hasher.hashAll([null, 'secret'], 'app')],
  ['verify', (hasher: PasswordHasher) => hasher.verify(hashSync('secret'), 'secret', 'app')],
])('while a transaction is open, nobody is let in to %s', async (_what, use) => {
  const hasher = hasherOf();
  const unitOf = (begin: (unit: UnitOfWork) => Promise<unknown>) => {
    const unit = new UnitOfWork(
      (work) => work({} as Transaction),
      (error) => error,
    );
    return unit.run(
      async () => {
        await begin(unit);
        await use(hasher);
        await hasher.hashAll([null], 'app');
      },
      async () => undefined,
    );
  };
  await expect(unitOf((unit) => unit.join(async () => undefined))).rejects.toThrow('while a transaction is open');
  await unitOf(async () => undefined);
  expect([hasher.running, hasher.waiting]).toEqual([0, 0]);
});
