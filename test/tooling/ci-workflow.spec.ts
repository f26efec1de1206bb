import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { minVersion, satisfies } from 'semver';

const read = (path: string): string => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
const workflow = read('.github/workflows/ci.yml');

describe('the CI workflow', () => {
  it('runs every jest project except the one that plain npm test leaves out', () => {
    const projects = [...read('jest.config.mjs').matchAll(/^ {4}project\('([^']+)'/gm)].map(
      ([, name]) => name as string,
    );
    const listed = [...workflow.matchAll(/^ +(?:- |projects: )([a-z+ ]+)$/gm)].flatMap(([, names]) =>
      (names as string).split(' '),
    );
    expect(projects.length).toBeGreaterThan(5);
    expect(projects.filter((name) => !listed.includes(name))).toEqual(['galera']);
  });

  it('starts with the lowest Node.js that package.json allows, and names no unsupported version', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    const versions = [...(/node: \[(.*)\]/.exec(workflow)?.[1] ?? '').matchAll(/'([\d.]+)'/g)].map(([, text]) => text);
    expect(minVersion(engines.node)?.version).toBe(`${versions[0]}.0`);
    const newest = versions.map((version) => `${version}.999.999`.split('.').slice(0, 3).join('.'));
    expect(newest.filter((version) => !satisfies(version, engines.node))).toEqual([]);
  });
});
