// Bundles the compiled modules of `build/` into the few files of `dist/`. Loading some 2,000 small files takes up most
// of a start: docs/decisions/0009-bundle.md has the figures.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { external, plugins, settings } from './bundling.mjs';

const out = 'dist';

/**
 * Keeps the names of our own classes, which identify migrations, API operations and counters. esbuild's `keepNames`
 * would name every inner function each time it is created: a third more time for every request.
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
 * The source of `dist/main.js` and `dist/cli.js`: a module that checks the Node.js version before it loads the rest.
 * Static imports are loaded first, and on an older Node.js better-sqlite3 crashes the process silently.
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
