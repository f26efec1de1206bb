// The floors of ARCHITECTURE.md, from the top. A folder uses those that stand behind it here, and none before it: so none
// of them use each other in a circle either.
const FLOORS = [
  ['api/agora', 'api/qiscus', 'api/operations', 'gateway'],
  ['http'],
  ['messages', 'auth', 'rate-limit', 'presence-subscriptions', 'user-search', 'last-seen'],
  ['bulk-operations'],
  [
    'offline-messages',
    'profiles',
    'groups',
    'presence',
    'contacts',
    'blocks',
    'mutes',
    'user-attributes',
    'user-notes',
  ],
  ['users'],
  ['removals'],
  ['apps', 'idempotency', 'audit', 'redis', 'ids', 'passwords', 'retention'],
  ['database'],
  ['logging', 'cursors', 'decoding', 'config', 'clock', 'errors'],
];
const folders = FLOORS.flat();
const paths = (some) => `^src/(${some.join('|')})/`;

const NOUNS = folders.slice(folders.indexOf('messages'), folders.indexOf('database')).join('|');

// A test may look inside whatever it tests.
const TEST = '([.-]spec|\\.contract|\\.fixture)\\.ts$';

// What a noun shows to others: its module, its service, its decorators, and files without a role (events, pure rules).
const PUBLIC = '(\\.module|\\.service|\\.decorator|/[^/.]+)\\.ts$';

const floorRules = folders.map((folder, place) => ({
  name: `${folder.replace('/', '-')}-does-not-look-up`,
  comment:
    'A folder uses what stands below it in ARCHITECTURE.md. A noun that has to tell those above something emits an event.',
  severity: 'error',
  from: { path: paths([folder]), pathNot: TEST },
  to: { path: [paths(folders.slice(0, place)), '^src/[^/]+\\.ts$', '^src/cli/'] },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or want an event between them.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every-folder-has-a-floor',
      comment: 'A new folder gets its place in FLOORS, here and in ARCHITECTURE.md.',
      severity: 'error',
      from: { path: '^src/.+/', pathNot: ['^src/cli/', paths(folders)] },
      to: {},
    },
    ...floorRules,
    {
      name: 'ways-in-are-independent',
      comment: 'HTTP and the gateway are two ways in to the same services: neither works through the other.',
      severity: 'error',
      from: { path: '^src/(api|gateway)/', pathNot: TEST },
      to: { path: '^src/(api|gateway)/', pathNot: '^src/$1/' },
    },
    {
      name: 'dialects-are-strangers',
      comment: 'A dialect is spelling: what two of them share is a rule of the product and belongs in a noun.',
      severity: 'error',
      from: { path: '^src/api/([^/]+)/', pathNot: TEST },
      to: { path: '^src/api/([^/]+)/', pathNot: '^src/api/$1/' },
    },
    {
      name: 'nouns-through-their-service',
      comment:
        "Another noun's repository, store or guard is its own business: go through its service, or take its event.",
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: TEST },
      to: { path: `^src/(${NOUNS})/`, pathNot: ['^src/$1/', PUBLIC, '\\.entity\\.ts$'] },
    },
    {
      name: 'rows-of-others-are-read-only-types',
      comment: 'A service answers with rows, so their type may be named; to query them is for the noun that owns them.',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: [TEST, '^src/data-source\\.ts$'] },
      to: { path: `^src/(${NOUNS})/.*\\.entity\\.ts$`, pathNot: '^src/$1/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'product-without-tests',
      comment: 'What runs in production must not need what only tests have.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: ['^test/', TEST] },
    },
    {
      name: 'product-without-dev-packages',
      comment: 'The container has no devDependencies: this import would fail only there.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-junk-drawers',
      comment: 'A folder is a noun of the product; a thing used twice gets a folder named for what it is.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '/(common|shared|utils?|helpers?|core|types|interfaces)/', pathNot: 'node_modules' },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere fails at start; relative ones end in .js.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
