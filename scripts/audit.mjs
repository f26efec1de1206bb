// `npm run audit`: known vulnerabilities in production packages, first from our own list, which needs no network, then
// from the registry. Exits with 0 if the registry knows none, 1 if there are some, 2 if our list has none but no
// registry answered.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedAndKnown, knownAdvisories } from './known-advisories.mjs';

const answerWithinMs = 60_000;

const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8'));
const known = installedAndKnown(lock);
for (const { path, version, fixedIn, advisories } of known)
  console.log(`${path} ${version}: ${advisories.join(', ')}; free of it from ${fixedIn} on`);
if (known.length === 0)
  console.log(`Our list (scripts/advisories.json): none of ${knownAdvisories.length} packages is below its floor.`);

const told = askRegistry();
if (told === null)
  console.log(
    'The registry gave no answer to `npm audit`: what is newer than our list is NOT known. Ask another registry.',
  );
else if (told.length === 0) console.log('The registry: no advisory for a package that runs in production.');
else for (const line of told) console.log(line);

if (known.length > 0 || (told ?? []).length > 0) process.exitCode = 1;
else if (told === null) process.exitCode = 2;

/**
 * One line per package with an advisory; null if there was no answer. npm exits with 1 in both cases. @returns
 * {string[] | null}
 */
function askRegistry() {
  const { stdout } = spawnSync('npm', ['audit', '--json', '--omit=dev'], {
    cwd: join(import.meta.dirname, '..'),
    encoding: 'utf8',
    timeout: answerWithinMs,
    maxBuffer: 64 * 1024 * 1024,
  });
  try {
    const { auditReportVersion, vulnerabilities } = JSON.parse(stdout);
    if (typeof auditReportVersion !== 'number') return null;
    return Object.values(vulnerabilities).map(({ name, severity, range, via }) => {
      const titles = via.map((/** @type {string | { title: string, url: string }} */ cause) =>
        typeof cause === 'string' ? `through ${cause}` : `${cause.title} ${cause.url}`,
      );
      return `${name} ${range}: ${severity}: ${titles.join('; ')}`;
    });
  } catch {
    return null;
  }
}
