import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface WatchedCall {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Watched {
  /** How long each call took. */
  readonly ms: readonly number[];
  /** 0 for a call without an answer. */
  readonly statuses: readonly number[];
}

/** Calls each address repeatedly in its own thread until the work is done: what others experience meanwhile. */
export async function watchCalls(calls: readonly WatchedCall[], work: Promise<unknown>): Promise<Watched[]> {
  const worker = new Worker(new URL('call-watcher.mjs', import.meta.url), {
    workerData: calls.map(({ url, headers = {} }) => ({ url, headers })),
    // Not the suite's exec arguments, which would load its packages.
    execArgv: [],
  });
  const exited = once(worker, 'exit');
  const watched = once(worker, 'message') as Promise<[Watched[]]>;
  await work;
  worker.postMessage('end');
  const [seen] = await watched;
  await exited;
  return seen;
}
