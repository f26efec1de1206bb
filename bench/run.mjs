// `npm run bench`: Rollcall and bare programs, driven in turns. docs/performance.md explains how and shows results.
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureGrowth } from './growth.mjs';
import { hottest } from './profile.mjs';
import { race } from './race.mjs';
import { chartOf, curvesOf, plain, summarise, tableOf, writeAll } from './report.mjs';
import { rowsOf } from './rows.mjs';
import { Stage } from './stage.mjs';
import { checkWrk } from './wrk.mjs';

const usage = `npm run bench -- [options]
  --short           a first look in under a minute: few users, the main rows
  --peer            also ejabberd, where the table compares with it
  --only ROW,…      these rows only (a part of the name is enough)
  --growth          how cost grows with users, connections and nodes, instead of the table
  --against FOLDER  also another build (its dist), on the main rows
  --profile FOLDER  writes CPU profiles of Rollcall there and tells what took the time
  --dist FOLDER     the build to measure (default dist)
  --users N         users in the app (default 1000000, short 20000)
  --rounds N        rounds of each row (default 5, short 2)
  --seconds N       of one round of one program (default 5, short 1)
  --minutes N       stops beginning new rounds after this time (default 45)
  --cache FOLDER    where filled databases are kept (default: rollcall-bench-cache in the temporary folder)
  --out FOLDER      where results go (default bench/results)`;

const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    peer: { type: 'boolean', default: false },
    growth: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    only: { type: 'string' },
    against: { type: 'string' },
    profile: { type: 'string' },
    dist: { type: 'string', default: join(import.meta.dirname, '../dist') },
    users: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    minutes: { type: 'string', default: '45' },
    cache: { type: 'string', default: join(tmpdir(), 'rollcall-bench-cache') },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
  },
});
if (options.help) {
  console.log(usage);
  process.exit();
}

const startedAt = performance.now();
const elapsed = () => Math.round((performance.now() - startedAt) / 1000);
let doing = '';
/** @param {string} text */
const say = (text) => process.stderr.write(`[${String(elapsed()).padStart(4)} s] ${doing}${text}\n`);

const dist = resolve(options.dist);
const profiles = options.profile === undefined ? null : resolve(options.profile);
const users = Number(options.users ?? (options.short ? 20_000 : 1_000_000));
const rounds = Number(options.rounds ?? (options.short ? 2 : 5));
const seconds = Number(options.seconds ?? (options.short ? 1 : 5));
const outOfTime = () => elapsed() > Number(options.minutes) * 60;
const plan = { rounds, seconds, outOfTime, say };
const stage = new Stage({
  ...{ users, dist, say, cache: resolve(options.cache) },
  profiles,
  against: options.against === undefined ? null : resolve(options.against),
});

for (const [signal, number] of /** @type {[NodeJS.Signals, number][]} */ ([
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
]))
  // The servers' guards and those of the child processes clean up when this process ends.
  process.once(signal, () => void stage.stop().finally(() => process.exit(128 + number)));

/** @returns {Promise<import('./report.mjs').Result[]>} */
async function measureRows() {
  const { peer, only, short } = options;
  const wanted = only?.split(',');
  const all = rowsOf(stage, { peer, against: options.against !== undefined });
  const rows = all.filter(({ id, main }) =>
    wanted ? wanted.some((part) => id.includes(part)) : !short || main === true,
  );
  if (rows.length === 0) throw new Error(`no such row; there are ${all.map(({ id }) => id).join(', ')}`);
  /** @type {import('./report.mjs').Result[]} */
  const results = [];
  for (const [index, row] of rows.entries()) {
    doing = `${index + 1}/${rows.length} ${row.title} · `;
    if (outOfTime()) {
      results.push({ row, samples: new Map(), failed: 'out of time before its turn' });
      continue;
    }
    let end = () => {};
    try {
      say('begins');
      end = (await row.prepare?.()) ?? end;
      results.push({ row, samples: await race(stage, row.contestants, row.connections ?? 64, plan) });
    } catch (error) {
      say(`failed: ${error instanceof Error ? error.message : error}`);
      results.push({ row, samples: new Map(), failed: error instanceof Error ? error.message : String(error) });
      process.exitCode = 1;
    }
    end();
  }
  doing = '';
  return results;
}

try {
  await checkWrk();
  const at = new Date().toISOString();
  const [load = 0] = loadavg();
  const isBusy = load > availableParallelism() / 2;
  if (isBusy) say(`the machine is busy (load ${load.toFixed(1)}): trust ratios, not numbers`);
  if (options.growth) {
    const charts = await measureGrowth(stage, plan);
    await writeAll(options.out, {
      'growth.json': `${JSON.stringify({ at, seconds, rounds, busy: isBusy, charts }, null, 2)}\n`,
      'growth.svg': curvesOf(charts),
    });
    for (const { title, curves } of charts)
      for (const { name, points } of curves)
        console.log(`${title}: ${name}: ${points.map(([x, y]) => `${x}: ${Math.round(y)}`).join(', ')}`);
  } else {
    const summary = summarise(await measureRows(), { at, users, rounds, seconds, busy: isBusy });
    const table = tableOf(summary);
    await writeAll(options.out, {
      'latest.json': `${JSON.stringify(summary, null, 2)}\n`,
      'latest.md': table,
      'latest.svg': chartOf(summary),
    });
    console.log(plain(table));
  }
  say(`done; results are in ${options.out}`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  await stage.stop();
}
if (profiles !== null) for (const text of await hottest(profiles)) console.log(text);
