import { networkOf } from '../http/network-of.js';
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

  it('agora: one limit per app and route', () => {
    expect(admittedOf(150, appWith('agora'), 'get', 100, 'users')).toBe(100);
    expect(admittedOf(150, appWith('agora'), 'delete', 100, 'users')).toBe(100);
    expect(admittedOf(150, appWith('agora'), 'batch', 30, 'own')).toBe(30);
    expect(admittedOf(150, appWith('agora', 'a2'), 'get', 100, 'users')).toBe(100);
  });

  it('easemob: the routes of the user system share a pool, and routes with their own limit do not', () => {
    const app = appWith('easemob');
    expect(admittedOf(60, app, 'get', 100, 'users') + admittedOf(60, app, 'delete', 100, 'users')).toBe(100);
    expect(admittedOf(400, app, 'token', 300, 'own')).toBe(300);
    expect(admittedOf(400, app, 'batch', 30, 'own')).toBe(30);
  });

  it('off: no limit, and the store is not called', () => {
    expect(limits.admit(appWith('off'), 'get', 1, 'users')).toBeNull();
    expect(store.size).toBe(0);
  });

  describe('guesses', () => {
    const app = appWith('off');
    const wrong = () => Promise.reject(new AppError('password_mismatch'));
    /** The result of a guess: the code of its failure, or what was compared. */
    const guess = (username = 'alice', address = '192.0.2.1', compare: () => Promise<string> = wrong) =>
      limits.guess(app, username, networkOf(address), compare).catch((error: unknown) => {
        if (error instanceof AppError) return error.code;
        throw error;
      });
    const guesses = async (count: number, compare?: () => Promise<string>) => {
      const answers: string[] = [];
      for (let i = 0; i < count; i++) answers.push(await guess('alice', '192.0.2.1', compare));
      return new Set(answers);
    };

    it('refuses the eleventh wrong password for a user from an address within a minute, in any spelling of the name', async () => {
      const rejected: string[] = [];
      limits.onRejected = (route) => rejected.push(route);
      for (let i = 0; i < 10; i++) expect(await guess(i % 2 ? 'alice' : 'ALICE')).toBe('password_mismatch');
      clock.advance(20_000);
      const error = await limits.guess(app, 'Alice', '192.0.2.1', wrong).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(AppError);
      expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: 40_000 });
      expect(rejected).toEqual(['password_guess']);
      expect(await guess('alice', '192.0.2.2')).toBe('password_mismatch');
      expect(await guess('bob')).toBe('password_mismatch');
      clock.advance(40_000);
      expect(await guess()).toBe('password_mismatch');
    });

    it('compares at most ten simultaneous passwords, whatever their outcome', async () => {
      for (const outcome of [wrong, () => Promise.resolve('right'), () => Promise.reject(new AppError('overloaded'))]) {
        let compared = 0;
        let release = () => undefined as void;
        const released = new Promise<void>((resolve) => (release = resolve));
        const made = Array.from({ length: 50 }, () =>
          guess('alice', '192.0.2.1', async () => {
            compared += 1;
            await released;
            return outcome();
          }),
        );
        // All are admitted or refused before the first comparison completes.
        await new Promise(setImmediate);
        release();
        expect((await Promise.all(made)).filter((answer) => answer === 'rate_limited')).toHaveLength(40);
        expect(compared).toBe(10);
        clock.advance(60_000);
      }
    });

    it('refuses the 101st wrong password from an address, where an IPv6 network counts as one address', async () => {
      for (let i = 0; i < 100; i++) await guess(`user${i}`, `2001:db8::${i.toString(16)}`);
      expect(await guess('another', '2001:db8::ffff')).toBe('rate_limited');
      expect(await guess('another', '2001:db8:0:1::1')).toBe('password_mismatch');
    });

    it('does not count right passwords', async () => {
      expect(await guesses(500, () => Promise.resolve('right'))).toEqual(new Set(['right']));
    });

    it.each(['overloaded', 'database_unavailable', 'internal'] as const)(
      'does not count a password that the service failed to compare: %s',
      async (code) => {
        expect(await guesses(500, () => Promise.reject(new AppError(code)))).toEqual(new Set([code]));
        expect(await guess()).toBe('password_mismatch');
      },
    );

    it('does not count a password after an unexpected error', async () => {
      const broken = () => guess('alice', '192.0.2.1', () => Promise.reject(new TypeError('a bug')));
      for (let i = 0; i < 20; i++) await expect(broken()).rejects.toThrow('a bug');
      expect(await guess()).toBe('password_mismatch');
    });

    it.each([
      'password_mismatch',
      'login_user_not_found',
      'user_not_found',
      'registration_closed',
      'user_banned',
    ] as const)('counts what tells a guesser something: %s', async (code) => {
      expect(await guesses(10, () => Promise.reject(new AppError(code)))).toEqual(new Set([code]));
      expect(await guess()).toBe('rate_limited');
    });

    it('does not count a guess against the address if it was refused for the user', async () => {
      await guesses(300);
      for (let i = 0; i < 90; i++) await guess(`user${i}`);
      expect(await guess('one-more')).toBe('rate_limited');
    });
  });
});
