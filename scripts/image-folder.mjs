// `node scripts/image-folder.mjs FOLDER`, after a build: creates the folder that the image contains. That is `dist/`
// and, of the packages left out of the bundle, what is read at run time on this platform.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { externalPackages } from './external-packages.mjs';

/** Sources to compile from, binaries for other platforms, and variants of Swagger UI that our page does not load. */
const LEFT_OUT = /** @type {Record<string, RegExp>} */ ({
  'better-sqlite3': new RegExp(`^(deps|src|node_modules|binding.gyp)$|^prebuilds/(?!${process.platform})`),
  'swagger-ui-dist': /\.map$|es-bundle|^swagger-ui\.js$|^log\./,
});

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Usage: node scripts/image-folder.mjs FOLDER');
  process.exit(2);
}

/** @param {string} name */
const manifestOf = (name) => JSON.parse(readFileSync(join('node_modules', name, 'package.json'), 'utf8'));

// There is a binary package per platform. Their other dependencies compile, or count installations.
const binaries = externalPackages.flatMap((name) => Object.keys(manifestOf(name).optionalDependencies ?? {}));
const packages = [...externalPackages, ...binaries.filter((name) => existsSync(join('node_modules', name)))];

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
cpSync('dist', join(folder, 'dist'), { recursive: true });
for (const name of packages) {
  const from = join('node_modules', name);
  cpSync(from, join(folder, from), {
    recursive: true,
    filter: (path) => !LEFT_OUT[name]?.test(relative(from, path).replaceAll('\\', '/')),
  });
}
const { name, version, license, type, engines } = JSON.parse(readFileSync('package.json', 'utf8'));
const dependencies = Object.fromEntries(packages.map((name) => [name, manifestOf(name).version]));
const manifest = { name, version, license, private: true, type, engines, dependencies };
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
