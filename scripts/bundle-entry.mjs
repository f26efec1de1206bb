// What `dist/main.js` and `dist/cli.js` do before and around everything else: this file is bundled into both.
import { isInRange } from './set-up/supported-node.mjs';

/** @param {string} sentence @returns {never} */
function refuse(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** @param {string} range */
export function refuseUnsupportedNode(range) {
  const { node } = process.versions;
  if (isInRange(node, range)) return;
  refuse(
    `Rollcall needs Node.js ${range}, and this is ${node}. npm start fetches a private one; or install one from https://nodejs.org`,
  );
}

/** For a package that is missing, or an addon that was installed for another platform. @param {any} error */
export function explainUnloadable(error) {
  if (!/MODULE_NOT_FOUND|DLOPEN_FAILED|native binding/.test(`${error?.code} ${error?.message}`)) throw error;
  const [reason] = error.message.split(/\.\s|\n/);
  refuse(
    `A package does not load on ${process.platform}-${process.arch}: ${reason}.\nInstall the packages on this machine: npm ci`,
  );
}
