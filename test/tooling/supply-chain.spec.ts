import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import { installedAndKnown, knownAdvisories } from '../../scripts/known-advisories.mjs';

interface Entry {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly license?: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Binaries {
  readonly integrity: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '../..');
const read = (file: string): any => JSON.parse(readFileSync(join(root, file), 'utf8'));
const manifest = read('package.json');
const lock = read('package-lock.json') as { lockfileVersion: number; packages: Record<string, Entry> };
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
const nameOf = (path: string): string => path.split('node_modules/').at(-1) as string;
const production = packages.filter(([, { dev }]) => dev !== true);

/**
 * The minimum version of packages that handle untrusted bytes, and the vulnerabilities that it fixes. A range, an
 * override or a careless downgrade must not reintroduce one. SECURITY.md explains what each means here.
 */
const floors: readonly (readonly [name: string, floor: string, advisories: readonly string[]])[] = knownAdvisories.map(
  ({ package: name, fixedIn, advisories }) => [name, fixedIn, advisories],
);

const licences = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Python-2.0',
]);

/** Packages that may be present in two majors at run time, and why. */
const twoMajors: Readonly<Record<string, string>> = {
  'fast-uri': 'ajv 8 wants 3, fast-json-stringify 4; both are above their floors',
  'string-width': 'prints the help of the command line of typeorm',
};

describe('supply chain', () => {
  it.each(floors)('%s is at least %s everywhere, and so free of %j', (name) => {
    expect(production.filter(([path]) => nameOf(path) === name)).not.toEqual([]);
    expect(installedAndKnown(lock).filter((found) => found.package === name)).toEqual([]);
  });

  it('a version below its floor is found wherever it is installed', () => {
    const packages = {
      'node_modules/ws': { version: '8.20.9' },
      'node_modules/a/node_modules/ws': { version: '8.21.0' },
      'node_modules/b/node_modules/ws': { version: '7.99.0' },
      'node_modules/c/node_modules/ws': { version: '1.0.0', dev: true },
    };
    expect(installedAndKnown({ packages }).map(({ path, version }) => [path, version])).toEqual([
      ['node_modules/ws', '8.20.9'],
      ['node_modules/b/node_modules/ws', '7.99.0'],
    ]);
  });

  it('SECURITY.md covers every package with a floor', () => {
    const text = readFileSync(join(root, 'SECURITY.md'), 'utf8');
    expect(floors.filter(([name]) => !text.includes(`\`${name}\``)).map(([name]) => name)).toEqual([]);
    const advisories = floors.flatMap(([, , ids]) => ids);
    expect(advisories.filter((id) => !text.includes(id))).toEqual([]);
  });

  it('every direct dependency has one exact version, which is the locked one', () => {
    const direct = { ...manifest.dependencies, ...manifest.devDependencies } as Record<string, string>;
    for (const [name, version] of Object.entries(direct))
      expect([name, lock.packages[`node_modules/${name}`]?.version]).toEqual([name, version]);
    expect(Object.values(direct).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('every package is pinned by a strong hash, and not to an address', () => {
    expect(lock.lockfileVersion).toBe(3);
    expect(packages.length).toBeGreaterThan(500);
    const weak = packages.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''));
    expect(weak.map(([path]) => path)).toEqual([]);
    // Whoever installs chooses the registry; npm refuses a hash that does not match.
    expect(packages.filter(([, { resolved, link }]) => resolved !== undefined || link === true)).toEqual([]);
    expect(readFileSync(join(root, '.npmrc'), 'utf8')).toMatch(/^omit-lockfile-registry-resolved=true$/m);
  });

  it('nothing comes from git, a URL or a folder', () => {
    const wanted = [...packages, ['', lock.packages['']] as [string, Entry]].flatMap(
      ([path, { dependencies, optionalDependencies }]) =>
        Object.entries({ ...dependencies, ...optionalDependencies }).map(
          ([name, range]) => [path, name, range] as const,
        ),
    );
    expect(wanted.length).toBeGreaterThan(500);
    expect(wanted.filter(([, , range]) => /[:/]/.test(range) && !range.startsWith('npm:'))).toEqual([]);
  });

  it('no package runs scripts on installation, wherever npm ci is called', () => {
    expect(readFileSync(join(root, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
    expect(readFileSync(join(root, 'Dockerfile'), 'utf8')).toMatch(/^COPY .*\.npmrc .*\nRUN npm ci$/m);
  });

  it('every package supports every Node.js that package.json allows', () => {
    const wanted = packages.flatMap(([path, { engines }]) => (engines?.node ? [[path, engines.node] as const] : []));
    expect(wanted.length).toBeGreaterThan(300);
    expect(wanted.filter(([, range]) => !semver.subset(manifest.engines.node as string, range))).toEqual([]);
  });

  it('the Node.js that is fetched is among those, on every platform, and pinned by hash', () => {
    const platforms = Object.entries(read('scripts/set-up/node-binaries.json') as Record<string, Binaries>);
    const isSupported = (version: string) => semver.satisfies(version, manifest.engines.node as string);
    const preferred = readFileSync(join(root, '.nvmrc'), 'utf8').trim();
    expect(isSupported(preferred)).toBe(true);
    expect(platforms.length).toBe(5);
    for (const [platform, { integrity }] of platforms) {
      const versions = Object.keys(integrity);
      expect([platform, versions]).toEqual([platform, semver.sort([...versions])]);
      expect([platform, isSupported(versions.at(-1) as string)]).toEqual([platform, true]);
      for (const hash of Object.values(integrity)) expect(hash).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
    }
    expect(Object.keys(platforms.find(([platform]) => platform === 'linux-x64')?.[1].integrity ?? {})).toContain(
      preferred,
    );
  });

  it('every production package has a permissive licence', () => {
    const allowed = (licence = ''): boolean =>
      licences.has(licence) ||
      (/^\((?:[^()]+)\)$/.test(licence) &&
        licence
          .slice(1, -1)
          .split(' OR ')
          .some((one) => licences.has(one)));
    expect(
      production.filter(([, { license }]) => !allowed(license)).map(([path, { license }]) => [path, license]),
    ).toEqual([]);
  });

  it('no package is present in two majors at run time without a reason', () => {
    const majors = new Map<string, Set<string>>();
    for (const [path, { version }] of production) {
      const name = nameOf(path);
      majors.set(name, (majors.get(name) ?? new Set()).add(version.split('.')[0] as string));
    }
    const twice = [...majors].filter(([, seen]) => seen.size > 1).map(([name]) => name);
    expect(twice.sort()).toEqual(Object.keys(twoMajors).sort());
  });
});
