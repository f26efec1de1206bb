// Shared by both bundles: the service's, and that of packages for the tests.
import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { externalPackages } from './external-packages.mjs';

/** Optional modules that a package tries to load, such as the drivers of other databases. */
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
 * @nestjs/typeorm uses `require` to look for exports of older TypeORM versions, which would load all of TypeORM a
 *   second time from its own files: a third of a start, and its memory. Here it looks into the bundled TypeORM.
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
        if (!source.includes(lookUp)) throw new Error(`${path} is not what scripts/bundling.mjs knows`);
        return { contents: `import theTypeorm from 'typeorm';\n${source.replace(lookUp, 'theTypeorm')}` };
      },
    );
  },
};

// The bundled CommonJS packages expect these; an ES module has none of them.
const banner = `import { createRequire as __createRequire } from 'node:module';
import { dirname as __dirnameOf } from 'node:path';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __dirnameOf(__filename);`;

export const plugins = [absent, oneTypeorm];
export const external = [...builtinModules.flatMap((name) => [name, `node:${name}`]), ...externalPackages];

/** @satisfies {import('esbuild').BuildOptions} */
export const settings = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  banner: { js: banner },
  logLevel: 'warning',
  minifyWhitespace: true,
  minifySyntax: true,
  // So that a position in a stack trace without source maps still finds the place.
  lineLimit: 200,
};
