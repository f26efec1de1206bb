import { setTimeout as sleep } from 'node:timers/promises';
import { aUsername } from '../factories/user.factory.js';
import { Cluster, inTurns } from '../support/cluster.js';
import { retryTimingTests } from '../support/form.js';
import { GatewayClient, until } from '../support/gateway-client.js';
import type { ServiceProcess } from '../support/service-process.js';
import { TcpProxy } from '../support/tcp-proxy.js';

retryTimingTests();

const minuteMs = 60_000;
const atOnce = 50;
/** Nodes notice a change of an app after at most a second. */
const appSeenMs = 1_200;

describe('presence while Redis loses messages', () => {
  let cluster: Cluster;
  let toRedis: TcpProxy;
  let clients: GatewayClient[] = [];
  /** Turns every PUBLISH into a command that changes nothing and also returns a number. */
  let publishes = true;
  beforeAll(async () => {
    cluster = await Cluster.start(3, async (url) => {
      toRedis = await TcpProxy.to(url, (bytes) =>
        publishes || !bytes.includes('publish\r\n')
          ? bytes
          : Buffer.from(bytes.toString('latin1').replaceAll('publish\r\n', 'hstrlen\r\n'), 'latin1'),
      );
      return toRedis.through(url);
    });
  }, minuteMs);
  afterEach(() => {
    for (const client of clients) client.socket.terminate();
    clients = [];
  });
  afterAll(async () => {
    await cluster?.stop();
    await toRedis?.close();
  });

  const node = (index: number): ServiceProcess => cluster.node(index);
  const numberedNames = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const login = (where: ServiceProcess, name: string): Promise<GatewayClient> => loginWith(where, cluster.token(name));
  const loginWith = async (where: ServiceProcess, token: string): Promise<GatewayClient> => {
    const client = await GatewayClient.login(where.url, cluster.path, token);
    clients.push(client);
    return client;
  };
  const everyNodeSees = async (names: readonly string[], count: number): Promise<boolean> =>
    (await Promise.all(cluster.nodes.map((one) => cluster.online(one, names)))).every((seen) => seen.size === count);

  it(
    'the same within 10 s when every published message is dropped',
    async () => {
      const names = numberedNames('deaf', 50);
      await cluster.register(names);
      const sockets = await inTurns(names, atOnce, (name) => login(node(0), name));
      publishes = false;
      const startedAt = performance.now();
      await inTurns(names, 20, (name) => cluster.call(node(1), 'POST', `/users/${name}/deactivate`));
      const closed = await Promise.all(sockets.map((client) => client.closed));
      publishes = true;
      const slowest = Math.max(...closed.map(({ at }) => at - startedAt));
      console.info('the same without any publish, in ms:', slowest);
      expect(slowest).toBeLessThan(10_000);
      expect(closed.every(({ code }) => code === 4001)).toBe(true);
    },
    minuteMs,
  );

  it(
    'the same within 10 s when Redis is down altogether, with no 5xx',
    async () => {
      const names = numberedNames('alone', 50);
      await cluster.register(names);
      const sockets = await inTurns(names, atOnce, (name) => login(node(0), name));
      toRedis.refuse();
      const startedAt = performance.now();
      const answers = await inTurns(names, 20, (name) => cluster.call(node(1), 'POST', `/users/${name}/deactivate`));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      const closed = await Promise.all(sockets.map((client) => client.closed));
      // Logins work as well, and their own node knows of them.
      await cluster.register(['hermit']);
      await login(node(2), 'hermit');
      expect(await cluster.online(node(2), ['hermit'])).toEqual(new Set(['hermit']));
      toRedis.heal();
      expect(Math.max(...closed.map(({ at }) => at - startedAt))).toBeLessThan(10_000);
      expect(closed.every(({ code }) => code === 4001)).toBe(true);
      await until(() => everyNodeSees(['hermit'], 1), 10_000, 100);
    },
    minuteMs,
  );

  it(
    'a delete, a new password, a revocation, a forced logout and a message are noticed within 10 s when Redis is down',
    async () => {
      const names = numberedNames(aUsername(), 5);
      await cluster.register(names);
      const [deleted, changed, revoked, forced, written] = (await inTurns(names, atOnce, (name) =>
        login(node(0), name),
      )) as [GatewayClient, GatewayClient, GatewayClient, GatewayClient, GatewayClient];
      toRedis.refuse();
      const startedAt = performance.now();
      const answers = await Promise.all([
        cluster.call(node(1), 'DELETE', `/users/${names[0]}`),
        cluster.call(node(1), 'PUT', `/users/${names[1]}/password`, { newpassword: 'another' }),
        cluster.call(node(1), 'POST', `/token/users/${names[2]}/invalid`),
        cluster.call(node(2), 'GET', `/users/${names[3]}/disconnect`),
        cluster.call(node(2), 'POST', '/messages/users', { to: [names[4]], type: 'txt', body: { msg: 'hello' } }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      const closed = await Promise.all([deleted, changed, revoked, forced].map((client) => client.closed));
      await until(() => Promise.resolve(written.frames.some(({ type }) => type === 'message')), 10_000, 50);
      const arrived = performance.now() - startedAt;
      toRedis.heal();
      console.info(
        'known without Redis, in ms:',
        closed.map(({ at }) => Math.round(at - startedAt)),
        arrived,
      );
      expect(Math.max(arrived, ...closed.map(({ at }) => at - startedAt))).toBeLessThan(10_000);
      expect(written.open).toBe(true);
    },
    minuteMs,
  );

  it(
    'sessions from a certificate or token secret end within 10 s of its removal on every node, and no others do',
    async () => {
      const names = numberedNames(aUsername(), 3);
      await cluster.register(names);
      const byOld = await inTurns(names, atOnce, (name, index) => login(node(index), name));
      const userToken = async (name: string): Promise<string> => {
        const path = `/api/v2.1/rest/get_user_token?user_id=${name}`;
        const answer = await fetch(`${node(0).url}${path}`, { headers: cluster.qiscusServer });
        return ((await answer.json()) as { results: { token: string } }).results.token;
      };
      const tokens = await inTurns(names, atOnce, userToken);
      const byUserToken = await inTurns(tokens, atOnce, (token, index) => loginWith(node(index), token));
      await cluster.rotate();
      await sleep(appSeenMs);
      const byNew = await inTurns(names, atOnce, (name, index) => login(node(index), name));
      expect([...byOld, ...byUserToken].every((client) => client.open)).toBe(true);
      toRedis.refuse();
      for (const [setting, ended, kept] of [
        ['previous_certificate=none', byOld, [...byUserToken, ...byNew]],
        ['token_secret=new', byUserToken, byNew],
      ] as const) {
        const startedAt = performance.now();
        await cluster.set(setting);
        const closed = await Promise.all(ended.map((client) => client.closed));
        const times = closed.map(({ at }) => Math.round(at - startedAt));
        console.info(`ended by ${setting}, in ms:`, times);
        expect(Math.max(...times)).toBeLessThan(10_000);
        expect(closed.every(({ code }) => code === 4005)).toBe(true);
        expect(kept.every((client) => client.open)).toBe(true);
      }
      toRedis.heal();
    },
    minuteMs,
  );

  it(
    'an app disabled on the command line has no session after 10 s when Redis is down',
    async () => {
      await cluster.register(['tenant']);
      const client = await login(node(0), 'tenant');
      toRedis.refuse();
      const startedAt = performance.now();
      await cluster.set('disabled=true');
      const { at } = await client.closed;
      await cluster.set('disabled=false');
      toRedis.heal();
      expect(at - startedAt).toBeLessThan(10_000);
    },
    minuteMs,
  );
});
