// How many passwords a second this machine hashes when otherwise idle: node bench/bare/argon2.mjs [seconds]
import { hash } from '@node-rs/argon2';
import { availableParallelism } from 'node:os';

const seconds = Number(process.argv[2] ?? 5);
const cost = { memoryCost: 19456, timeCost: 2, parallelism: 1 };

const startedAt = performance.now();
const elapsed = () => (performance.now() - startedAt) / 1000;
let hashes = 0;
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (; elapsed() < seconds; hashes += 1) await hash('a password of some length', cost);
  }),
);
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ perSecond: hashes / elapsed(), cpuMicros: (user + system) / hashes }));
