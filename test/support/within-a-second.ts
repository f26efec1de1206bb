import { setTimeout as sleep } from 'node:timers/promises';

const longestMs = 900;
const attempts = 6;

/**
 * Runs calls that are to be counted within one second. If a busy machine takes longer, a failure means nothing: they
 * are repeated once that second is over.
 */
export async function withinASecond(calls: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const startedAt = performance.now();
    try {
      return await calls();
    } catch (error) {
      if (performance.now() - startedAt < longestMs || attempt === attempts) throw error;
      await sleep(1_100);
    }
  }
}
