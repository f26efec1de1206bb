// A worker: users who send as fast as they can, whatever the answers, and reconnect when they are disconnected.
import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';

const { url, tokens, perSecond, bytes, receivers } = workerData;
const body = { msg: 'x'.repeat(bytes) };
const everyMs = 10;
/** How much each may have in flight; a socket that is not read accepts no more. */
const maxBufferedBytes = 1024 * 1024;
/** @type {{ sent: number, stored: number, refused: number, closed: Record<number, number> }} */
const counts = { sent: 0, stored: 0, refused: 0, closed: {} };

/** @param {string} token @param {number} index */
function connect(token, index) {
  const socket = new WebSocket(url);
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  socket.on('open', () => socket.send(JSON.stringify({ type: 'login', token, device: `flood-${index}` })));
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data));
    if (frame.type === 'sent') counts.stored += 1;
    if (frame.code === 'rate_limited') counts.refused += 1;
    if (frame.type !== 'ready') return;
    let due = 0;
    timer = setInterval(() => {
      for (due += (perSecond * everyMs) / 1_000; due >= 1; due -= 1) {
        if (socket.bufferedAmount > maxBufferedBytes) continue;
        const to = receivers[counts.sent % receivers.length];
        socket.send(JSON.stringify({ type: 'send', ref: counts.sent, to, body }));
        counts.sent += 1;
      }
    }, everyMs);
  });
  socket.on('error', () => undefined);
  socket.on('close', (code) => {
    clearInterval(timer);
    counts.closed[code] = (counts.closed[code] ?? 0) + 1;
    setTimeout(() => connect(token, index), 100);
  });
}

tokens.forEach(connect);
setInterval(() => parentPort?.postMessage(counts), 200);
