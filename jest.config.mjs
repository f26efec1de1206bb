import { availableParallelism } from 'node:os';
import { loadedFirst, moduleNameMapper } from './scripts/test-packages.mjs';

// Nest 12 is ESM only, so the tests run as ESM too: `npm test` starts jest with --experimental-vm-modules.
const TEST_TIMEOUT_MS = 60_000;

/** @type {import('jest').Config} */
const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  setupFiles: [loadedFirst],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1', ...moduleNameMapper },
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/dist/'],
  // @fastify/static (for /docs) requires this package, which is ESM alone; jest before Node 24.9 cannot require that.
  transformIgnorePatterns: ['/node_modules/(?!content-disposition/)'],
  transform: {
    '/node_modules/content-disposition/.+\\.js$': ['@swc/jest', { swcrc: false, module: { type: 'commonjs' } }],
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
      },
    ],
  },
};

/**
 * @param {string} displayName
 * @param {'sqlite' | 'mariadb'} rollcallEngine
 * @param {boolean} rollcallRedis
 * @param {string[]} testMatch
 * @param {boolean} rollcallGalera
 * @returns {import('jest').Config}
 */
const project = (displayName, rollcallEngine, rollcallRedis, testMatch, rollcallGalera = false) => ({
  ...base,
  displayName,
  globals: { rollcallEngine, rollcallRedis, rollcallGalera },
  testMatch: testMatch.map((pattern) => `<rootDir>/${pattern}`),
});

const ON_EVERY_ENGINE = ['test/e2e/**/*.e2e.ts', 'src/**/*.engine-spec.ts'];

// Each suite runs on both engines, and with and without Redis: on SQLite without it, on MariaDB with it. What keeps
// something in Redis (sessions, limits) meets the other two pairs as well.
const USES_REDIS = [
  'test/e2e/gateway/{login,presence,watched-presence,forced-logout,messages,messages-across-nodes,last-seen}.e2e.ts',
  'test/e2e/agora/{rate-limit,presence-subscriptions}.e2e.ts',
  'src/presence/**/*.engine-spec.ts',
];

/** @type {import('jest').Config} */
export default {
  // Of the whole run: jest ignores it in a project.
  testTimeout: TEST_TIMEOUT_MS,
  // Half of what the fault suites do is to wait, so three files keep two processors busy. Modules of a finished file are
  // not given back: a worker that has grown is replaced.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  workerIdleMemoryLimit: '1GB',
  projects: [
    project('unit', 'sqlite', false, ['src/**/*.spec.ts', 'test/tooling/**/*.spec.ts']),
    project('sqlite', 'sqlite', false, ON_EVERY_ENGINE),
    project('sqlite+redis', 'sqlite', true, [...USES_REDIS, 'src/**/*.redis-spec.ts']),
    project('mariadb', 'mariadb', false, USES_REDIS),
    project('mariadb+redis', 'mariadb', true, ON_EVERY_ENGINE),
    // As it is run: several nodes of Rollcall, each on a node of the database, and Redis between them.
    project('galera', 'mariadb', true, ON_EVERY_ENGINE, true),
    project('sql', 'sqlite', false, ['test/sql/**/*.sql-spec.ts']),
    project('faults', 'sqlite', false, ['test/faults/**/*.fault.ts']),
    project('clients', 'sqlite', false, ['test/clients/**/*.client.ts']),
    project('runtime', 'sqlite', false, ['test/runtime/**/*.runtime.ts']),
  ],
};
