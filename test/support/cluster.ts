import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { startRedis, type TestServer } from '../../scripts/test-servers.mjs';
import { aBootstrapApp } from '../factories/app.factory.js';
import { createDatabase, type TestDatabase } from './start-app.js';
import { tokenOf } from './tokens.js';

const password = 'secret';
const batchMost = 60;

/** `node dist/main.js`, as operators run it. */
export class ClusterNode {
  private constructor(
    readonly process: ChildProcess,
    readonly url: string,
  ) {}

  static async start(env: Readonly<Record<string, string>>): Promise<ClusterNode> {
    const child = spawn(process.execPath, ['dist/main.js'], {
      env: { PATH: process.env['PATH'], PORT: '0', LOG_LEVEL: 'error', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      output += chunk.toString();
      const url = /Rollcall is ready on (\S+)/.exec(output)?.[1];
      if (url === undefined) continue;
      // What it logs from now on is for nobody, and must not stop it.
      child.stdout?.resume();
      return new ClusterNode(child, url);
    }
    throw new Error(`a node did not start: ${output}`);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { exitCode, signalCode } = this.process;
    if (exitCode !== null || signalCode !== null) return;
    const exit = once(this.process, 'exit');
    this.process.kill(signal);
    await exit;
  }
}

/** Nodes on one MariaDB and one Redis of their own, and an app without rate limits. */
export class Cluster {
  /** Those that stay; tests end others. */
  readonly nodes: ClusterNode[] = [];
  redis!: TestServer;
  private readonly started: ClusterNode[] = [];
  private readonly credentials = aBootstrapApp();
  private database: TestDatabase | undefined;
  private env: Readonly<Record<string, string>> = {};

  get path(): string {
    return `/${this.credentials.org}/${this.credentials.name}`;
  }

  /**
   * @param through what the nodes take for the URL of Redis, given the real one
   * @param env settings of the nodes beside or instead of those of a test
   */
  static async start(
    nodes: number,
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
        BOOTSTRAP_APPS: cluster.credentials.text,
        PASSWORD_COST: 'm=8,t=1,p=1',
        GATEWAY_MAX_PENDING_PER_ADDRESS: '100000',
        SHUTDOWN_DRAIN_MS: '200',
        ...env,
      };
      // The first one migrates.
      cluster.nodes.push(await cluster.startNode());
      const others = Array.from({ length: nodes - 1 }, () => cluster.startNode());
      cluster.nodes.push(...(await Promise.all(others)));
      await cluster.set('rate_profile=off');
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Changes a setting of the app, as operators do. Running nodes see it within a second. */
  async set(setting: string): Promise<void> {
    const app = `${this.credentials.org}/${this.credentials.name}`;
    await promisify(execFile)(process.execPath, ['dist/cli.js', 'app', 'set', app, setting], {
      env: { ...process.env, ...this.env, REDIS_URL: '' },
    });
  }

  get databaseUrl(): string {
    return this.database?.url ?? '';
  }

  /** One more node, which `stop` ends as well. */
  async startNode(): Promise<ClusterNode> {
    const node = await ClusterNode.start(this.env);
    this.started.push(node);
    return node;
  }

  node(index: number): ClusterNode {
    return this.nodes[index] as ClusterNode;
  }

  /** A user's AccessToken2; without a name, the app's. */
  token(username: string | null = null): string {
    return tokenOf(this.credentials, username);
  }

  async call(node: ClusterNode, method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> {
    const response = await fetch(`${node.url}${this.path}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token()}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  async register(usernames: readonly string[]): Promise<void> {
    for (let start = 0; start < usernames.length; start += batchMost) {
      const users = usernames.slice(start, start + batchMost).map((username) => ({ username, password }));
      const { status, body } = await this.call(this.node(0), 'POST', '/users', users);
      if (status !== 200) throw new Error(`no registration: ${JSON.stringify(body)}`);
    }
  }

  /** Which of these users a node says are online. */
  async online(node: ClusterNode, usernames: readonly string[]): Promise<Set<string>> {
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

/** Does `work` for each item, so many at a time. */
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
