// Loaded before the service: on SIGUSR2 it prints the longest event loop delay since the last time, in ms.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delays = monitorEventLoopDelay({ resolution: 2 });
delays.enable();
process.on('SIGUSR2', () => {
  process.stdout.write(`${delays.max / 1e6}\n`);
  delays.reset();
});
