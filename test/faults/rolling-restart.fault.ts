import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { aUsername } from '../factories/user.factory.js';
import { Balancer } from '../support/balancer.js';
import { Cluster } from '../support/cluster.js';
import { runs } from '../support/form.js';
import { until } from '../support/gateway-client.js';
import { longDatabaseTimeouts } from '../support/test-database.js';

const clients = 40;
const lagMs = runs(500, 5_000);
const thinkMs = runs(50, 15);
const minRequests = runs(2_000, 10_000);

/** As docs/operations.md recommends: longer than the load balancer needs to notice, plus a second. */
const drainMs = lagMs + 1_000;

describe.each([
  { how: 'by a balancer that notices in time', balancerLagMs: lagMs, standstillMs: 0 },
  { how: 'by a balancer that notices a second too late', balancerLagMs: drainMs + 1_000, standstillMs: 0 },
  { how: 'suspended while they drain', balancerLagMs: lagMs, standstillMs: drainMs + 500 },
])('a rolling restart of three nodes $how', ({ balancerLagMs, standstillMs }) => {
  let cluster: Cluster;
  let balancer: Balancer;
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  beforeAll(async () => {
    cluster = await Cluster.start(3, undefined, {
      ...longDatabaseTimeouts,
      SHUTDOWN_DRAIN_MS: `${drainMs}`,
      // Only this few are opened at once: one opened while its node is suspended is abandoned, and its caller gets 503.
      DATABASE_POOL_SIZE: '2',
    });
    balancer = await Balancer.start(balancerLagMs);
    for (const { url } of cluster.nodes) balancer.add(url);
    await until(() => Promise.resolve(balancer.ready === 3), balancerLagMs + 10_000, 20);
  }, 120_000);
  afterAll(async () => {
    agent.destroy();
    await balancer?.close();
    await cluster?.stop();
  });

  /** @returns 200, another status with its text, or what broke */
  const call = (method: string, path: string, body?: object): Promise<number | string> =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(balancer.url);
      const headers = { authorization: `Bearer ${cluster.token()}` };
      const outgoing = request({ hostname, port, method, path: `${cluster.path}${path}`, headers, agent }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () => resolve(answer.statusCode === 200 ? 200 : `${answer.statusCode}: ${text}`));
        answer.on('error', (error) => resolve(error.message));
      });
      outgoing.on('error', (error) => resolve(error.message));
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });

  it('fails no request of forty clients with persistent connections', async () => {
    let [restarting, requests] = [true, 0];
    const failures = new Map<number | string, number>();
    const client = async (): Promise<void> => {
      for (let turn = 0; restarting || requests < minRequests; turn += 1) {
        const username = aUsername('rolling');
        const outcome =
          turn % 4 === 0
            ? await call('POST', '/users', { username, password: 'p' })
            : await call('GET', '/users?limit=2');
        requests += 1;
        if (outcome !== 200) failures.set(outcome, (failures.get(outcome) ?? 0) + 1);
        // Forty clients without a pause would be a test of overload.
        await sleep(thinkMs);
      }
    };
    const load = Promise.all(Array.from({ length: clients }, client));
    const exits: (number | null)[] = [];
    for (const leaving of [...cluster.nodes]) {
      await sleep(200);
      const exit = leaving.stop();
      if (standstillMs > 0) {
        await sleep(lagMs / 2);
        leaving.suspend();
        await sleep(standstillMs);
        leaving.resume();
      }
      exits.push(await exit);
      const next = await cluster.startNode();
      balancer.add(next.url);
      await until(() => Promise.resolve(balancer.ready === 3), balancerLagMs + 30_000, 20);
    }
    restarting = false;
    await load;
    console.log(`three nodes restarted under ${requests} requests: ${[...failures.values()].length} kinds of failure`);
    expect([...failures]).toEqual([]);
    expect(requests).toBeGreaterThanOrEqual(minRequests);
    expect(exits).toEqual([0, 0, 0]);
  }, 300_000);
});
