// Turns the compiled modules of `build/` into the few files of `dist/`. Loading some 2,000 small files is most of a
// start: docs/decisions/0009-bundle.md has the figures.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { externalPackages } from './external-packages.mjs';

const out = 'dist';

const external = [...builtinModules.flatMap((name) => [name, `node:${name}`]), ...externalPackages];

/** Modules that a package tries to load and lives without, such as the drivers of other databases. */
const absent = {
  name: 'absent',
  /** @param {import('esbuild').PluginBuild} bundle */
  setup(bundle) {
    bundle.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'asked' || rest.kind === 'entry-point') return undefined;
      const found = await bundle.resolve(path, { ...rest, pluginData: 'asked' });
      return found.errors.length > 0 ? { path, external: true } : found;
    });
  },
};

/**
 * Keeps the names of our own classes, which name migrations, operations of the API and counters. esbuild's `keepNames`
 * would name every inner function anew each time that it is made: a third more for every request.
 */
const classNames = {
  name: 'class-names',
  /** @param {import('esbuild').PluginBuild} bundle */
  setup(bundle) {
    bundle.onLoad({ filter: /[\\/]build[\\/].*\.js$/ }, async ({ path }) => {
      if (/[\\/]node_modules[\\/]/.test(path)) return undefined;
      const source = await readFile(path, 'utf8');
      const named = "$& static { Object.defineProperty(this, 'name', { value: '$1', configurable: true }); }";
      return { contents: source.replace(/\bclass (\w+)(?: extends [\w.]+)? \{/g, named) };
    });
  },
};

/**
 * @nestjs/typeorm looks with `require` for what only older versions of TypeORM export, and so would load all of TypeORM a
 * second time, from its own files: a third of a start, and its memory. Here it looks into the TypeORM of the bundle.
 */
const oneTypeorm = {
  name: 'one-typeorm',
  /** @param {import('esbuild').PluginBuild} bundle */
  setup(bundle) {
    bundle.onLoad(
      { filter: /[\\/]@nestjs[\\/]typeorm[\\/]dist[\\/]common[\\/]typeorm-compat\.js$/ },
      async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const lookUp = "require('typeorm')";
        if (!source.includes(lookUp)) throw new Error(`${path} is not what scripts/bundle.mjs knows`);
        return { contents: `import theTypeorm from 'typeorm';\n${source.replace(lookUp, 'theTypeorm')}` };
      },
    );
  },
};

/**
 * `dist/main.js` and `dist/cli.js` are these: a module that says which Node.js is needed before it loads the rest. What is
 * imported statically is loaded first, and on an older Node.js better-sqlite3 ends the process without a word.
 */
const entries = {
  name: 'entries',
  /** @param {import('esbuild').PluginBuild} bundle */
  setup(bundle) {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
    bundle.onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice('entry:'.length), namespace: 'entry' }));
    bundle.onLoad({ filter: /.*/, namespace: 'entry' }, ({ path }) => ({
      resolveDir: process.cwd(),
      contents: `import { explainUnloadable, refuseUnsupportedNode } from './scripts/bundle-entry.mjs';
refuseUnsupportedNode(${JSON.stringify(engines.node)});
await import('./build/${path}.js').catch(explainUnloadable);`,
    }));
  },
};

// CommonJS packages inside expect these; an ES module has none of them.
const banner = `import { createRequire as __createRequire } from 'node:module';
import { dirname as __dirnameOf } from 'node:path';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __dirnameOf(__filename);`;

const { metafile } = await build({
  entryPoints: { main: 'entry:main', cli: 'entry:cli' },
  outdir: out,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  external,
  plugins: [entries, absent, classNames, oneTypeorm],
  banner: { js: banner },
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
});

const written = new Set(Object.keys(metafile.outputs));
for (const name of readdirSync(out)) {
  const path = join(out, name);
  if (!written.has(path) && !name.startsWith('.')) rmSync(path, { recursive: true });
}
