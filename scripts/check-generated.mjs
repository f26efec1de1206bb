// docs/api/ is generated from the controllers; this fails if one was changed without the other.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const COMMITTED = 'docs/api';

/** @param {string} folder */
const documents = (folder) => (existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []);

/** @param {string} path */
const content = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

const fresh = mkdtempSync(join(tmpdir(), 'rollcall-openapi-'));
try {
  for (const args of [
    ['scripts/prepare.mjs', '--build'],
    ['dist/cli.js', 'openapi', '--out', fresh],
  ]) {
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`node ${args.slice(0, 2).join(' ')} failed`);
  }
  if (documents(fresh).length === 0) throw new Error('the command wrote no document');
  const stale = [...new Set([...documents(COMMITTED), ...documents(fresh)])].filter(
    (name) => content(join(COMMITTED, name)) !== content(join(fresh, name)),
  );
  if (stale.length > 0) throw new Error(`not fresh in ${COMMITTED}: ${stale.join(', ')}. Run: npm run openapi`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
