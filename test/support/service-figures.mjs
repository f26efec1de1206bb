/**
 * What a service reports at /metrics: its memory, its open files and sockets, its event loop delay. Nothing has to be
 * loaded into it for that, and an answer proves that it is alive.
 *
 * @typedef {object} ServiceFigures
 * @property {number} residentBytes
 * @property {number} handles open files, sockets among them
 * @property {number} sessions
 * @property {number} loopDelayP99Ms since the last query
 * @property {(name: string, labels?: string) => number} sum of a metric, over the labels that contain this text
 */

/** @param {string} url of the service @returns {Promise<ServiceFigures>} */
export async function figuresOf(url) {
  // A persistent connection would be counted among the handles for as long as the service keeps it.
  const response = await fetch(`${url}/metrics`, { headers: { connection: 'close' } });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}: ${text}`);
  const lines = text.split('\n').flatMap((line) => {
    const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return value === undefined ? [] : [{ name, labels, value: Number(value) }];
  });
  const sum = (/** @type {string} */ wanted, /** @type {string} */ part = '') =>
    lines
      .filter(({ name, labels }) => name === wanted && labels.includes(part))
      .reduce((total, { value }) => total + value, 0);
  return {
    residentBytes: sum('rollcall_process_resident_memory_bytes'),
    handles: sum('rollcall_process_open_fds'),
    sessions: sum('rollcall_sessions'),
    loopDelayP99Ms: sum('rollcall_nodejs_eventloop_lag_p99_seconds') * 1000,
    sum,
  };
}
