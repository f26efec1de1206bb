import { Redis } from 'ioredis';
import { SystemClock } from '../clock/clock.js';
import type { Env } from '../config/env.js';
import { examineRedis } from './diagnostics.js';
import { RedisServer } from './redis-server.fixture.js';

describe('Redis diagnostics', () => {
  let server: RedisServer;
  let direct: Redis;
  beforeAll(async () => {
    server = await RedisServer.start();
    direct = new Redis(server.url);
  });
  afterAll(async () => {
    direct.disconnect();
    await server.remove();
  });

  const examine = () =>
    examineRedis({ redisUrl: server.url, databaseUrl: 'sqlite::memory:' } as Env, new SystemClock());
  const configure = async (settings: Readonly<Record<string, string>>): Promise<void> => {
    for (const [name, value] of Object.entries(settings)) await direct.config('SET', name, value);
  };

  it('reports nothing if eviction is off', async () => {
    for (const settings of [
      { maxmemory: '0', 'maxmemory-policy': 'allkeys-lru' },
      { maxmemory: '100mb', 'maxmemory-policy': 'noeviction' },
    ]) {
      await configure(settings);
      const findings = await examine();
      expect(findings.map(({ verdict }) => verdict)).toEqual(['ok', 'ok', 'ok']);
      expect(findings.map(({ text }) => text)).toContain('answers and accepts writes');
    }
  });

  it.each(['allkeys-lru', 'volatile-ttl'])('warns of a server that evicts: %s', async (policy) => {
    await configure({ maxmemory: '100mb', 'maxmemory-policy': policy });
    const warnings = (await examine()).filter(({ verdict }) => verdict === 'warning');
    expect(warnings).toEqual([expect.objectContaining({ text: expect.stringMatching(`${policy}.*noeviction`) })]);
  });

  it("fails with the server's own message if it accepts no writes", async () => {
    await configure({ maxmemory: '1', 'maxmemory-policy': 'noeviction' });
    await expect(examine()).rejects.toThrow('OOM');
  });
});
