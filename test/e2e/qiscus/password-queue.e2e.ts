import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PasswordHasher } from '../../../src/passwords/password-hasher.service.js';
import { Database } from '../../../src/database/database.js';
import { aUsername } from '../../factories/user.factory.js';
import { type QiscusService, startQiscus } from './qiscus-service.js';

const { jest } = import.meta;

/** How long a password waits in the hashing queue behind many others. */
const queueMs = 700;

describe('while the password hashing queue is long', () => {
  let service: QiscusService;

  beforeAll(async () => {
    service = await startQiscus();
    const hasher = service.running.nest.get(PasswordHasher);
    const { hash, verify } = {
      hash: hasher.hash.bind(hasher),
      verify: hasher.verify.bind(hasher),
    };
    jest.spyOn(hasher, 'hash').mockImplementation(async (...given) => {
      const hashed = hash(...given);
      await Promise.allSettled([hashed, sleep(queueMs)]);
      return hashed;
    });
    jest.spyOn(hasher, 'verify').mockImplementation(async (...given) => {
      const verified = verify(...given);
      await Promise.allSettled([verified, sleep(queueMs)]);
      return verified;
    });
  });
  afterAll(() => service.stop());

  it.each([
    ['the same password', ['one', 'one']],
    ['two passwords', ['one', 'other']],
  ])(
    '200 for both of two calls that register one name, with different keys and %s; nobody else waits',
    async (_of, of) => {
      const database = service.running.nest.get(Database);
      const name = aUsername();
      let isPending = true;
      const both = Promise.all(
        of.map((password) =>
          service
            .rest('post', 'login_or_register')
            .set('idempotency-key', randomUUID())
            .send({ user_id: name, username: `of ${password}`, password }),
        ),
      ).finally(() => (isPending = false));
      let longestMs = 0;
      while (isPending) {
        const startedAt = performance.now();
        await database.write((transaction) => transaction.read('SELECT 1'));
        longestMs = Math.max(longestMs, performance.now() - startedAt);
        await sleep(5);
      }
      expect((await both).map(({ status }) => status)).toEqual([200, 200]);
      expect(longestMs).toBeLessThan(queueMs / 2);
      const found = await database.read('SELECT username FROM users WHERE app_id = ? AND username = ?', [
        ...[service.app.id, name],
      ]);
      expect(found).toHaveLength(1);
    },
  );
});
