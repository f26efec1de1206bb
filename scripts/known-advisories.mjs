// Known vulnerabilities in production packages, and the versions that fix them. Needs no network. A range, an override
// or a careless downgrade must not bring one back.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInRange } from './set-up/supported-node.mjs';

/** @type {readonly { package: string, fixedIn: string, advisories: readonly string[] }[]} */
export const knownAdvisories = JSON.parse(readFileSync(join(import.meta.dirname, 'advisories.json'), 'utf8'));

/**
 * The production packages in a lock file that are older than the version that fixes a known vulnerability.
 * @param {{ packages: Readonly<Record<string, { version?: string, dev?: boolean }>> }} lock
 */
export function installedAndKnown({ packages }) {
  return Object.entries(packages).flatMap(([path, { version = '', dev }]) => {
    const name = path.split('node_modules/').at(-1);
    const known = knownAdvisories.find((one) => one.package === name);
    const isFound = path !== '' && dev !== true && known !== undefined && !isInRange(version, `>=${known.fixedIn}`);
    return isFound ? [{ ...known, path, version }] : [];
  });
}
