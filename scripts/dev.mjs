// `npm run dev`: compiler and server both watch; the server starts after the first compilation. It runs the compiled
// modules directly, as bundling every change would take longer than loading them.
import { spawn } from 'node:child_process';

const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'];
const compiler = spawn(process.execPath, tsc, { stdio: ['ignore', 'pipe', 'inherit'] });
/** @type {import('node:child_process').ChildProcess[]} */
const children = [compiler];
process.once('exit', () => children.forEach((child) => child.kill()));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
compiler.once('exit', (code) => process.exit(code ?? 1));

compiler.stdout.on('data', (chunk) => {
  process.stderr.write(chunk);
  if (children.length === 1 && String(chunk).includes('Watching for file changes')) {
    const server = ['--watch', '--watch-preserve-output', '--enable-source-maps', 'build/main.js'];
    children.push(spawn(process.execPath, server, { stdio: 'inherit' }));
  }
});
