// Two commands that start at the same time do not install or build over each other.
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { say } from './say.mjs';

const LOCK = '.prepare.lock';
const LOCK_ABANDONED_AFTER_MS = 30_000;

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

// The age counts too: in a container, the same small pid is soon reused.
function lockIsAbandoned() {
  try {
    const age = Date.now() - statSync(LOCK).mtimeMs;
    const owner = Number(readFileSync(LOCK, 'utf8'));
    return age > LOCK_ABANDONED_AFTER_MS || (owner > 0 && (owner === process.pid || !isAlive(owner)));
  } catch {
    return false;
  }
}

function removeAbandonedLock() {
  const mine = `${LOCK}.${process.pid}`;
  try {
    // If several find it abandoned, the rename lets one through.
    renameSync(LOCK, mine);
    rmSync(mine);
  } catch {
    // Another was faster.
  }
}

async function takeLock() {
  for (let waiting = false; ;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    if (lockIsAbandoned()) {
      removeAbandonedLock();
      continue;
    }
    if (!waiting) say('Another command is installing or building here: waiting for it.');
    waiting = true;
    await delay(200);
  }
}

/** @param {() => Promise<void>} work */
export async function withLock(work) {
  await takeLock();
  const refresh = setInterval(() => utimesSync(LOCK, new Date(), new Date()), 5_000).unref();
  const release = () => rmSync(LOCK, { force: true });
  const interrupted = () => process.exit(130);
  const terminated = () => process.exit(143);
  process.once('exit', release).once('SIGINT', interrupted).once('SIGTERM', terminated);
  await work();
  // Whatever runs in this process afterwards handles signals in its own way.
  process.off('exit', release).off('SIGINT', interrupted).off('SIGTERM', terminated);
  clearInterval(refresh);
  release();
}
