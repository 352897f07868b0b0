import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Rules of the strict sets that this code breaks on purpose, each with the reason. */
const EXCEPTIONS = {
  // Numbers in sentences are wanted.
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
  // `() => void doIt()` written as `() => doIt()` hides nothing.
  '@typescript-eslint/no-confusing-void-expression': 'off',
  // tsconfig's noPropertyAccessFromIndexSignature would ask for the opposite.
  '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
  // Nest's modules are classes without a body.
  '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowEmpty: true }],
  // `as T` names the type; `!` is forbidden by another rule of the set.
  '@typescript-eslint/non-nullable-type-assertion-style': 'off',
  // It does not see that other code changes a property between two looks, for example while something is awaited.
  '@typescript-eslint/no-unnecessary-condition': 'off',
  // Types of Node say boolean where it is undefined as well, such as `isTTY`.
  '@typescript-eslint/no-unnecessary-boolean-literal-compare': 'off',
  // Options objects of libraries that declare them as classes, and downcasts.
  '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
};

/** Applications of their own: their packages, which the types come from, are not installed here. Their tsc is strict. */
const EXAMPLES = ['examples/**/*.ts'];

const TESTS = ['test/**/*.ts', '**/*.spec.ts', 'libs/hub/src/testing/**/*.ts'];

export default defineConfig(
  { ignores: ['**/dist/', '**/node_modules/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    ignores: EXAMPLES,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      // consistent-type-imports must know that Nest's injector needs the types of constructor parameters at run time.
      parserOptions: { projectService: true, emitDecoratorMetadata: true, experimentalDecorators: true },
    },
    rules: {
      ...EXCEPTIONS,
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // What a class that extends this one is given, and the class itself does not look at.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'max-lines': ['error', 250],
    },
  },
  {
    files: TESTS,
    rules: {
      // A table of cases, or a contract's list of promises, may be long.
      'max-lines': ['warn', 250],
      // Harnesses are taken apart where they are used, and messages are printed whatever they are.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
    },
  },
  {
    files: EXAMPLES,
    extends: [tseslint.configs.strict, tseslint.configs.stylistic],
    rules: {
      '@typescript-eslint/no-extraneous-class': EXCEPTIONS['@typescript-eslint/no-extraneous-class'],
      'max-lines': ['error', 250],
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.strict, tseslint.configs.stylistic],
    rules: { 'max-lines': ['error', 250] },
  },
);
