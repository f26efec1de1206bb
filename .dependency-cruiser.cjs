// The arrows of ARCHITECTURE.md, as rules.

const TOP = '(api|cli|gateway)';
const NOUNS = '(auth|users|presence|messages|offline-messages|groups|profiles|rate-limit|idempotency|removals|apps)';
const BOTTOM = '(errors|clock|config|database|decoding|http|ids|logging|redis)';

// A test may look inside whatever it tests.
const TEST = '([.-]spec|\\.contract)\\.ts$';

// The one list of all tables, for the data source and for TypeORM's command line.
const TABLES = '^src/database/data-source-options\\.ts$';

// What a noun shows to others: its module, its service, its decorators, and files without a role (events, pure rules).
const PUBLIC = '(\\.module|\\.service|\\.decorator|/[^/.]+)\\.ts$';

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
      name: 'bottom-knows-nobody',
      comment:
        'Errors, clock, config, database, decoding, http, ids, logging and redis serve every noun, and so must not know any.',
      severity: 'error',
      from: { path: `^src/${BOTTOM}/`, pathNot: [TEST, TABLES] },
      to: { path: '^src/', pathNot: `^src/${BOTTOM}/` },
    },
    {
      name: 'nouns-do-not-look-up',
      comment:
        'A rule of the product must hold for every dialect: a noun that has to tell them something emits an event.',
      severity: 'error',
      from: { path: `^src/${NOUNS}/`, pathNot: TEST },
      to: { path: [`^src/${TOP}/`, '^src/[^/]+\\.ts$'] },
    },
    {
      name: 'ways-in-are-independent',
      comment: 'HTTP and the gateway are two ways in to the same services: neither works through the other.',
      severity: 'error',
      from: { path: '^src/(api|gateway)/', pathNot: TEST },
      to: { path: `^src/${TOP}/`, pathNot: '^src/$1/' },
    },
    {
      name: 'dialects-are-strangers',
      comment: 'A dialect is spelling: what two of them share is a rule of the product and belongs in a noun.',
      severity: 'error',
      from: { path: '^src/api/(agora|qiscus)/', pathNot: TEST },
      to: { path: '^src/api/(agora|qiscus)/', pathNot: '^src/api/$1/' },
    },
    {
      name: 'nouns-through-their-service',
      comment:
        "Another noun's repository, store or guard is its own business: go through its service, or take its event.",
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: TEST },
      to: { path: `^src/${NOUNS}/`, pathNot: ['^src/$1/', PUBLIC, '\\.entity\\.ts$'] },
    },
    {
      name: 'rows-of-others-are-read-only-types',
      comment: 'A service answers with rows, so their type may be named; to query them is for the noun that owns them.',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: [TEST, TABLES] },
      to: { path: `^src/${NOUNS}/.*\\.entity\\.ts$`, pathNot: '^src/$1/', dependencyTypesNot: ['type-only'] },
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
