/*
 * What ESLint looks for: its recommended rules, and some that find faults. The
 * packages are those beside the ESLint that runs, as check.mjs starts it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { createRequire } from 'node:module';
import path from 'node:path';

const library = createRequire(path.resolve(process.argv[2], 'package.json'));
/** @type {typeof import('@eslint/js')} */
const js = library('@eslint/js');
/** @type {typeof import('globals')} */
const globals = library('globals');
/** @type {typeof import('typescript-eslint')} */
const typescript = library('typescript-eslint');

const PAGE = ['bench/page/**', 'bench/engines/browsers/page/**',
              'bench/engines/web/**'];
const WORKERS = ['bench/**/*-worker.mjs', 'bench/engines/js/waiter.mjs',
                 'bench/page/app/sw.js'];
/* These start a browser; some of their functions run in a page of it. */
const DRIVERS = ['bench/micro/page/person.mjs', 'bench/micro/page/measure.mjs',
                 'bench/page/tests/drive.mjs', 'bench/page/tests/modules.mjs'];

export default [
    js.configs.recommended,
    {
        linterOptions: { reportUnusedDisableDirectives: 'error' },
        languageOptions: {
            parser: typescript.parser,
            globals: globals['shared-node-browser'],
        },
        plugins: { '@typescript-eslint': typescript.plugin },
        rules: {
            'array-callback-return': 'error',
            'curly': 'error',
            'default-case-last': 'error',
            'eqeqeq': 'error',
            /* What guests print has control characters, and patterns must name them. */
            'no-control-regex': 'off',
            'no-constructor-return': 'error',
            'no-eval': 'error',
            'no-implicit-coercion': 'error',
            'no-implied-eval': 'error',
            'no-new-func': 'error',
            'no-self-compare': 'error',
            'no-shadow': 'error',
            'no-throw-literal': 'error',
            'no-unmodified-loop-condition': 'error',
            'no-unreachable-loop': 'error',
            'no-unused-expressions': 'error',
            'no-unused-vars': ['error', { ignoreRestSiblings: true }],
            'no-use-before-define': ['error', { functions: false, classes: false,
                                                variables: false }],
            'no-var': 'error',
            'object-shorthand': 'error',
            'prefer-const': ['error', { destructuring: 'all' }],
            'prefer-promise-reject-errors': 'error',
            '@typescript-eslint/await-thenable': 'error',
            '@typescript-eslint/no-floating-promises': 'error',
            '@typescript-eslint/no-misused-promises': 'error',
            '@typescript-eslint/switch-exhaustiveness-check': 'error',
        },
    },
    /* What emscripten gives its libraries. */
    {
        files: ['qemu/**'],
        languageOptions: {
            globals: { ...globals.node, addToLibrary: 'readonly', wasmMemory: 'readonly',
                       Module: 'readonly',
                       twClockOrigin: 'readonly', twHost: 'readonly',
                       twHostMode: 'readonly' },
        },
    },
    {
        files: ['bench/**'],
        ignores: PAGE,
        languageOptions: { globals: globals.node },
    },
    { files: PAGE, languageOptions: { globals: globals.browser } },
    { files: WORKERS, languageOptions: { globals: globals.worker } },
    {
        files: DRIVERS,
        languageOptions: {
            globals: { ...globals.node, ...globals.browser, tierlab: 'readonly',
                       seen: 'readonly', runs: 'writable', wanted: 'readonly' },
        },
    },
];
