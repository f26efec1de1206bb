import { FixedClock } from '../../test/support/fixed-clock.js';
import type { App, RateProfile } from '../apps/app.js';
import { AppError } from '../errors/app-error.js';
import { MemoryRateLimitStore } from './memory-rate-limit.store.js';
import type { Decision } from './rate-limit.store.js';
import { RateLimits } from './rate-limits.service.js';

const appWith = (rate_profile: RateProfile, id = 'a1'): App => ({ id, settings: { rate_profile } }) as App;

describe('RateLimits', () => {
  let clock: FixedClock;
  let store: MemoryRateLimitStore;
  let limits: RateLimits;
  beforeEach(() => {
    clock = new FixedClock();
    store = new MemoryRateLimitStore(clock);
    limits = new RateLimits(store);
  });

  const admittedOf = (calls: number, ...call: Parameters<RateLimits['admit']>): number =>
    Array.from({ length: calls }, () => limits.admit(...call) as Decision).filter(({ allowed }) => allowed).length;

  it('agora: a limit for each app and route', () => {
    expect(admittedOf(150, appWith('agora'), 'get', 100, 'users')).toBe(100);
    expect(admittedOf(150, appWith('agora'), 'delete', 100, 'users')).toBe(100);
    expect(admittedOf(150, appWith('agora'), 'batch', 30, 'own')).toBe(30);
    expect(admittedOf(150, appWith('agora', 'a2'), 'get', 100, 'users')).toBe(100);
  });

  it('easemob: one pool for the routes of the user system, and what has its own limit stays apart', () => {
    const app = appWith('easemob');
    expect(admittedOf(60, app, 'get', 100, 'users') + admittedOf(60, app, 'delete', 100, 'users')).toBe(100);
    expect(admittedOf(400, app, 'token', 300, 'own')).toBe(300);
    expect(admittedOf(400, app, 'batch', 30, 'own')).toBe(30);
  });

  it('off: no limit, and the store is not asked', () => {
    expect(limits.admit(appWith('off'), 'get', 1, 'users')).toBeNull();
    expect(store.size).toBe(0);
  });

  describe('guesses', () => {
    const app = appWith('off');
    const guess = (username = 'alice', address = '192.0.2.1'): Promise<void> => limits.guess(app, username, address);

    it('refuses the eleventh wrong password for one user from one address in a minute, however the name is written', async () => {
      const rejected: string[] = [];
      limits.onRejected = (route) => rejected.push(route);
      for (let i = 0; i < 10; i++) await guess(i % 2 ? 'alice' : 'ALICE');
      clock.advance(20_000);
      const error = await guess('Alice').catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(AppError);
      expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: 40_000 });
      expect(rejected).toEqual(['password_guess']);
      await guess('alice', '192.0.2.2');
      await guess('bob');
      clock.advance(40_000);
      await guess();
    });

    it('lets no guesses made at the same moment pass together', async () => {
      const made = await Promise.allSettled(Array.from({ length: 50 }, () => guess()));
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    });

    it('refuses the 101st wrong password from one address, and an IPv6 network is one address', async () => {
      for (let i = 0; i < 100; i++) await guess(`user${i}`, `2001:db8::${i.toString(16)}`);
      await expect(guess('another', '2001:db8::ffff')).rejects.toMatchObject({ code: 'rate_limited' });
      await guess('another', '2001:db8:0:1::1');
    });

    it('does not count right passwords', async () => {
      for (let i = 0; i < 500; i++) {
        await guess();
        await limits.guessedRight(app, 'alice', '192.0.2.1');
      }
    });

    it('does not count a guess against the address that was refused for the user', async () => {
      for (let i = 0; i < 300; i++) await guess().catch(() => undefined);
      for (let i = 0; i < 90; i++) await guess(`user${i}`);
      await expect(guess('one-more')).rejects.toMatchObject({ code: 'rate_limited' });
    });
  });
});
