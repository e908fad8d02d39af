import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** A call with tens of thousands of arguments overflows the stack, and data has that many rows. */
const NO_SPREAD_ARGUMENTS = [
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name=/^(max|min)$/] > SpreadElement",
    message: 'Overflows the stack over long arrays: use largest() or smallest() of src/lib/extremes.ts.',
  },
  {
    selector: 'CallExpression[callee.property.name=/^(push|unshift)$/] > SpreadElement',
    message: 'Overflows the stack over long arrays: append in a loop, or make a new array.',
  },
];

export default ts.config(
  { ignores: ['dist/', 'node_modules/', '.gpu/', '.cache/', '.svelte-check/'] },
  js.configs.recommended,
  ...ts.configs.recommendedTypeChecked,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.worker, ...globals.node } } },
  {
    files: ['**/*.ts', '**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: {
        parser: ts.parser,
        projectService: true,
        extraFileExtensions: ['.svelte'],
        svelteConfig,
      },
    },
    rules: {
      'no-undef': 'off',
      'no-restricted-syntax': ['error', ...NO_SPREAD_ARGUMENTS],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // Shapes are lists, and messages show them.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowArray: true, allowNumber: true }],
      // An async method without await turns what it throws into a rejection, as its interface promises.
      '@typescript-eslint/require-await': 'off',
      // Interfaces here are records of functions that need no `this`; classes hand out arrow functions.
      '@typescript-eslint/unbound-method': 'off',
      // Numbers from a file are compared with the enum that names them.
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
    },
  },
  {
    // The parser knows no types of another component's properties.
    files: ['**/*.svelte'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
    },
  },
  {
    // Their own projects check indices (tsconfig.leaves.json), where an assertion is needed that here is not.
    files: ['src/{quant,formats,data,lib,storage}/**'],
    rules: { '@typescript-eslint/no-unnecessary-type-assertion': 'off' },
  },
  {
    // A plan's lists are a handful of dispatches and values long.
    files: ['src/ops/**', 'src/plan/**', 'src/graph/**'],
    rules: { 'no-restricted-syntax': ['error', NO_SPREAD_ARGUMENTS[0]] },
  },
  // Of figures, files and lines of tables there are a few hundred at most.
  { files: ['scripts/**'], rules: { 'no-restricted-syntax': 'off' } },
  {
    // A test knows the length of its lists; matchers and parsed fixtures have no types.
    files: ['tests/**'],
    rules: {
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  { files: ['**/*.{js,mjs,cjs}', '**/*.d.mts'], ...ts.configs.disableTypeChecked },
);
