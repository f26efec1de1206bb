import { TokensService } from '../../../src/auth/tokens.service.js';
import { UsersService } from '../../../src/users/users.service.js';
import { type Frame, GatewayClient, until } from '../../support/gateway-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { createDatabase, type TestDatabase } from '../../support/test-database.js';

// Only Redis carries presence between nodes; without it both names stand for the same node.
const nodes = globalThis.rollcallRedis && globalThis.rollcallEngine !== 'sqlite' ? 2 : 1;

describe('the presence of watched users', () => {
  let database: TestDatabase;
  let near: RunningApp;
  let far: RunningApp;
  const clients: GatewayClient[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    near = await startApp({ database });
    far = nodes === 2 ? await startApp({ database }) : near;
  }, 60_000);
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));
  afterAll(async () => {
    if (far !== near) await far.stop();
    await near.stop();
    await database.drop();
  });

  async function login(node: RunningApp, name: string, device: string): Promise<GatewayClient> {
    const user = await node.nest.get(UsersService).get(near.app.id, name);
    const token = near.nest.get(TokensService).issueUserToken(near.app, user, 0).accessToken;
    const client = await GatewayClient.login(node.url, near.path, token, { device });
    clients.push(client);
    return client;
  }
  const register = (...names: string[]) => Promise.all(names.map((name) => near.register(name)));
  const subscribe = (name: string, usernames: string[]) =>
    near.call('post', `/users/${name}/presence/600`, { body: { usernames } }).expect(200);
  const publish = (name: string, resource: string, status: string, ext: string) =>
    near.call('post', `/users/${name}/presence/${resource}/${status}`, { body: { ext } }).expect(200);
  /** Waits for the frame with this presence; frames about a user are a second apart. */
  async function waitForPresence(client: GatewayClient, username: string, status: object): Promise<Frame> {
    const wanted = JSON.stringify(status);
    const find = () =>
      client.frames.findLast((frame) => frame['username'] === username && JSON.stringify(frame['status']) === wanted);
    await until(() => find() !== undefined, 5_000);
    return find() as Frame;
  }

  test('a watcher is notified when they come online, publish and go offline, on any node', async () => {
    await register('watcher', 'star', 'bystander');
    await subscribe('watcher', ['star']);
    const watcher = await login(far, 'watcher', 'w');
    const bystander = await login(far, 'bystander', 'b');
    const before = Math.floor(Date.now() / 1_000);
    const star = await login(near, 'star', 's');
    expect(await watcher.next()).toEqual({
      ...{ type: 'presence', username: 'star', status: { web_s: '1' }, ext: '', last_time: expect.any(Number) },
    });
    await publish('star', 'web_s', 'busy', 'in a meeting');
    const published = await waitForPresence(watcher, 'star', { web_s: 'busy' });
    expect(published).toMatchObject({ type: 'presence', ext: 'in a meeting' });
    expect(published['last_time']).toBeGreaterThanOrEqual(before);
    const headers = { 'idempotency-key': 'ends-a-session' };
    await near.call('delete', '/users/star/disconnect/web_s', { headers }).expect(200);
    expect((await star.closed).code).toBe(4002);
    expect(await waitForPresence(watcher, 'star', {})).toMatchObject({ ext: 'in a meeting' });
    expect(bystander.frames.map(({ type }) => type)).toEqual(['ready']);
    const [read] = (await near.call('post', '/users/watcher/presence', { body: { usernames: ['star'] } })).body.result;
    expect(Number(read.last_time)).toBeGreaterThanOrEqual(before);
    expect(read).toMatchObject({ uid: 'star', ext: 'in a meeting', status: {} });
  }, 30_000);

  test('changes within a second of a notification are sent once, with the latest state', async () => {
    await register('listener', 'hectic');
    await subscribe('listener', ['hectic']);
    const listener = await login(far, 'listener', 'l');
    for (let index = 0; index < 20; index += 1) await publish('hectic', 'web', String(index), '');
    await waitForPresence(listener, 'hectic', { web: '19' });
    expect(listener.frames.filter(({ type }) => type === 'presence').length).toBeLessThan(10);
  }, 30_000);

  test('an online device counts as such, beside what was published for others', async () => {
    await register('mixed', 'reader');
    await publish('mixed', 'ios', '0', '');
    await login(far, 'mixed', 'm');
    const answer = await near.call('post', '/users/reader/presence', { body: { usernames: ['mixed'] } });
    expect(answer.body.result[0].status).toEqual({ web_m: '1', ios: '0' });
    expect(Number(answer.body.result[0].last_time)).toBeGreaterThan(0);
  });

  test("notifications stop with the subscription, and a new owner of a former watcher's name gets none", async () => {
    await register('former', 'ended', 'kept', 'actor');
    for (const name of ['former', 'ended', 'kept']) await subscribe(name, ['actor']);
    await near.call('delete', '/users/ended/presence', { body: ['actor'] }).expect(200);
    await near.call('delete', '/users/former').expect(200);
    await register('former');
    const listening = [await login(far, 'former', 'f'), await login(far, 'ended', 'e')];
    const kept = await login(far, 'kept', 'k');
    await publish('actor', 'web', '1', 'hello');
    expect(await kept.next()).toMatchObject({ type: 'presence', username: 'actor', ext: 'hello' });
    for (const client of listening) {
      client.send({ type: 'ping' });
      expect(await client.next()).toEqual({ type: 'pong' });
    }
  }, 30_000);
});
