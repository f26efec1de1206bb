import tseslint from 'typescript-eslint';

const TESTS = ['src/**/*.spec.ts', 'src/**/*-spec.ts', 'src/**/*.contract.ts', 'test/**/*.ts'];

/** @param {string} selector @param {string} message @returns {import('eslint').Rule.RuleModule} */
const forbid = (selector, message) => ({
  meta: { type: 'problem', schema: [] },
  create: (context) => ({
    [selector]: (/** @type {import('eslint').Rule.Node} */ node) => context.report({ node, message }),
  }),
});

const SECRET = /(secret|certificate|signature|password_?hash)$/i;

/** @param {any} node */
const nameOf = (node) => {
  if (node.type === 'Identifier') return node.name;
  if (node.type === 'MemberExpression') return nameOf(node.property);
  if (node.type === 'ChainExpression') return nameOf(node.expression);
  return '';
};

/** @param {any} node */
const isConstant = (node) => node.type === 'Literal' || nameOf(node) === 'undefined';

/** @type {import('eslint').Rule.RuleModule} */
const timingSafeComparison = {
  meta: { type: 'problem', schema: [] },
  create: (context) => ({
    'BinaryExpression[operator=/^[!=]==?$/]'(/** @type {any} */ node) {
      const sides = [node.left, node.right];
      if (!sides.some(isConstant) && sides.some((side) => SECRET.test(nameOf(side)))) {
        context.report({
          node,
          message: 'Compare secrets with timingSafeEqual: === stops at the first difference, and the time tells where.',
        });
      }
    },
  }),
};

/** @type {import('eslint').Rule.RuleModule} */
const fileNamedForItsClass = {
  meta: { type: 'suggestion', schema: [] },
  create(context) {
    const [stem = '', role = ''] = (context.filename.split(/[\\/]/).at(-1) ?? '').split('.');
    const expected = ['', role, 'row'].map((ending) => stem.replaceAll('-', '') + ending);
    /** @type {string[]} */
    const classes = [];
    return {
      'ExportNamedDeclaration > ClassDeclaration'(/** @type {any} */ node) {
        classes.push(node.id.name);
      },
      'Program:exit'(/** @type {any} */ node) {
        if (classes.length > 0 && !classes.some((name) => expected.includes(name.toLowerCase()))) {
          context.report({
            node,
            message: `A file is named for its class, so that one is found from the other; here: ${classes.join(', ')}.`,
          });
        }
      },
    };
  },
};

/** @type {import('eslint').Rule.RuleModule} */
const describedSuppression = {
  meta: { type: 'problem', schema: [] },
  create: (context) => ({
    Program() {
      for (const { value, loc } of context.sourceCode.getAllComments()) {
        if (/^\s*eslint-disable/.test(value) && !/\s--\s+\S/.test(value)) {
          context.report({
            // Above the first line, where the directive itself cannot suppress it.
            loc: { line: 0, column: 0 },
            message: `Line ${loc?.start.line}: a suppression carries its reason: // eslint-disable-next-line rule -- why.`,
          });
        }
      }
    },
  }),
};

const FROM = ':matches(ImportDeclaration, ExportNamedDeclaration, ExportAllDeclaration, ImportExpression)';

const rollcall = {
  rules: {
    'environment-in-config': forbid(
      'MemberExpression[object.name="process"][property.name="env"], ImportDeclaration[source.value=/^(node:)?process$/]',
      'Only src/config reads the environment: there each setting is typed, validated and documented.',
    ),
    'now-from-clock': forbid(
      'CallExpression[callee.object.name="Date"][callee.property.name="now"], CallExpression[callee.name="Date"], ' +
        'NewExpression[callee.name="Date"][arguments.length=0]',
      'Ask the Clock for the time: tests move it, instead of sleeping.',
    ),
    'http-exceptions-in-api': forbid(
      'ImportDeclaration[source.value="@nestjs/common"] > ImportSpecifier[imported.name=/Exception$/]',
      'Throw an AppError with a code: each dialect renders it in its own way, and the gateway is not HTTP at all.',
    ),
    'address-of-the-client': forbid(
      'ImportDeclaration[source.value="@nestjs/common"] > ImportSpecifier[imported.name="Ip"], ' +
        'MemberExpression[object.name="request"][property.name=/^ips?$/]',
      'Ask for @ClientAddress or clientAddressOf: Fastify repeats what proxies write, with a port that changes each time.',
    ),
    'typeorm-in-repositories': forbid(
      `${FROM}[source.value=/^(@nestjs.)?typeorm($|.)/]`,
      'Only repositories, entities, modules and src/database know TypeORM: every query has one place and a name.',
    ),
    'named-exports': forbid(
      'ExportDefaultDeclaration, ExportSpecifier[exported.name="default"]',
      'Named exports only: a thing has the same name wherever it is used, and a search finds all of it.',
    ),
    'log-not-console': forbid(
      'MemberExpression[object.name="console"]',
      'Use the logger: it has levels and leaves out secrets. Only the start and the command line speak to a terminal.',
    ),
    'names-of-the-field': forbid(
      'ClassDeclaration[id.name=/(Manager|Helper|Helpers|Util|Utils|Impl)$/], TSInterfaceDeclaration[id.name=/^I[A-Z][a-z]/]',
      'Name it for what it is in the product (user, ban, session): Manager, Helper, Util, Impl and I… say nothing.',
    ),
    'max-and-min': forbid(
      'VariableDeclarator[id.name=/[a-z](Most|Least)|^(most|least)[A-Z]/], PropertyDefinition[key.name=/[a-z](Most|Least)/]',
      'A bound is called max… or min…, as everywhere in the field.',
    ),
    'whole-suites': forbid(
      'MemberExpression[object.name=/^(describe|it|test)$/][property.name=/^(only|skip)$/], ' +
        'CallExpression[callee.name=/^(fdescribe|fit|xdescribe|xit|xtest)$/]',
      'No suite is narrowed or skipped silently: what does not run proves nothing.',
    ),
    'timing-safe-comparison': timingSafeComparison,
    'file-named-for-its-class': fileNamedForItsClass,
    'described-suppression': describedSuppression,
  },
};

export default tseslint.config(
  { ignores: ['build/', 'dist/', '.test-packages/', 'coverage/', 'data/', 'docs/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  tseslint.configs.recommendedTypeChecked,
  {
    plugins: { rollcall },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'rollcall/described-suppression': 'error',
      'rollcall/whole-suites': 'error',
      'rollcall/names-of-the-field': 'error',
      'rollcall/max-and-min': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'prefer-const': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/ban-ts-comment': ['error', { minimumDescriptionLength: 10 }],
    },
  },
  {
    files: ['**/*.ts'],
    rules: {
      'rollcall/named-exports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // An implementation in memory keeps the promise of an interface that Redis needs.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'rollcall/environment-in-config': 'error',
      'rollcall/now-from-clock': 'error',
      'rollcall/http-exceptions-in-api': 'error',
      'rollcall/address-of-the-client': 'error',
      'rollcall/typeorm-in-repositories': 'error',
      'rollcall/log-not-console': 'error',
      'rollcall/timing-safe-comparison': 'error',
    },
  },
  {
    files: ['src/**/*.{controller,entity,filter,guard,interceptor,module,pipe,repository,service,store}.ts'],
    rules: { 'rollcall/file-named-for-its-class': 'error' },
  },
  { files: ['src/config/**'], rules: { 'rollcall/environment-in-config': 'off' } },
  { files: ['src/clock/**'], rules: { 'rollcall/now-from-clock': 'off' } },
  { files: ['src/api/**', 'src/http/**'], rules: { 'rollcall/http-exceptions-in-api': 'off' } },
  {
    files: ['src/main.ts', 'src/service.ts', 'src/cli.ts', 'src/cli/**'],
    rules: { 'rollcall/log-not-console': 'off' },
  },
  {
    files: [
      'src/database/**',
      'src/data-source.ts',
      'src/**/*.{repository,entity,module}.ts',
      'src/**/{diagnostics,doctor.command}.ts',
    ],
    rules: { 'rollcall/typeorm-in-repositories': 'off' },
  },
  {
    files: TESTS,
    rules: {
      'rollcall/environment-in-config': 'off',
      'rollcall/http-exceptions-in-api': 'off',
      'rollcall/typeorm-in-repositories': 'off',
      'rollcall/timing-safe-comparison': 'off',
      // The bodies of answers are `any`; the assertions say what they must be.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  // Specs against real servers live in real time.
  { files: ['src/**/*-spec.ts'], rules: { 'rollcall/now-from-clock': 'off' } },
  { files: ['*.ts'], rules: { 'rollcall/named-exports': 'off' } },
  { files: ['**/*.mjs', '**/*.cjs'], extends: [tseslint.configs.disableTypeChecked] },
);
