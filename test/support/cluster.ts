import { join } from 'node:path';
import { startRedis, type TestServer } from '../../scripts/test-servers.mjs';
import { aBootstrapApp } from '../factories/app.factory.js';
import { removeLimits, runCli, ServiceProcess } from './service-process.js';
import { createDatabase, type TestDatabase } from './test-database.js';
import { tokenOf } from './tokens.js';

const password = 'secret';
const maxBatchSize = 60;
const daySeconds = 86_400;
const clockAhead = join(import.meta.dirname, 'clock-ahead.mjs');

/** Nodes with their own MariaDB and Redis, and an app without rate limits. */
export class Cluster {
  /** The permanent nodes; tests stop others. */
  readonly nodes: ServiceProcess[] = [];
  redis!: TestServer;
  private readonly started: ServiceProcess[] = [];
  private credentials = aBootstrapApp();
  private database: TestDatabase | undefined;
  private env: Readonly<Record<string, string>> = {};

  get path(): string {
    return `/${this.credentials.org}/${this.credentials.name}`;
  }

  /**
   * @param nodes how many, or for each how far its clock is ahead, in milliseconds
   * @param through what the nodes use as the URL of Redis, given the real one
   * @param env settings of the nodes, in addition to or instead of those of a test; BOOTSTRAP_APPS adds apps to its own
   */
  static async start(
    nodes: number | readonly number[],
    through: (redisUrl: string) => Promise<string> | string = (url) => url,
    env: Readonly<Record<string, string>> = {},
  ) {
    const cluster = new Cluster();
    try {
      cluster.redis = await startRedis();
      cluster.database = await createDatabase('mariadb');
      cluster.env = {
        DATABASE_URL: cluster.database.url,
        REDIS_URL: await through(cluster.redis.url),
        PASSWORD_COST: 'm=8,t=1,p=1',
        GATEWAY_MAX_PENDING_PER_ADDRESS: '100000',
        SHUTDOWN_DRAIN_MS: '200',
        LOG_LEVEL: 'error',
        ...env,
        BOOTSTRAP_APPS: [cluster.credentials.text, env.BOOTSTRAP_APPS ?? []].flat().join(),
      };
      const [first, ...others] = typeof nodes === 'number' ? Array<number>(nodes).fill(0) : nodes;
      // It migrates.
      cluster.nodes.push(await cluster.startNode(first));
      cluster.nodes.push(...(await Promise.all(others.map((aheadMs) => cluster.startNode(aheadMs)))));
      await removeLimits(cluster.credentials, cluster.cliEnv);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Changes a setting of the app, as an operator does. Running nodes notice within a second. */
  async set(setting: string): Promise<void> {
    await runCli(['app', 'set', this.path.slice(1), setting], this.cliEnv);
  }

  /** Draws a new certificate for the app, which signs from now on. Running nodes notice within a second. */
  async rotate(): Promise<void> {
    const app = JSON.parse(await runCli(['app', 'rotate', this.path.slice(1)], this.cliEnv)) as { certificate: string };
    this.credentials = { ...this.credentials, certificate: app.certificate };
  }

  /** What identifies the app's server in the Qiscus dialect. */
  get qiscusServer(): Readonly<Record<string, string>> {
    return { 'qiscus-sdk-app-id': this.credentials.appId, 'qiscus-sdk-secret': this.credentials.certificate };
  }

  /** The command line reaches Redis where the nodes do, but tests inject faults there. */
  private get cliEnv(): Readonly<Record<string, string>> {
    return { ...this.env, REDIS_URL: '' };
  }

  get databaseUrl(): string {
    return this.database?.url ?? '';
  }

  /** One more node, which `stop` also stops. @param clockAheadMs of its wall clock */
  async startNode(clockAheadMs = 0): Promise<ServiceProcess> {
    const env = { ...this.env, CLOCK_AHEAD_MS: String(clockAheadMs) };
    const node = await ServiceProcess.start(env, clockAheadMs === 0 ? [] : [clockAhead]);
    this.started.push(node);
    return node;
  }

  /** A node's app token, which is valid on nodes whose clocks agree with its own. */
  async nodeToken(node: ServiceProcess): Promise<string> {
    const { appId: client_id, certificate: client_secret } = this.credentials;
    const { status, body } = await this.call(node, 'POST', '/token', {
      grant_type: 'client_credentials',
      client_id,
      client_secret,
    });
    if (status !== 200) throw new Error(`no token: ${JSON.stringify(body)}`);
    return body.access_token as string;
  }

  node(index: number): ServiceProcess {
    return this.nodes[index] as ServiceProcess;
  }

  /** A user's AccessToken2; the app's if there is no name. Valid even where a clock is hours ahead. */
  token(username: string | null = null): string {
    return tokenOf(this.credentials, username, daySeconds);
  }

  async call(
    node: ServiceProcess,
    method: string,
    path: string,
    body?: unknown,
    token = this.token(),
  ): Promise<{ status: number; body: any }> {
    const response = await fetch(`${node.url}${this.path}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  async register(usernames: readonly string[]): Promise<void> {
    for (let start = 0; start < usernames.length; start += maxBatchSize) {
      const users = usernames.slice(start, start + maxBatchSize).map((username) => ({ username, password }));
      const { status, body } = await this.call(this.node(0), 'POST', '/users', users);
      if (status !== 200) throw new Error(`no registration: ${JSON.stringify(body)}`);
    }
  }

  /** Which of these users a node reports as online. */
  async online(node: ServiceProcess, usernames: readonly string[]): Promise<Set<string>> {
    const online = new Set<string>();
    for (let start = 0; start < usernames.length; start += 100) {
      const names = usernames.slice(start, start + 100);
      const { status, body } = await this.call(node, 'POST', '/users/batch/status', { usernames: names });
      if (status !== 200) throw new Error(`no status: ${status}`);
      for (const answer of body.data as Record<string, string>[])
        for (const [name, state] of Object.entries(answer)) if (state === 'online') online.add(name);
    }
    return online;
  }

  async stop(): Promise<void> {
    await Promise.all(this.started.map((node) => node.kill()));
    await this.redis?.stop();
    await this.database?.drop();
  }
}

/** Runs `work` for each item, this many at a time. */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++)
      results[index] = await work(items[index] as Item, index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
