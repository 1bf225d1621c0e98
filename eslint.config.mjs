// Lint rules: the doors between the rooms, the hot subset in *.hot.ts, and common sense elsewhere.
import tseslint from 'typescript-eslint';
import { directiveReason } from './tools/lint/directive-reason.mjs';
import { doors } from './tools/lint/doors.mjs';
import { hotSyntax } from './tools/lint/hot-syntax.mjs';

/** What the device's code must not do outside hot files either. */
const deviceSyntax = [
  { selector: 'ForStatement[test=null], WhileStatement[test.value=true], DoWhileStatement[test.value=true]', message: 'Endless loops belong in a hot file, where what they do is checked for allocation.' },
  { selector: 'LabeledStatement', message: 'Labels do not work in every engine.' },
];

export default tseslint.config(
  // The fixtures of test/tools are wrong on purpose; their tests lint them.
  { ignores: ['build/', 'coverage/', 'test/tools/fixtures/'] },
  ...tseslint.configs.recommended,
  {
    plugins: { vmsg: { rules: { doors, 'directive-reason': directiveReason } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'vmsg/doors': 'error',
      'vmsg/directive-reason': 'error',
      eqeqeq: 'error',
      'no-constant-condition': 'error',
      'no-duplicate-imports': ['error', { allowSeparateTypeImports: true }],
      'no-unreachable': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      // Enums are tables of constants here; two may well be equal.
      '@typescript-eslint/no-duplicate-enum-values': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  { files: ['firmware/**/*.ts', 'hal/**/*.ts', 'platforms/**/*.ts'], ignores: ['**/*.hot.ts'], rules: { 'no-restricted-syntax': ['error', ...deviceSyntax] } },
  // Bundles written by hand, in the ES5 that engines run.
  { files: ['test/platforms/bundles/*.js'], rules: { 'no-var': 'off' } },
  { files: ['**/*.hot.ts'], rules: { 'no-restricted-syntax': ['error', ...hotSyntax], 'max-params': ['error', 5] } },
);
