import { runWithProgress } from '../run-with-progress.mjs';

/**
 * Runs the npm that called us, otherwise the one on the PATH.
 *
 * @param {string[]} args
 * @param {string} doing describes the work to a person who waits
 */
export function runNpm(args, doing) {
  const [command, first] = process.env.npm_execpath?.endsWith('npm-cli.js')
    ? [process.execPath, [process.env.npm_execpath]]
    : [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
  return runWithProgress(command, [...first, ...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    doing: () => doing,
  });
}
