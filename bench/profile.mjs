import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const maxShown = 45;

/** @typedef {{ nodes: { id: number, callFrame: { functionName: string, url: string, lineNumber: number } }[], samples: number[], timeDeltas: number[] }} Profile */

/** Prints the functions with the most CPU time, for each profile in a folder. @param {string} folder */
export async function hottest(folder) {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.cpuprofile'));
  return Promise.all(
    names.map(async (name) => {
      /** @type {Profile} */
      const profile = JSON.parse(await readFile(join(folder, name), 'utf8'));
      const lines = timesOf(profile).map(([what, share]) => `${(share * 100).toFixed(1).padStart(5)} %  ${what}`);
      return [name, ...lines.slice(0, maxShown)].join('\n');
    }),
  );
}

/**
 * Self time by function, as shares of the time that was not idle. @param {Profile} profile @returns {[string,
 * number][]}
 */
function timesOf({ nodes, samples, timeDeltas }) {
  const frames = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const file = url.replace(/^file:\/\//, '').replace(/^.*\/(node_modules|dist)\//, '');
      return [id, `${functionName || '(anonymous)'} ${file}${url ? `:${lineNumber + 1}` : ''}`];
    }),
  );
  /** @type {Map<string, number>} */
  const times = new Map();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id) ?? '';
    if (/^\((idle|program)\)/.test(frame)) continue;
    const delta = timeDeltas[index] ?? 0;
    times.set(frame, (times.get(frame) ?? 0) + delta);
    total += delta;
  }
  return [...times]
    .map(([frame, time]) => /** @type {[string, number]} */ ([frame, time / total]))
    .sort((one, other) => other[1] - one[1]);
}
