// A thread that calls addresses in turn, each after the previous answer, until it is told to end. It has its own event
// loop, so that it measures the service and not how busy the suite is with its attack.
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const pauseMs = 5;
const agent = new Agent({ keepAlive: true });
let isRunning = true;
parentPort?.once('message', () => (isRunning = false));

/** @param {{ url: string, headers: Record<string, string> }} target @returns {Promise<number>} the status */
function call({ url, headers }) {
  return new Promise((resolve) => {
    get(url, { headers, agent }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    }).once('error', () => resolve(0));
  });
}

/** @param {{ url: string, headers: Record<string, string> }} target */
async function watch(target) {
  /** @type {{ ms: number[], statuses: number[] }} */
  const seen = { ms: [], statuses: [] };
  while (isRunning) {
    const startedAt = performance.now();
    seen.statuses.push(await call(target));
    seen.ms.push(performance.now() - startedAt);
    await sleep(pauseMs);
  }
  return seen;
}

const targets = /** @type {{ url: string, headers: Record<string, string> }[]} */ (workerData);
parentPort?.postMessage(await Promise.all(targets.map(watch)));
agent.destroy();
