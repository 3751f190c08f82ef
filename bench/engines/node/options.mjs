/*
 * The command line: each part brings its own options.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { EXIT_USAGE, fail } from './host.mjs';

export const NO_PROGRAM = 'no --program: name the QEMU to run';

/* NAME=VALUE as [NAME, VALUE]; `at` is where the '=' is. */
export function pair(option, text, at) {
    if (!(at > 0)) {
        fail(EXIT_USAGE, `${option} takes NAME=VALUE, not '${text ?? ''}'`);
    }
    return [text.slice(0, at), text.slice(at + 1)];
}

/*
 * The settings that the arguments before '--' make, on top of @settings; QEMU's
 * are behind it.
 */
export function parse(argv, parts, settings = {}) {
    settings.qemu = [];
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
