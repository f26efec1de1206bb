import { once } from 'node:events';
import { WebSocket } from 'ws';
import { nameOf } from './names.mjs';

const atOnce = 50;
const answerWithinMs = 20_000;

/**
 * Online users: each is logged in at the gateway until `close` is called.
 *
 * @param {import('./stage.mjs').Stage} stage @param {string} url @param {number} count
 */
export async function connectSessions(stage, url, count) {
  /** @type {WebSocket[]} */
  const sockets = [];
  for (let start = 0; start < count; start += atOnce)
    await Promise.all(
      Array.from({ length: Math.min(atOnce, count - start) }, async (_, index) => {
        const socket = new WebSocket(`${url.replace('http', 'ws')}/bench/bench/ws`);
        socket.on('error', () => undefined);
        await once(socket, 'open', { signal: AbortSignal.timeout(answerWithinMs) });
        const token = stage.userToken(nameOf(start + index));
        socket.send(JSON.stringify({ type: 'login', token, platform: 'web', device: 'bench' }));
        const [data] = await once(socket, 'message', { signal: AbortSignal.timeout(answerWithinMs) });
        const { type } = JSON.parse(String(data));
        if (type !== 'ready') throw new Error(`the gateway sent ${data}`);
        sockets.push(socket);
      }),
    );
  return () => {
    for (const socket of sockets) socket.terminate();
  };
}
