import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @param {string} path */
export const readIfPresent = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** @param {string[]} paths */
export function digest(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(`${path}\0${readIfPresent(path)}\0`);
  return hash.digest('hex');
}

/** @param {string} folder @returns {string[]} */
export const filesUnder = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
