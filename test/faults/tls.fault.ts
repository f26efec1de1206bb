import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { ensureProgram, freePort, startMariaDb, type TestServer } from '../../scripts/test-servers.mjs';
import { RedisServer } from '../../src/redis/redis-server.fixture.js';
import { until } from '../support/gateway-client.js';
import { runCli, ServiceProcess } from '../support/service-process.js';

const password = 'p@ss/w%rd:#?';

describe('TLS to MariaDB and Redis', () => {
  let folder: string;
  let secure: TestServer;
  let clear: TestServer;
  let redis: RedisServer;
  let redisTlsPort: number;
  let service: ServiceProcess | undefined;

  const file = (name: string): string => join(folder, name);

  /** A certificate authority, and its certificates for a host. */
  const makeCertificates = async (): Promise<void> => {
    const openssl = await ensureProgram('openssl');
    const run = (...args: string[]) => promisify(execFile)(openssl, args, { cwd: folder });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    for (const ca of ['ca', 'other-ca'])
      await run(
        'req',
        '-x509',
        ...key,
        '-keyout',
        `${ca}.key`,
        '-out',
        `${ca}.pem`,
        '-days',
        '2',
        '-subj',
        `/CN=${ca}`,
      );
    for (const host of ['localhost', 'elsewhere.example']) {
      await run('req', ...key, '-keyout', `${host}.key`, '-out', `${host}.csr`, '-subj', `/CN=${host}`);
      await writeFile(file(`${host}.ext`), `subjectAltName=DNS:${host}\n`);
      const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${host}.ext`, '-days', '2'];
      await run('x509', '-req', '-in', `${host}.csr`, '-out', `${host}.pem`, ...signed);
    }
  };
  const keyPair = (host: string): string[] => [`--ssl-cert=${file(`${host}.pem`)}`, `--ssl-key=${file(`${host}.key`)}`];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-tls-'));
    await makeCertificates();
    redisTlsPort = await freePort();
    const redisPair = ['--tls-cert-file', file('localhost.pem'), '--tls-key-file', file('localhost.key')];
    [secure, clear, redis] = await Promise.all([
      startMariaDb(...keyPair('localhost'), '--require-secure-transport=ON'),
      startMariaDb('--skip-ssl'),
      RedisServer.start(
        ...['--tls-port', `${redisTlsPort}`, ...redisPair, '--tls-ca-cert-file', file('ca.pem')],
        ...['--tls-auth-clients', 'no', '--requirepass', password],
      ),
    ]);
    for (const server of [secure, clear]) {
      const connection = await createConnection({
        uri: server.url,
        ssl: server === secure ? { rejectUnauthorized: false } : undefined,
      });
      await connection.query('CREATE DATABASE chat');
      await connection.query(`CREATE USER app@'%' IDENTIFIED BY '${password}'`);
      await connection.query(`GRANT ALL ON chat.* TO app@'%'`);
      await connection.end();
    }
  }, 120_000);
  afterAll(async () => {
    await service?.kill();
    await Promise.all([secure?.stop(), clear?.stop(), redis?.remove()]);
    await rm(folder, { recursive: true, force: true });
  });

  const urlOf = (server: TestServer, parameters: string, host = 'localhost'): string =>
    `mysql://app:${encodeURIComponent(password)}@${host}:${new URL(server.url).port}/chat${parameters}`;
  /** What `doctor` reports about the database with these settings, as its first finding. */
  const doctor = async (env: Record<string, string>): Promise<string> => {
    const printed = await runCli(['doctor'], env).catch((error: { stdout: string }) => error.stdout);
    expect(printed).not.toContain(encodeURIComponent(password));
    expect(printed).not.toContain(password);
    return (
      printed.split('\n').find((line) => /\b(database|settings) /.test(line) && !line.includes('all are valid')) ?? ''
    );
  };

  it('serves over TLS with both, with verified certificates', async () => {
    service = await ServiceProcess.start({
      DATABASE_URL: urlOf(secure, '?ssl-mode=VERIFY_IDENTITY'),
      DATABASE_CA_FILE: file('ca.pem'),
      REDIS_URL: `rediss://:${encodeURIComponent(password)}@localhost:${redisTlsPort}`,
      REDIS_CA_FILE: file('ca.pem'),
    });
    const ready = async () => (await fetch(`${service?.url}/health/ready`)).json();
    await until(async () => ((await ready()) as { redis: string }).redis === 'up', 10_000, 100);
    expect(await ready()).toMatchObject({ status: 'ok', database: 'up', redis: 'up' });
  }, 120_000);

  it.each([
    ['?ssl-mode=REQUIRED', 'localhost', '', /^ok .* answers/],
    ['?tls=skip-verify', '127.0.0.1', '', /^ok .* answers/],
    ['?ssl-mode=VERIFY_CA', '127.0.0.1', 'ca.pem', /^ok .* answers/],
    ['?ssl-mode=VERIFY_IDENTITY', 'localhost', 'ca.pem', /^ok .* answers/],
    ['', 'localhost', '', /^broken .* refused the connection: /],
    ['?ssl-mode=DISABLED', 'localhost', '', /^broken .* refused the connection: /],
    ['?ssl-mode=VERIFY_CA', 'localhost', '', /^broken .* certificate of .* is not accepted/],
    ['?ssl-mode=VERIFY_CA', 'localhost', 'other-ca.pem', /^broken .* certificate of .* is not accepted/],
    ['?ssl-mode=REQUIRED', 'localhost', 'ca.pem', /^broken .* DATABASE_CA_FILE must go with/],
    ['?ssl-mode=VERIFY_IDENTITY', '127.0.0.1', 'ca.pem', /^broken .* must name its host/],
    ['?ssl-mode=PREFERRED', 'localhost', '', /^broken .* DATABASE_URL must have/],
  ])('a server with TLS: %s at %s with %j', async (parameters, host, ca, finding) => {
    const env = { DATABASE_URL: urlOf(secure, parameters, host), DATABASE_CA_FILE: ca === '' ? '' : file(ca) };
    expect(await doctor(env)).toMatch(finding);
  });

  it('refuses a server without TLS if TLS is requested', async () => {
    for (const mode of ['REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY'])
      expect(await doctor({ DATABASE_URL: urlOf(clear, `?ssl-mode=${mode}`) })).toMatch(
        /^broken .* does not support TLS/,
      );
    expect(await doctor({ DATABASE_URL: urlOf(clear, '') })).toMatch(/^ok /);
  });

  it("refuses another host's certificate with VERIFY_IDENTITY, and accepts it with VERIFY_CA", async () => {
    const otherServer = await startMariaDb(...keyPair('elsewhere.example'));
    try {
      const url = (mode: string): string =>
        `${otherServer.url.replace('127.0.0.1', 'localhost')}/mysql?ssl-mode=${mode}`;
      const ca = { DATABASE_CA_FILE: file('ca.pem') };
      expect(await doctor({ DATABASE_URL: url('VERIFY_CA'), ...ca })).toMatch(/^ok /);
      expect(await doctor({ DATABASE_URL: url('VERIFY_IDENTITY'), ...ca })).toMatch(
        /^broken .* certificate of .* is not accepted/,
      );
    } finally {
      await otherServer.stop();
    }
  }, 60_000);
});
