import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvError, loadEnv, redisClusterNodes, settings } from './env.js';

/** A value that each setting refuses. */
const bad: Record<string, string> = {
  HOST: 'canary host',
  PORT: '65536',
  PUBLIC_URL: 'canary.example.com',
  TRUST_PROXY: '10.0.0.0/canary',
  CORS_ORIGIN: 'canary.example.com',
  DATABASE_URL: 'postgres://canary@localhost/x',
  DATABASE_CA_FILE: '/canary',
  DATABASE_POOL_SIZE: '0',
  DATABASE_STATEMENT_TIMEOUT_MS: '99',
  DATABASE_ACQUIRE_TIMEOUT_MS: 'canary',
  REDIS_URL: 'http://canary',
  REDIS_CA_FILE: '/canary',
  BOOTSTRAP_APPS: 'org/app:canary:canary',
  SEALING_KEY: 'canary',
  SEALING_KEY_FILE: '/canary/of/nobody',
  PASSWORD_COST: 'm=7,t=1,p=1',
  PASSWORD_CONCURRENCY: '0',
  SHUTDOWN_DRAIN_MS: '-1',
  KEEP_ALIVE_TIMEOUT_MS: '999',
  MAX_CONNECTIONS_PER_ADDRESS: '0',
  LOG_LEVEL: 'canary',
  GATEWAY_PING_MS: 'canary',
  GATEWAY_LOGIN_TIMEOUT_MS: '99',
  GATEWAY_ALLOWED_ORIGINS: 'canary.example.com',
  GATEWAY_MAX_SESSIONS: '0',
  GATEWAY_MAX_PENDING_PER_ADDRESS: '0',
};
/** Any text is a valid token. */
const takesAnything = ['METRICS_TOKEN'];
const variables = Object.values(settings).map(({ variable }) => variable);

function problemsOf(source: Record<string, string>): readonly string[] {
  try {
    loadEnv(source);
  } catch (error) {
    expect(error).toBeInstanceOf(EnvError);
    return (error as EnvError).problems;
  }
  return [];
}

describe('loadEnv', () => {
  it('accepts an empty environment, and uses every default', () => {
    expect(loadEnv({})).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      publicUrl: null,
      databaseUrl: 'sqlite:./data/rollcall.sqlite',
      redisUrl: null,
      bootstrapApps: [],
      passwordCost: { memoryKib: 19_456, iterations: 2, parallelism: 1 },
      logLevel: 'info',
    });
  });

  it.each(variables.filter((variable) => !takesAnything.includes(variable)))(
    'names %s when it is invalid, without revealing its value',
    (variable) => {
      expect(bad).toHaveProperty(variable);
      const value = bad[variable] as string;
      const problems = problemsOf({ [variable]: value });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${variable} must `));
      expect(problems[0]).not.toContain('canary');
    },
  );

  it('names all invalid settings at once', () => {
    const wrong = Object.fromEntries(Object.entries(bad).filter(([variable]) => variables.includes(variable)));
    const problems = problemsOf(wrong);
    expect(problems.map((line) => line.split(' ')[0]).sort()).toEqual(Object.keys(wrong).sort());
    const { message } = new EnvError(problems);
    for (const variable of Object.keys(wrong)) expect(message).toContain(variable);
    expect(message).not.toContain('canary');
  });

  it('reads every form of database URL', () => {
    for (const url of ['sqlite::memory:', 'sqlite:./x', 'mysql://u:p@localhost:3306/db'])
      expect(loadEnv({ DATABASE_URL: url }).databaseUrl).toBe(url);
    for (const url of ['', 'mysql://localhost', 'mysql://localhost/', 'mysql:', '/x'])
      expect(problemsOf({ DATABASE_URL: url })).toHaveLength(1);
  });

  it('requires a pool of at least two connections', () => {
    expect(loadEnv({ DATABASE_POOL_SIZE: '2' }).databasePoolSize).toBe(2);
    expect(problemsOf({ DATABASE_POOL_SIZE: '1' })).toEqual([
      'DATABASE_POOL_SIZE must be 2 or more: a migration needs one, and the beat of its lock another',
    ]);
  });

  it('reads a Redis and a Redis Cluster', () => {
    const cluster = 'redis-cluster://u:p%40@a:1,[::1]:2,c';
    for (const url of ['redis://a', 'rediss://u:p@a:1/2', cluster, 'rediss-cluster://a:1', 'redis-cluster://a:1/'])
      expect(loadEnv({ REDIS_URL: url }).redisUrl).toBe(url);
    for (const url of [
      ...[
        'redis:',
        'redis://a:1,b:2',
        'redis-cluster:',
        'redis-cluster://',
        'redis-cluster://a:1,',
        'http-cluster://a',
      ],
      ...['redis-cluster://a:1/2', 'redis-cluster://a:1,redis://b:2', 'redis-cluster://a:x', 'redis-cluster://u@a,u@b'],
    ])
      expect(problemsOf({ REDIS_URL: url })).toEqual([expect.stringContaining('redis-cluster://host:port,host:port')]);
    expect(redisClusterNodes(cluster)).toEqual(['redis://u:p%40@a:1', 'redis://u:p%40@[::1]:2', 'redis://u:p%40@c']);
    expect(redisClusterNodes('rediss-cluster://a:1')).toEqual(['rediss://a:1']);
    expect(redisClusterNodes('redis://a:1')).toBeNull();
  });

  it('refuses ineffective or malformed parts of a server URL, without revealing the password', () => {
    for (const url of [
      ...['mysql://u:canary@h/d?charset=utf8', 'mysql://u:canary@h/d?canary!=1', 'mysql://u:can/ary@h/d'],
      ...['mysql://u:canary@h/d?ssl-mode=PREFERRED', 'mysql://u:canary@h/d?ssl-mode=REQUIRED&tls=true'],
      ...['mysql://u:canary%@h/d', 'mysql://u:can#ary@h/d', 'mysql://u:canary@h/d/e', 'mysql://u:canary@h:x/d'],
      'mysql://u:canary@10.0.0.1/d?ssl-mode=VERIFY_IDENTITY',
    ]) {
      const [problem, ...others] = problemsOf({ DATABASE_URL: url });
      expect(others).toEqual([]);
      expect(problem).toMatch(/^DATABASE_URL must /);
      expect(problem).not.toMatch(/canary|can|ary@/);
    }
    for (const url of [
      'redis://:canary@h?tls=true',
      'redis://:canary@h/x',
      'redis://:canary%@h',
      'rediss://:canary@h#1',
    ]) {
      const [problem] = problemsOf({ REDIS_URL: url });
      expect(problem).toMatch(/^REDIS_URL must /);
      expect(problem).not.toContain('canary');
    }
    expect(loadEnv({ REDIS_URL: 'redis://h?family=6' }).redisUrl).toBe('redis://h?family=6');
  });

  it('refuses a certificate file that would have no effect', async () => {
    const file = join(import.meta.dirname, 'certificate.fixture.pem');
    const verified = { DATABASE_CA_FILE: file, DATABASE_URL: 'mysql://h/d?ssl-mode=VERIFY_CA', REDIS_CA_FILE: file };
    expect(loadEnv({ ...verified, REDIS_URL: 'rediss://h' }).databaseCa).toBe(await readFile(file, 'utf8'));
    for (const wrong of [
      { ...verified, REDIS_URL: 'redis://h' },
      { ...verified, REDIS_CA_FILE: '', DATABASE_URL: 'mysql://h/d' },
      { ...verified, REDIS_CA_FILE: '', DATABASE_URL: 'mysql://h/d?ssl-mode=REQUIRED' },
      { DATABASE_CA_FILE: file },
    ])
      expect(problemsOf(wrong)).toEqual([expect.stringMatching(/^(DATABASE|REDIS)_CA_FILE must go with /)]);
  });

  it('reads comma-separated apps', () => {
    const [id, certificate] = ['A'.repeat(32), 'b'.repeat(32)];
    expect(
      loadEnv({ BOOTSTRAP_APPS: ` o/a:${id}:${certificate} , o/b:${id}:${certificate}:nick,` }).bootstrapApps,
    ).toEqual([
      { org: 'o', name: 'a', appId: 'a'.repeat(32), certificate, alias: null },
      { org: 'o', name: 'b', appId: 'a'.repeat(32), certificate, alias: 'nick' },
    ]);
  });

  it('reads addresses, ranges and a URL with a trailing slash', () => {
    expect(loadEnv({ TRUST_PROXY: '10.0.0.0/8, ::1' }).trustProxy).toEqual(['10.0.0.0/8', '::1']);
    for (const range of ['10.0.0.0/33', 'localhost', '1.2.3', '10.0.0.0/'])
      expect(problemsOf({ TRUST_PROXY: range })).toHaveLength(1);
    expect(loadEnv({ PUBLIC_URL: 'https://chat.example.com/x//' }).publicUrl).toBe('https://chat.example.com/x');
    expect(problemsOf({ PUBLIC_URL: 'https://chat.example.com/?x=1' })).toHaveLength(1);
  });

  it('reads allowed origins, and refuses values that no browser sends', () => {
    expect(loadEnv({}).corsOrigin).toBe('*');
    expect(loadEnv({ CORS_ORIGIN: 'https://a.test, https://b.test:8443' }).corsOrigin).toEqual([
      ...['https://a.test', 'https://b.test:8443'],
    ]);
    for (const text of [
      '',
      '*, https://a.test',
      'https://a.test/',
      'https://A.test',
      'a.test',
      'https://a.test https://b.test',
    ])
      expect(problemsOf({ CORS_ORIGIN: text })).toHaveLength(1);
  });

  it('returns an immutable value', () => {
    expect(Object.isFrozen(loadEnv({}))).toBe(true);
  });
});

describe('.env.example', () => {
  it('lists exactly the settings, each with its default and an explanation', async () => {
    const text = await readFile(join(import.meta.dirname, '../../.env.example'), 'utf8');
    const listed: [string, string][] = [];
    for (const block of text.split(/\n\n+/)) {
      const entries = [...block.matchAll(/^([A-Z_]+)=(.*)$/gm)];
      if (entries.length > 0) expect(block).toMatch(/^# \S.{10,}/);
      listed.push(...entries.map(([, name = '', value = '']): [string, string] => [name, value]));
    }
    expect(listed.sort()).toEqual(
      Object.values(settings)
        .map((setting) => [setting.variable, setting.default])
        .sort(),
    );
  });
});
