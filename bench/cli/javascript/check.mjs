/*
 * Checks all JavaScript of the checkout: types by TypeScript, as the comments state
 * them, and faults by ESLint. Prints one line for each finding; status 1 if there is
 * one.
 *
 *   node check.mjs PACKAGES...
 *
 * PACKAGES are folders with a node_modules: that of package-lock.json here comes
 * first, then those with the types of what the checked files load.
 *
 * Each tsconfig.*.json beside this file names the files of one environment (a page, a
 * worker, Node, a library of emscripten's). A file that none of them names is a
 * finding, so that a new file is checked at once or refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, '../../..');
const SUFFIXES = ['.js', '.mjs', '.cjs'];
/* TypeScript's complaint about an environment without files. */
const NO_FILES = 18003;
/* Folders of what is made in the checkout, which is not the checkout's. */
const MADE = ['node_modules', 'build', 'results'];

const folders = process.argv.slice(2).map((folder) => path.resolve(folder));
const library = createRequire(path.join(folders[0], 'package.json'));

/** @type {typeof import('typescript')} */
const ts = library('typescript');
/** @type {typeof import('eslint')} */
const { ESLint } = library('eslint');

/**
 * All JavaScript below a folder, as absolute paths.
 *
 * @param {string} folder
 * @returns {string[]}
 */
function scripts(folder) {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const full = path.join(folder, entry.name);
        if (entry.isDirectory()) {
            const skipped = entry.name.startsWith('.') || MADE.includes(entry.name);
            return skipped ? [] : scripts(full);
        }
        return SUFFIXES.includes(path.extname(entry.name)) ? [full] : [];
    });
}

/**
 * The files of one environment, with the types of all packages.
 *
 * @param {string} config
 */
function programOf(config) {
    const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail };
    const parsed = ts.getParsedCommandLineOfConfigFile(config, {
        typeRoots: folders.flatMap((folder) => [
            path.join(folder, 'node_modules/@types'), path.join(folder, 'node_modules'),
        ]),
    }, host);
    if (!parsed) {
        throw new Error(`${config} cannot be read`);
    }
    parsed.errors.filter(({ code }) => code !== NO_FILES).forEach(fail);
    return ts.createProgram(parsed.fileNames, parsed.options);
}

/**
 * @param {import('typescript').Diagnostic} problem
 * @returns {never}
 */
function fail(problem) {
    throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, '\n'));
}

/** @param {import('typescript').Diagnostic} problem */
function typeFinding({ file, start = 0, code, messageText }) {
    const text = ts.flattenDiagnosticMessageText(messageText, ' ');
    if (!file) {
        return `TS${code}: ${text}`;
    }
    const { line, character } = file.getLineAndCharacterOfPosition(start);
    const name = path.relative(ROOT, file.fileName);
    return `${name}:${line + 1}:${character + 1}: TS${code}: ${text}`;
}

const files = scripts(ROOT);
const configs = fs.readdirSync(HERE).filter((name) =>
    /^tsconfig\..*\.json$/.test(name) && name !== 'tsconfig.base.json');
const programs = configs.map((name) => programOf(path.join(HERE, name)));
const named = new Set(programs.flatMap((program) => program.getRootFileNames()));

const findings = files.filter((file) => !named.has(file))
    .map((file) => `${path.relative(ROOT, file)}: no tsconfig.*.json names this file`);
for (const program of programs) {
    findings.push(...ts.getPreEmitDiagnostics(program).map(typeFinding));
}

const eslint = new ESLint({
    cwd: ROOT,
    overrideConfigFile: path.join(HERE, 'eslint.config.mjs'),
    overrideConfig: { languageOptions: { parserOptions: { programs } } },
});
for (const { filePath, messages } of await eslint.lintFiles(files)) {
    for (const { line, column, ruleId, message } of messages) {
        findings.push(`${path.relative(ROOT, filePath)}:${line}:${column}: ` +
                      `${ruleId ?? 'eslint'}: ${message}`);
    }
}

/* Two environments may find the same in a file that both load. */
const told = [...new Set(findings)].sort();
for (const finding of told) {
    console.log(finding);
}
process.exitCode = told.length ? 1 : 0;
