// Turns the compiled modules of `build/` into the few files of `dist/`. Loading some 2,000 small files is most of a
// start: docs/decisions/0009-bundle.md has the figures.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { external, plugins, settings } from './bundling.mjs';

const out = 'dist';

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

const { metafile } = await build({
  ...settings,
  entryPoints: { main: 'entry:main', cli: 'entry:cli' },
  outdir: out,
  external,
  plugins: [entries, classNames, ...plugins],
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
});

const written = new Set(Object.keys(metafile.outputs));
for (const name of readdirSync(out)) {
  const path = join(out, name);
  if (!written.has(path) && !name.startsWith('.')) rmSync(path, { recursive: true });
}
