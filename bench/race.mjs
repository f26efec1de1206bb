import { cpuSeconds, residentMb } from './processes.mjs';
import { drive } from './wrk.mjs';

const warmUpSeconds = 2;

/**
 * @typedef {object} Sample
 * @property {number} perSecond
 * @property {number} [p50] milliseconds
 * @property {number} [p99] milliseconds
 * @property {number} [cpuMicros] processor time of the server for each request
 * @property {number} [databaseCpuMicros] the same of its database
 * @property {number} [residentMb] of the server, at the end of the round
 * @property {number} [othersP99] milliseconds: other calls at the same time
 */

/**
 * A contestant of a row: something to drive with wrk, or a measurement of its own.
 *
 * @typedef {object} Contestant
 * @property {string} name
 * @property {string} [on] a server of the stage
 * @property {import('./wrk.mjs').Load | ((server: import('./stage.mjs').Server) => import('./wrk.mjs').Load)} [load]
 * @property {boolean} [mayRefuse] answers of 400 and more are what is measured
 * @property {(server: import('./stage.mjs').Server) => Promise<() => Promise<Partial<Sample>>>} [beside] runs
 * concurrently
 * @property {(seconds: number) => Promise<Sample>} [measure]
 */

/**
 * @typedef {object} Plan
 * @property {number} rounds
 * @property {number} seconds of one round of one contestant
 * @property {() => boolean} outOfTime
 * @property {(text: string) => void} say
 */

/**
 * Drives the contestants in turns, so that other load on the machine affects all of them.
 *
 * @param {import('./stage.mjs').Stage} stage @param {Contestant[]} contestants @param {number} connections
 * @param {Plan} plan
 * @returns {Promise<Map<string, Sample[]>>} the samples of round n are at index n
 */
export async function race(stage, contestants, connections, { rounds, seconds, outOfTime, say }) {
  /** @type {Map<string, Sample[]>} */
  const samples = new Map(contestants.map(({ name }) => [name, []]));
  // Until the code is JIT-compiled.
  for (const contestant of contestants) await run(stage, contestant, connections, Math.min(warmUpSeconds, seconds), 0);
  for (let round = 1; round <= rounds; round += 1) {
    if (round > 1 && outOfTime()) break;
    // The first place rotates.
    const order = contestants.map((_, index) => contestants[(index + round) % contestants.length] ?? contestants[0]);
    /** @type {string[]} */
    const figures = [];
    for (const contestant of order) {
      if (contestant === undefined) continue;
      const sample = await run(stage, contestant, connections, seconds, round / (rounds + 1));
      samples.get(contestant.name)?.push(sample);
      figures.push(`${contestant.name} ${Math.round(sample.perSecond).toLocaleString('en')}/s`);
    }
    say(`round ${round}/${rounds}: ${figures.join(', ')}`);
  }
  return samples;
}

/** @param {import('./stage.mjs').Stage} stage @param {Contestant} contestant @param {number} connections @param {number} seconds @param {number} share where in the list of users `next()` begins */
async function run(stage, contestant, connections, seconds, share) {
  const { on, load, measure, beside, mayRefuse = false, name } = contestant;
  if (measure !== undefined) return measure(seconds);
  if (on === undefined || load === undefined) throw new Error(`${name} has nothing to do`);
  const server = await stage.server(on);
  const cpuBefore = cpuOf(server);
  const stopBeside = await beside?.(server);
  const driven = await drive(server.url, typeof load === 'function' ? load(server) : load, {
    connections,
    seconds,
    users: server.users,
    first: Math.floor(server.users * share),
  });
  const more = await stopBeside?.();
  const cpuAfter = cpuOf(server);
  if (driven.broken > 0 || (driven.refused > 0 && !mayRefuse))
    throw new Error(
      `${name}: of ${driven.requests} requests, ${driven.refused} got an error and ${driven.broken} no answer`,
    );
  return {
    perSecond: driven.perSecond,
    p50: driven.p50,
    p99: driven.p99,
    cpuMicros: ((cpuAfter.own - cpuBefore.own) / driven.requests) * 1e6,
    databaseCpuMicros: ((cpuAfter.database - cpuBefore.database) / driven.requests) * 1e6,
    residentMb: residentMb(server.pid),
    ...more,
  };
}

/** @param {import('./stage.mjs').Server} server */
function cpuOf({ pid, databasePids }) {
  return { own: cpuSeconds(pid), database: databasePids.reduce((sum, one) => sum + cpuSeconds(one), 0) };
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return sorted.length === 0 ? NaN : ((sorted[Math.ceil(middle - 1)] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}
