// The linter's work here is the architecture: which room may open which door (docs/architecture.md).
// Formatting is prettier's.
import boundaries from 'eslint-plugin-boundaries';
import * as regexp from 'eslint-plugin-regexp';
import tseslint from 'typescript-eslint';

const room = (type) => ({ type, pattern: `src/${type}/**` });

/** Who may import from whom. A room may always import from itself; what is not listed is closed. */
const doors = {
  domain: [],
  config: ['domain'],
  store: ['domain'],
  didit: ['didit-format', 'didit-port', 'store', 'domain'],
  web: ['store', 'domain'],
  oidc: ['store', 'domain', 'web'],
  fallback: ['store', 'domain'],
  login: ['store', 'domain', 'didit-port', 'oidc', 'web', 'fallback'],
  enrol: ['store', 'domain', 'didit-port', 'oidc', 'web', 'fallback', 'login'],
  account: ['store', 'domain', 'didit-port', 'oidc', 'web', 'fallback', 'enrol'],
  ops: [
    'app',
    'store',
    'domain',
    'config',
    'oidc',
    'web',
    'didit',
    'didit-port',
    'fallback',
    'enrol',
    'simulator',
    'demo',
  ],
  demo: ['domain'],
  simulator: ['didit-format'],
  'didit-format': ['domain'],
  'didit-port': ['domain'],
  app: [
    'config',
    'store',
    'domain',
    'didit',
    'web',
    'oidc',
    'fallback',
    'login',
    'enrol',
    'account',
    'ops',
  ],
};

const door = (from, to) => ({
  from: { element: { type: from } },
  allow: { to: { element: { type: to } } },
});

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', 'views/assets/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    plugins: { regexp },
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, argsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-syntax': [
        'error',
        ...[
          "MemberExpression[object.name='Math'][property.name='random']",
          "MemberExpression[object.name='Math'][property.value='random']",
          "VariableDeclarator[init.name='Math']",
        ].map((selector) => ({
          selector,
          message: 'Randomness comes from node:crypto, as an argument.',
        })),
      ],
      // A few kilobytes of a stranger's text must not keep the process busy for seconds.
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential' }],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 90, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['test/**', 'examples/**', '*.config.ts', 'eslint.config.js'],
    rules: {
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // The relying party's library marks what makes plain HTTP possible, which is what tests speak.
      '@typescript-eslint/no-deprecated': 'off',
      // Tests look into what the program wrote.
      'regexp/no-super-linear-backtracking': 'off',
      'regexp/no-super-linear-move': 'off',
    },
  },
  { files: ['eslint.config.js'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['src/**/*.ts'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { node: { extensions: ['.ts', '.js', '.json'] } },
      'boundaries/include': ['src/**'],
      'boundaries/elements': [
        // The simulator speaks Didit's format and knows nothing else of us, so wire and signature are a room of their own.
        {
          type: 'didit-format',
          mode: 'file',
          pattern: ['src/didit/wire.ts', 'src/didit/signature.ts', 'src/didit/canonical.ts'],
        },
        // Of Didit's side a login sees this interface alone.
        { type: 'didit-port', mode: 'file', pattern: ['src/didit/port.ts'] },
        { type: 'app', mode: 'file', pattern: ['src/app.ts', 'src/app-*.ts', 'src/main.ts'] },
        ...[
          'domain',
          'config',
          'store',
          'didit',
          'web',
          'oidc',
          'fallback',
          'login',
          'enrol',
          'account',
          'ops',
          'simulator',
          'demo',
        ].map(room),
      ],
    },
    rules: {
      'boundaries/no-unknown-dependencies': 'error',
      'boundaries/no-unknown-files': 'error',
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          policies: [...Object.entries(doors).map(([from, to]) => door(from, [from, ...to]))],
        },
      ],
    },
  },
);
