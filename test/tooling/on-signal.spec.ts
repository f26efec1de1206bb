import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const onSignal = pathToFileURL(join(import.meta.dirname, '../../scripts/on-signal.mjs')).href;
const program = `
  import { onSignal } from ${JSON.stringify(onSignal)};
  onSignal(['SIGINT', 'SIGTERM'], (signal) => (signal === 'SIGTERM' ? process.exit(0) : console.log(signal)));
  console.log('ready');
  setInterval(() => {}, 1e6);
`;

describe('on-signal.mjs', () => {
  it('treats the two signals of one Ctrl-C under npm as one, and a later one as another', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    const ended = once(child, 'close');
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    await sleep(50);
    child.kill('SIGINT');
    await sleep(700);
    expect(output).toBe('ready\nSIGINT\n');
    child.kill('SIGINT');
    await sleep(700);
    child.kill('SIGTERM');
    await ended;
    expect(output).toBe('ready\nSIGINT\nSIGINT\n');
  });
});
