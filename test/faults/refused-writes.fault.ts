import { createConnection } from 'mysql2/promise';
import { startMariaDb, type TestServer } from '../../scripts/test-servers.mjs';
import { until } from '../support/gateway-client.js';
import { runCli, ServiceProcess } from '../support/service-process.js';

describe('a MariaDB that answers every query but refuses writes', () => {
  let server: TestServer;
  let service: ServiceProcess;
  let url: string;

  beforeAll(async () => {
    server = await startMariaDb('--log-bin', '--server-id=1');
    await onServer('CREATE DATABASE chat');
    await onServer("CREATE USER app@'%' IDENTIFIED BY 'p'");
    await onServer("GRANT ALL ON chat.* TO app@'%'");
    url = `mysql://app:p@127.0.0.1:${new URL(server.url).port}/chat`;
    service = await ServiceProcess.start({ DATABASE_URL: url });
  }, 120_000);
  afterAll(async () => {
    await service?.kill();
    await server?.stop();
  });

  const onServer = async (sql: string): Promise<void> => {
    const connection = await createConnection(server.url);
    await connection.query(sql).finally(() => connection.end());
  };
  const ready = async () => {
    const response = await fetch(`${service.url}/health/ready`);
    return { status: response.status, database: ((await response.json()) as { database: string }).database };
  };
  const lines = (): string[] =>
    service.output
      .split('\n')
      .filter((line) => line.includes('refuses writes'))
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
  const doctor = () => runCli(['doctor'], { DATABASE_URL: url }).catch((error: { stdout: string }) => error.stdout);

  it.each([
    {
      fault: 'read_only',
      make: ['SET GLOBAL read_only = 1'],
      mend: ['SET GLOBAL read_only = 0'],
      reason: /--read-only/,
    },
    {
      fault: 'a user that may only read',
      // A connection keeps the privileges it had when it was opened.
      make: ["REVOKE ALL ON chat.* FROM app@'%'", "GRANT SELECT ON chat.* TO app@'%'", 'KILL USER app'],
      mend: ["GRANT ALL ON chat.* TO app@'%'", 'KILL USER app'],
      reason: /UPDATE command denied/,
    },
  ])(
    'is not ready, logs it once with the reason, and doctor reports it: $fault',
    async ({ make, mend, reason }) => {
      const before = lines().length;
      expect(await ready()).toEqual({ status: 200, database: 'up' });
      for (const sql of make) await onServer(sql);
      await until(async () => (await ready()).status === 503, 10_000, 100);
      expect(await ready()).toEqual({ status: 503, database: 'refuses writes' });
      expect(await doctor()).toMatch(/^broken +database +refuses writes: /m);
      for (const sql of mend) await onServer(sql);
      await until(async () => (await ready()).status === 200, 10_000, 100);
      const logged = lines().slice(before);
      expect(logged).toEqual([expect.stringMatching(reason)]);
      expect(await doctor()).toMatch(/^ok +database +accepts writes$/m);
    },
    60_000,
  );

  it('is not ready from the start with binlog_format=STATEMENT, which cannot log READ COMMITTED', async () => {
    await onServer("SET GLOBAL binlog_format = 'STATEMENT'");
    const other = await ServiceProcess.start({ DATABASE_URL: url });
    try {
      const response = await fetch(`${other.url}/health/ready`);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ database: 'refuses writes' });
      expect(other.output).toMatch(/refuses writes: .*(BINLOG_FORMAT|binlog)/i);
      expect(await doctor()).toMatch(/^broken +database +refuses writes: /m);
    } finally {
      await other.kill();
      await onServer("SET GLOBAL binlog_format = 'ROW'");
    }
  }, 60_000);
});
