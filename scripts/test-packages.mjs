// For jest, which loads every module again for each test file: the packages that the service and the tests import, as a
// few files instead of 2,000. Loading those took up most of a short test file.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { externalPackages } from './external-packages.mjs';
import { digest, readIfPresent } from './set-up/files.mjs';

const folder = '.test-packages';
const stamp = join(folder, 'stamp');
/** It modifies what all others share, so jest loads it first. */
export const loadedFirst = 'reflect-metadata';

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
/** @type {string[]} */
const packages = [
  ...Object.keys(dependencies).filter((name) => !externalPackages.includes(name) && name !== loadedFirst),
  ...['@nestjs/common/constants.js', 'mysql2/promise', 'supertest', 'fast-check'],
];

/** @param {string} name */
const fileOf = (name) => name.replace(/\.js$/, '').replace(/\W+/g, '_');

/** jest's `moduleNameMapper`; empty if the files have not been created. */
export const moduleNameMapper = existsSync(stamp)
  ? Object.fromEntries(packages.map((name) => [`^${name}$`, `<rootDir>/${folder}/${fileOf(name)}.mjs`]))
  : {};

/** Creates the files unless they exist. */
export async function bundleTestPackages() {
  const fingerprint = digest([
    ...['package.json', 'node_modules/.package-lock.json', 'scripts/bundling.mjs', 'scripts/test-packages.mjs'],
    // A package that was changed by hand may export something else under the version that it had.
    ...packages.map((name) => join('node_modules', /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name, 'package.json')),
  ]);
  if (readIfPresent(stamp) === fingerprint) return;
  const { build } = await import('esbuild');
  const { external, plugins, settings } = await import('./bundling.mjs');
  rmSync(folder, { recursive: true, force: true });
  await build({
    ...settings,
    entryPoints: Object.fromEntries(packages.map((name) => [fileOf(name), `package:${name}`])),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    external: [...external, loadedFirst],
    plugins: [entries, ...plugins],
  });
  writeFileSync(stamp, fingerprint);
}

/** A module per package with all of its exports: for CommonJS, esbuild alone would export only the default. */
const entries = {
  name: 'entries',
  /** @param {import('esbuild').PluginBuild} bundle */
  setup(bundle) {
    bundle.onResolve({ filter: /^package:/ }, ({ path }) => ({ path: path.slice(8), namespace: 'package' }));
    bundle.onLoad({ filter: /.*/, namespace: 'package' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
      return { resolveDir: process.cwd(), contents: `export { ${names.join(', ')} } from '${path}';` };
    });
  },
};
