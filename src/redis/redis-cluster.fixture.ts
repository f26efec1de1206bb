import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisServer } from './redis-server.fixture.js';

const slots = 16_384;
const masters = 3;
const formWithinMs = 20_000;

/** A Redis Cluster of three masters without replicas, which keeps serving the slots of those that are up. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  static async start(): Promise<RedisCluster> {
    const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'];
    const partial = ['--cluster-require-full-coverage', 'no'];
    const nodes: RedisServer[] = [];
    const cluster = new RedisCluster(nodes);
    try {
      for (let index = 0; index < masters; index += 1) nodes.push(await RedisServer.start(...options, ...partial));
      await cluster.form();
      return cluster;
    } catch (error) {
      await cluster.remove();
      throw error;
    }
  }

  private async form(): Promise<void> {
    const { nodes } = this;
    for (const [index, node] of nodes.entries()) {
      const [from, to] = [Math.floor((slots * index) / masters), Math.floor((slots * (index + 1)) / masters) - 1];
      await ask(node, async (redis) => {
        await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
        await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
        await redis.call('CLUSTER', 'MEET', '127.0.0.1', (nodes[0] as RedisServer).port);
      });
    }
    for (const until = performance.now() + formWithinMs; !(await this.isWhole()); await sleep(50))
      if (performance.now() > until) throw new Error('the Redis Cluster did not form');
  }

  get url(): string {
    return `redis-cluster://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  /** The master of a key. */
  async masterOf(key: string): Promise<RedisServer> {
    const slot = await ask(this.nodes[0] as RedisServer, (redis) => redis.cluster('KEYSLOT', key));
    return this.nodes[Math.floor(((slot + 0.5) * masters) / slots)] as RedisServer;
  }

  /** Whether every node knows a live master for each slot. */
  async isWhole(): Promise<boolean> {
    const infos = await Promise.all(this.nodes.map((node) => ask(node, (redis) => redis.cluster('INFO'))));
    return infos.every(
      (info) =>
        info.includes('cluster_state:ok') &&
        info.includes(`cluster_slots_ok:${slots}`) &&
        info.includes('cluster_size:3'),
    );
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
  }
}

async function ask<Answer>(node: RedisServer, work: (redis: Redis) => Promise<Answer>): Promise<Answer> {
  const redis = new Redis(node.url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
