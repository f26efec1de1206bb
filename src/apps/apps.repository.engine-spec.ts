import { randomBytes, randomUUID } from 'node:crypto';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { Database, type SqlValue } from '../database/database.js';
import { AppsRepository } from './apps.repository.js';
import { AppsService } from './apps.service.js';

const hex = () => randomBytes(16).toString('hex');

describe.each([
  ['in clear text', ''],
  ['sealed', randomBytes(32).toString('hex')],
])('an app that is named by its certificate alone, which is stored %s,', (_how, sealingKey) => {
  let running: RunningApp;
  let database: Database;
  let apps: AppsService;

  beforeAll(async () => {
    running = await startApp({ env: { SEALING_KEY: sealingKey } });
    database = running.nest.get(Database);
    apps = running.nest.get(AppsService);
  });
  afterAll(() => running.stop());

  const write = (sql: string, values: readonly SqlValue[]) =>
    database.write((transaction) => transaction.run(sql, values));
  /** Inserts as a version without hashes does. */
  const olderInsert = (id: string, certificate: string): [string, readonly SqlValue[]] => [
    'INSERT INTO apps (id, org, name, public_id, certificate, token_secret, disabled, settings, created_at)' +
      " VALUES (?, ?, 'app', ?, ?, '', 0, '{}', 0)",
    [id, `org${id.slice(0, 13)}`, hex(), certificate],
  ];
  const ask = async (secret: string) =>
    running.call('get', '//api/v2.1/rest/get_user_list', {
      token: null,
      // The host has no subdomain that could identify the app.
      headers: { host: 'localhost', 'qiscus-sdk-secret': secret },
    });

  it('is found by each of its current certificates, case-insensitively, and not by former ones', async () => {
    const certificate = randomBytes(16).toString('hex').toUpperCase();
    const app = await apps.create({ org: 'org', name: 'rotating', certificate });
    expect((await apps.findByCertificate(certificate.toLowerCase()))?.id).toBe(app.id);
    const rotated = await apps.rotate(app);
    for (const one of rotated.certificates) expect((await apps.findByCertificate(one.toUpperCase()))?.id).toBe(app.id);
    await apps.rotate(rotated);
    expect(await apps.findByCertificate(certificate)).toBeNull();
  });

  it('matches no app when two apps share it', async () => {
    const certificate = hex();
    await apps.create({ org: 'org', name: 'one', certificate });
    const one = await apps.findByCertificate(certificate);
    expect(one?.name).toBe('one');
    const rotated = await apps.rotate(await apps.create({ org: 'org', name: 'other', certificate }));
    expect(rotated.certificates).toContain(certificate);
    expect(await apps.findByCertificate(certificate)).toBeNull();
  });

  it('is found after the next sweep if a node of an older version created it or rotated its certificate', async () => {
    const [made, before, after] = [hex(), hex(), hex()];
    const id = randomUUID();
    await write(...olderInsert(id, made));
    const rotated = await apps.create({ org: 'org', name: 'older', certificate: before });
    await write('UPDATE apps SET certificate = ?, previous_certificate = ? WHERE id = ?', [after, before, rotated.id]);
    await running.nest.get(AppsRepository).correctHashes();
    expect((await apps.findByCertificate(made))?.id).toBe(id);
    for (const one of [before, after]) expect((await apps.findByCertificate(one))?.id).toBe(rotated.id);
  });

  it('is found after the next sweep if only the hash of its certificate was lost', async () => {
    const app = await apps.create({ org: 'org', name: 'hashless' });
    const rotated = await apps.rotate(app);
    const row = () => database.read<Record<string, unknown>>('SELECT * FROM apps WHERE id = ?', [app.id]);
    const [before] = await row();
    expect(String(before?.['certificate']).startsWith('sealed')).toBe(sealingKey !== '');
    await write('UPDATE apps SET certificate_hash = NULL, previous_certificate_hash = NULL WHERE id = ?', [app.id]);
    await running.nest.get(AppsRepository).correctHashes();
    expect(await row()).toEqual([before]);
    for (const one of rotated.certificates) expect((await apps.findByCertificate(one))?.id).toBe(app.id);
  });

  it('costs one index look-up, even for a wrong secret among a thousand apps', async () => {
    await database.write(async (transaction) => {
      for (let count = 0; count < 1_000; count += 1) await transaction.run(...olderInsert(randomUUID(), hex()));
    });
    await running.nest.get(AppsRepository).correctHashes();
    const asked: [string, readonly SqlValue[]][] = [];
    const read = database.read.bind(database);
    database.read = (sql: string, values: readonly SqlValue[] = []) => {
      asked.push([sql, values]);
      return read(sql, values);
    };
    const refused = await ask(hex());
    database.read = read;
    expect(refused.status).toBe(400);
    const lookUps = asked.filter(([sql]) => sql.includes('certificate'));
    expect(lookUps).toHaveLength(1);
    const [sql, values] = lookUps[0] as [string, readonly SqlValue[]];
    const plan = await read<Record<string, unknown>>(
      `${database.engine === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'} ${sql}`,
      values,
    );
    const steps =
      database.engine === 'sqlite'
        ? plan.map(({ detail }) => String(detail)).filter((detail) => detail.includes('apps'))
        : plan
            .filter(({ table }) => table === 'apps')
            .map(({ key, type, rows }) => `${String(type)} ${String(key)} ${String(rows)}`);
    expect(steps).toEqual(
      database.engine === 'sqlite'
        ? [
            'SEARCH apps USING INDEX apps_by_certificate_hash (certificate_hash=?)',
            'SEARCH apps USING INDEX apps_by_previous_certificate_hash (previous_certificate_hash=?)',
          ]
        : ['ref apps_by_certificate_hash 1', 'ref apps_by_previous_certificate_hash 1'],
    );
  });
});
