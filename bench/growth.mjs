// How cost grows with users, connections and nodes: the same calls at each size.
import { median } from './race.mjs';
import { rowsOf } from './rows.mjs';
import { Stage } from './stage.mjs';
import { drive } from './wrk.mjs';

const userCounts = [10_000, 100_000, 1_000_000];
const connectionCounts = [1, 4, 16, 64, 256];
const nodeCounts = [1, 2, 3];
/** By the names of their rows and contestants. */
const calls = [
  { name: 'GET, SQLite', row: 'get-sqlite', contestant: 'Rollcall' },
  { name: 'GET, MariaDB', row: 'get-mariadb', contestant: 'Rollcall' },
  { name: 'register, SQLite', row: 'register-sqlite', contestant: 'Rollcall' },
  { name: 'register, MariaDB', row: 'register-mariadb', contestant: 'Rollcall' },
];
const lists = [
  { name: 'last page, SQLite', row: 'list-sqlite', contestant: 'last page' },
  { name: 'last page, MariaDB', row: 'list-mariadb', contestant: 'last page' },
];

/**
 * @param {Stage} stage of the largest size; the others are created along with it
 * @param {import('./race.mjs').Plan} plan
 */
export async function measureGrowth(stage, { rounds, seconds, say }) {
  const { options } = stage;
  /** @param {Stage} on @param {{ name: string, row: string, contestant: string }} call @param {number} connections */
  const measure = async (on, call, connections, nodes = 1) => {
    const rows = rowsOf(on, { peer: false, against: false });
    const contestant = rows.find(({ id }) => id === call.row)?.contestants.find(({ name }) => name === call.contestant);
    const name = contestant?.on ?? '';
    const servers = nodes === 1 ? [await on.server(name)] : await on.nodes(nodes);
    /** @type {number[]} */
    const samples = [];
    // Round 0 is a warm-up.
    for (let round = 0; round <= rounds; round += 1) {
      const driven = await Promise.all(
        servers.map((server) => {
          const load = typeof contestant?.load === 'function' ? contestant.load(server) : contestant?.load;
          if (load === undefined) throw new Error(`${call.name} cannot be driven`);
          return drive(server.url, load, {
            connections: Math.max(1, Math.round(connections / nodes)),
            ...{ seconds, users: server.users },
          });
        }),
      );
      if (round > 0) samples.push(driven.reduce((sum, { perSecond }) => sum + perSecond, 0));
    }
    say(
      `${call.name}, ${on.options.users} users, ${connections} connections, ${nodes} node(s): ${Math.round(median(samples))}/s`,
    );
    return median(samples);
  };

  /** @type {Map<string, [number, number][]>} */
  const byUsers = new Map();
  for (const users of userCounts.filter((count) => count <= options.users)) {
    const sized = users === options.users ? stage : new Stage({ ...options, users });
    try {
      for (const call of [...lists, ...calls])
        byUsers.set(call.name, [...(byUsers.get(call.name) ?? []), [users, await measure(sized, call, 64)]]);
    } finally {
      if (sized !== stage) await sized.stop();
    }
  }
  /** @type {Map<string, [number, number][]>} */
  const byConnections = new Map();
  for (const call of calls)
    for (const connections of connectionCounts)
      byConnections.set(call.name, [
        ...(byConnections.get(call.name) ?? []),
        [connections, await measure(stage, call, connections)],
      ]);
  /** @type {Map<string, [number, number][]>} */
  const byNodes = new Map();
  for (const call of calls.filter(({ row }) => row.endsWith('mariadb')))
    for (const nodes of nodeCounts)
      byNodes.set(call.name, [...(byNodes.get(call.name) ?? []), [nodes, await measure(stage, call, 96, nodes)]]);

  /** @param {Map<string, [number, number][]>} curves */
  const named = (curves) => [...curves].map(([name, points]) => ({ name, points }));
  return [
    { title: 'Calls a second by users', axis: 'users in the app (64 connections)', curves: named(byUsers) },
    {
      title: 'Calls a second by connections',
      axis: `connections (${options.users} users)`,
      curves: named(byConnections),
    },
    {
      title: 'Calls a second by nodes',
      axis: 'nodes on this machine, with Redis (96 connections)',
      curves: named(byNodes),
    },
  ];
}
