/*
 * The command line: each part brings its own options.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { EXIT_USAGE, fail } from './host.mjs';

/** @import { Option, Pair, Part, Settings } from './part.d.ts' */

export const NO_PROGRAM = 'no --program: name the QEMU to run';

/** @type {() => Settings} */
export const noSettings = () => ({ qemu: [], files: [], fetch: [], env: [] });

/**
 * NAME=VALUE as [NAME, VALUE].
 *
 * @param {string} option
 * @param {string | undefined} text
 * @param {number | undefined} at where the '=' is
 * @returns {Pair}
 */
export function pair(option, text, at) {
    if (text === undefined || at === undefined || at <= 0) {
        return fail(EXIT_USAGE, `${option} takes NAME=VALUE, not '${text ?? ''}'`);
    }
    return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Read the arguments before '--' into the settings; those behind it are QEMU's.
 *
 * @template {Settings} S
 * @param {string[]} argv
 * @param {Part<S>[]} parts
 * @param {S} settings
 */
export function parse(argv, parts, settings) {
    /** @type {Record<string, Option<S>>} */
    const known = {
        '--program': (s, file) => { s.program = file; },
        ...Object.assign({}, ...parts.map((part) => part.options)),
    };
    for (let i = 0; i < argv.length; i += 2) {
        if (argv[i] === '--') {
            settings.qemu = argv.slice(i + 1);
            break;
        }
        if (!Object.hasOwn(known, argv[i])) {
            fail(EXIT_USAGE, `unknown option '${argv[i]}'`);
        }
        known[argv[i]](settings, argv[i + 1]);
    }
    return settings;
}
