import { AppsService } from '../../../src/apps/apps.service.js';
import { lookUpsPerNetwork } from '../../../src/rate-limit/rate-limits.service.js';
import { agoraErrors, expectError } from '../../support/agora-answers.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { tokenOf } from '../../support/tokens.js';

describe('GET /easemob/server.json', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({ env: { TRUST_PROXY: '127.0.0.1' } });
  });
  afterAll(() => running.stop());

  let callers = 0;
  /** Each call from a different address. */
  const lookUp = (query: string, headers: Record<string, string> = {}) => {
    callers += 1;
    const from = { 'x-forwarded-for': `10.0.${callers >> 8}.${callers & 255}` };
    return running.call('get', `//easemob/server.json${query}`, { token: null, headers: { ...from, ...headers } });
  };
  const keyOf = ({ app }: RunningApp): string => encodeURIComponent(`${app.org}#${app.name}`);

  it('200 with this server for an app key, and for an App ID as the SDKs send it', async () => {
    const hosts = { hosts: [{ protocol: 'http', domain: '127.0.0.1', port: Number(new URL(running.url).port) }] };
    const { org, name, appId } = running.app;
    for (const query of [
      `?app_key=${keyOf(running)}&_v=1`,
      `?app_id=${appId.toUpperCase()}&sdk_version=4.10.0&file_version=1`,
      `?app_key=&app_id=${appId}`,
    ]) {
      const answer = await lookUp(query).expect(200);
      expect(answer.body).toEqual({ app_key: `${org}#${name}`, rest: hosts, 'msync-wx': hosts });
    }
  });

  it('200 with the host and scheme that the caller sees, and their default port', async () => {
    const answer = await lookUp(`?app_key=${keyOf(running)}`, {
      'x-forwarded-host': 'chat.example.com',
      'x-forwarded-proto': 'https',
    });
    expect(answer.body.rest.hosts).toEqual([{ protocol: 'https', domain: 'chat.example.com', port: 443 }]);
    const published = await startApp({ env: { PUBLIC_URL: 'https://public.example:8443' } });
    try {
      const { body } = await published.call('get', `//easemob/server.json?app_key=${keyOf(published)}`);
      expect(body['msync-wx'].hosts).toEqual([{ protocol: 'https', domain: 'public.example', port: 8443 }]);
    } finally {
      await published.stop();
    }
  });

  it('400 without an app, and for an invalid Host', async () => {
    for (const query of ['', '?app_key=', '?app_key=a&app_key=b', '?app=x'])
      expectError(await lookUp(query), agoraErrors.illegal('app_key (org#app) or app_id is required'));
    const answer = await lookUp(`?app_key=${keyOf(running)}`, { 'x-forwarded-host': '127.0.0.1:99999' });
    expect(answer.status).toBe(400);
  });

  it('404 for an unknown app, worded like the token route; 403 for a disabled one', async () => {
    const { org, name } = running.app;
    for (const [query, named] of [
      ['?app_key=no%23app', 'no/app'],
      [`?app_key=${org}`, org],
      [`?app_key=${org}%23${name}%23x`, `${org}/${name}#x`],
      [`?app_id=${'0'.repeat(32)}`, '0'.repeat(32)],
    ] as const)
      expectError(await lookUp(query), agoraErrors.missingApp(named, 'easemob/server.json'));
    const apps = running.nest.get(AppsService);
    const disabledApp = await apps.create({ org, name: 'off' });
    await apps.set(disabledApp, 'disabled', 'true');
    expectError(await lookUp(`?app_key=${org}%23off`), {
      ...{ status: 403, error: 'forbidden_op', description: 'Service operation not allowed' },
    });
  });

  it('429 for the twenty-first call from one address within a second, whatever the app; other addresses are served', async () => {
    const from = { 'x-forwarded-for': '192.0.2.1' };
    const answers = await Promise.all(
      Array.from({ length: 3 * lookUpsPerNetwork }, () => lookUp(`?app_key=${keyOf(running)}`, from)),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    expectError(refused[0] as (typeof answers)[number], agoraErrors.tooMany);
    expect(refused[0]?.headers['retry-after']).toBe('1');
    await lookUp(`?app_key=${keyOf(running)}`).expect(200);
  });

  it('200 for the apps of an organization with that name', async () => {
    const app = await running.nest.get(AppsService).create({ org: 'easemob', name: 'server.json' });
    const token = tokenOf({ appId: app.appId, certificate: app.certificates[0] as string });
    const answer = await running.call('get', '//easemob/server.json/users', { token });
    expect([answer.status, answer.body.entities]).toEqual([200, []]);
  });
});
