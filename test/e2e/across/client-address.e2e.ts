import { AppsService } from '../../../src/apps/apps.service.js';
import { GatewayClient, refusal } from '../../support/gateway-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('one client behind a proxy', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({ env: { TRUST_PROXY: '127.0.0.1,10.0.0.0/8', GATEWAY_MAX_PENDING_PER_ADDRESS: '3' } });
    await running.nest.get(AppsService).set(running.app, 'alias', 'address-test');
    for (const username of ['ann', 'bob', 'cem']) await running.register(username);
  });
  afterAll(() => running.stop());

  /** How Azure, IIS and others write a client address: with the port of the connection, so it differs every time. */
  const spellings = [
    (port: number) => `203.0.113.8:${port}`,
    (port: number) => `[::ffff:203.0.113.8]:${port}`,
    (port: number) => `::ffff:cb00:7108, 10.0.0.7:${port}`,
    () => '198.51.100.1, 203.0.113.8',
  ];
  const spelling = (index: number) => ({
    'x-forwarded-for': spellings[index % spellings.length]?.(50_000 + index) ?? '',
  });

  it('400 ten times, then 429 for wrong passwords, however the proxy spells the client address', async () => {
    const guess = async (headers: Record<string, string>) => {
      const body = { grant_type: 'password', username: 'ann', password: 'wrong' };
      return (await running.call('post', '/token', { token: null, body, headers })).status;
    };
    const statuses: number[] = [];
    for (let index = 0; index < 11; index += 1) statuses.push(await guess(spelling(index)));
    expect(statuses).toEqual([...Array<number>(10).fill(400), 429]);
    expect(await guess({ 'x-forwarded-for': '203.0.113.9:50000' })).toBe(400);
  });

  it('401 ten times, then 429 in the Qiscus dialect', async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 11; index += 1) {
      const body = { email: 'bob', password: 'wrong' };
      const headers = { 'qiscus-sdk-app-id': 'address-test', ...spelling(index) };
      statuses.push(
        (await running.call('post', '//api/v2/sdk/login_or_register', { token: null, body, headers })).status,
      );
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
  });

  it('400 ten times, then 429 when the proxy sends something that is not an address: the proxy counts as the client', async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 11; index += 1) {
      const body = { grant_type: 'password', username: 'cem', password: 'wrong' };
      const headers = { 'x-forwarded-for': `203.0.113.${index}, unknown-${index}` };
      statuses.push((await running.call('post', '/token', { token: null, body, headers })).status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(400), 429]);
  });

  it('429 for the fourth socket of an address without a login, and not for another address', async () => {
    const url = `${running.url}${running.path}/ws`;
    const clients = await Promise.all(
      [0, 1, 2].map((index) => GatewayClient.connect(running.url, running.path, spelling(index))),
    );
    expect(await refusal(url, spelling(3))).toMatchObject({ status: 429, body: { code: 'too_many_pending' } });
    const other = await GatewayClient.connect(running.url, running.path, { 'x-forwarded-for': '203.0.113.9:50000' });
    await Promise.all([...clients, other].map((client) => client.close()));
  });
});
