import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Call, overfullWindows } from '../../src/rate-limit/rate-limit.store.contract.js';
import { aUsername } from '../factories/user.factory.js';
import { Cluster, inTurns } from '../support/cluster.js';
import { longForm, runs, retryTimingTests } from '../support/form.js';
import { GatewayClient, until } from '../support/gateway-client.js';
import { TcpProxy } from '../support/tcp-proxy.js';

retryTimingTests();

const nodes = 3;
const minuteMs = 60_000;
const everyMs = 15;
/** Each check calls every node, for which the app has a limit of fifty a second, a third of that on a node alone. */
const lookEveryMs = 100;
/** How long the outage may be noticeable. */
const feltMs = 2_000;
const lastsMs = runs(3_000, 30_000);
/** The short form shares the machine with another suite, which also delays calls. */
const slack = longForm ? 1 : 3;

interface Probe {
  /** After the start. */
  readonly at: number;
  readonly ms: number;
  readonly status: number;
}

describe('three nodes whose Redis is', () => {
  let cluster: Cluster;
  let proxy: TcpProxy;
  let sockets: GatewayClient[] = [];
  const online = Array.from({ length: 30 }, (_none, index) => `online${index}`);
  const offline = Array.from({ length: 10 }, (_none, index) => `offline${index}`);

  beforeAll(async () => {
    cluster = await Cluster.start(nodes, async (url) => {
      proxy = await TcpProxy.to(url);
      return proxy.through(url);
    });
    await cluster.register([...online, ...offline]);
    sockets = await inTurns(online, 10, (name, index) =>
      GatewayClient.login(cluster.node(index % nodes).url, cluster.path, cluster.token(name)),
    );
    await cluster.set('rate_profile=agora');
    // Until every node knows.
    await sleep(1_050);
  }, 120_000);
  afterAll(async () => {
    for (const { socket } of sockets) socket.terminate();
    await cluster?.stop();
    await proxy?.close();
  });

  /** Registrations and look-ups on each node in turn, at half of what an app may request. */
  const probe = async (forMs: number): Promise<Probe[]> => {
    const startedAt = performance.now();
    const probes: Promise<Probe>[] = [];
    for (let now = startedAt; now < startedAt + forMs; now = performance.now()) {
      const node = cluster.node(probes.length % nodes);
      const call =
        probes.length % 2 === 0
          ? cluster.call(node, 'POST', '/users', { username: aUsername(), password: 'p' })
          : cluster.call(node, 'GET', `/users/${online[0]}`);
      const at = now - startedAt;
      probes.push(call.then(({ status }) => ({ at, ms: performance.now() - now, status })));
      await sleep(everyMs);
    }
    return Promise.all(probes);
  };
  const everyNodeIsRight = async (): Promise<boolean> => {
    for (const node of cluster.nodes) {
      const seen = await cluster.online(node, [...online, ...offline]);
      if (seen.size !== online.length || !online.every((name) => seen.has(name))) return false;
    }
    return true;
  };

  const tell = (...[command, ...args]: [string, ...string[]]): void => {
    const direct = new Redis(cluster.redis.url);
    void direct.call(command, ...args).finally(() => direct.disconnect());
  };

  const outages = {
    down: { begin: () => proxy.refuse(), end: () => proxy.heal() },
    silent: { begin: () => proxy.hold(), end: () => proxy.heal() },
    restarted: { begin: () => void cluster.redis.restart(), end: () => undefined },
    flushed: { begin: () => tell('FLUSHALL'), end: () => undefined },
    full: {
      begin: () => tell('CONFIG', 'SET', 'maxmemory', '1'),
      end: () => tell('CONFIG', 'SET', 'maxmemory', '0'),
    },
    'made a replica': { begin: () => tell('REPLICAOF', '127.0.0.1', '1'), end: () => tell('REPLICAOF', 'NO', 'ONE') },
  } as const;

  it.each(Object.keys(outages) as (keyof typeof outages)[])(
    '%s: no 5xx, a p99 at most 250 ms higher for at most 2 s, and presence is correct again within 10 s',
    async (how) => {
      const { begin, end } = outages[how];
      let rise = { felt: Infinity, after: Infinity };
      // Another program may slow one measurement; what Redis slows is slow in each.
      for (let attempt = 0; attempt < 3 && (rise.felt > slack * 250 || rise.after > slack * 150); attempt += 1) {
        await until(everyNodeIsRight, 10_000, lookEveryMs);
        const before = await probe(runs(1_000, 2_000));
        begin();
        const during = await probe(lastsMs);
        end();
        const back = await until(everyNodeIsRight, 10_000, lookEveryMs);
        const duringOutage = during.filter(({ at }) => at < feltMs);
        const after = during.filter(({ at }) => at >= feltMs);
        rise = {
          felt: percentile(duringOutage, 0.99) - percentile(before, 0.99),
          // Once a second, one call per node finds out whether Redis is back, and waits for it.
          after: percentile(after, 0.9) - percentile(before, 0.9),
        };
        console.log(
          `Redis ${how}: p99 ${Math.round(rise.felt)} ms higher for 2 s, p90 ${Math.round(rise.after)} ms higher then; ` +
            `presence right ${Math.round(back)} ms after`,
        );
        expect([...before, ...during].filter(({ status }) => status !== 200)).toEqual([]);
      }
      expect(rise.felt).toBeLessThanOrEqual(slack * 250);
      expect(rise.after).toBeLessThanOrEqual(slack * 150);
    },
    runs(2, 6) * minuteMs,
  );

  it(
    'down: each node admits its share of the limit, together no more than the limit',
    async () => {
      proxy.refuse();
      await sleep(feltMs);
      const limit = 100;
      const calls = Array.from({ length: nodes * 60 }, async (_none, index): Promise<Call> => {
        const from = performance.now();
        const { status } = await cluster.call(cluster.node(index % nodes), 'GET', '/users?limit=1');
        return { from, to: performance.now(), allowed: status === 200 };
      });
      const calledAtOnce = await Promise.all(calls);
      proxy.heal();
      const allowed = calledAtOnce.filter((call) => call.allowed).length;
      console.log(`Redis down: ${allowed} of ${calledAtOnce.length} simultaneous calls admitted by three nodes`);
      expect(overfullWindows(calledAtOnce, limit, 1_000)).toBe(0);
      expect(allowed).toBeGreaterThanOrEqual(nodes * Math.floor(limit / nodes));
    },
    minuteMs,
  );
});

function percentile(probes: readonly Probe[], part: number): number {
  const sorted = probes.map(({ ms }) => ms).sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] as number;
}
