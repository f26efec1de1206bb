// The load generator: wrk with a generated script.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { scatter } from './names.mjs';

const run = promisify(execFile);
const preparedRequests = 20_000;

/**
 * What to send. `path` and `body` are Lua expressions, in which `any()` is the name of an existing user, `next()` the
 * next such name in turn, `some()` one of the first 1,000 half of the time, `fresh()` an unused name, and `list(n, f)`
 * n results of `f`, separated by commas.
 *
 * @typedef {object} Load
 * @property {string} method
 * @property {string} path
 * @property {string} [body]
 * @property {Record<string, string>} [headers]
 * @property {boolean} [once] every request is different: none is prepared before the run and sent again
 */

/**
 * @typedef {object} Driven
 * @property {number} perSecond answered requests
 * @property {number} requests
 * @property {number} p50 milliseconds
 * @property {number} p99 milliseconds
 * @property {number} refused answers with a status of 400 and more
 * @property {number} broken connections, reads, writes and answers that failed or never came
 */

export async function checkWrk() {
  // wrk exits with 1 after printing its version.
  const found = await run('wrk', ['-v']).catch((/** @type {NodeJS.ErrnoException} */ error) => error.code !== 'ENOENT');
  if (!found) throw new Error('The benchmarks need wrk. Debian, Ubuntu: apt-get install wrk; macOS: brew install wrk.');
}

let runs = 0;
const started = Date.now().toString(36).slice(-6);

/**
 * @param {string} url @param {Load} load
 * @param {{ connections: number, seconds: number, users: number, first?: number }} options
 * @returns {Promise<Driven>}
 */
export async function drive(url, load, { connections, seconds, users, first = 0 }) {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-wrk-'));
  const script = join(folder, 'load.lua');
  try {
    await writeFile(script, luaOf(load, users, first));
    const { stdout } = await run('wrk', [
      ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '10s', '-s', script, url],
    ]);
    const line = stdout.split('\n').find((text) => text.startsWith('RESULT '));
    if (line === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
    return JSON.parse(line.slice('RESULT '.length));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {Load} load @param {number} users @param {number} first */
function luaOf({ method, path, body = 'nil', headers = {}, once = false }, users, first) {
  runs += 1;
  const tag = `.${started}${runs.toString(36)}`;
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  const make = `wrk.format(${JSON.stringify(method)}, ${path}, nil, ${body})`;
  const send = once
    ? `request = function() return ${make} end`
    : `local prepared, sent = {}, 0
init = function()
  for index = 1, ${preparedRequests} do prepared[index] = ${make} end
end
request = function()
  sent = sent % ${preparedRequests} + 1
  return prepared[sent]
end`;
  return `${lines.join('\n')}
math.randomseed(${runs})
local function name(index) return string.format("u%08x", (index * ${scatter}) % 4294967296) end
local function any() return name(math.random(0, ${users - 1})) end
local function some() return math.random() < 0.5 and name(math.random(0, 999)) or any() end
local turn, made = ${first}, 0
local function next() turn = turn + 1; return name(turn % ${users}) end
local function fresh() made = made + 1; return string.format("n%08x${tag}", (made * ${scatter}) % 4294967296) end
local function list(count, one)
  local all = {}
  for index = 1, count do all[index] = one() end
  return table.concat(all, ",")
end
${send}
done = function(summary, latency)
  local e = summary.errors
  print(string.format('RESULT {"perSecond":%f,"requests":%d,"p50":%f,"p99":%f,"refused":%d,"broken":%d}',
    summary.requests / summary.duration * 1e6, summary.requests, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, e.status, e.connect + e.read + e.write + e.timeout))
end
`;
}
