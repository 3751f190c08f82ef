/*
 * What QEMU finds when it starts (variables, and files in its memory), and the files
 * that QEMU leaves there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import path from 'node:path';
import { EXIT_SETUP, codeOf, fail } from './host.mjs';
import { pair } from './options.mjs';

/** @import { Qemu } from '../js/qemu.d.ts' */
/** @import { Pair, Part } from './part.d.ts' */

/** @param {string} file */
function read(file) {
    try {
        return fs.readFileSync(file);
    } catch (e) {
        return fail(EXIT_SETUP, `cannot read ${file}: ${codeOf(e)}`);
    }
}

/**
 * Copy a file of the host into QEMU's memory.
 *
 * @param {Qemu} module
 * @param {string} from
 * @param {string} to
 */
function put(module, from, to) {
    const data = read(from);
    module.FS.mkdirTree(path.posix.dirname(to));
    module.FS.writeFile(to, data, { canOwn: true });
}

/**
 * Copy a file out of QEMU's memory, if QEMU wrote it.
 *
 * @param {Qemu} module
 * @param {string} from
 * @param {string} to
 */
function fetch(module, from, to) {
    if (module.FS.analyzePath(from).exists) {
        fs.writeFileSync(to, module.FS.readFile(from));
    }
}

/**
 * Firmware and the like, which the build puts beside the program.
 *
 * @param {string} program
 * @returns {Pair[]}
 */
export function shared(program) {
    const share = path.join(path.dirname(program), 'share');
    return !fs.existsSync(share) ? [] : fs.readdirSync(share).map(
        (name) => [path.join(share, name), `/share/${name}`]);
}

/** @type {Part} */
export const filesPart = {
    options: {
        /* The host's file may have '=' in its name, QEMU's files do not. */
        '--file': (settings, text) => {
            settings.files.push(pair('--file', text, text?.lastIndexOf('=')));
        },
        '--fetch': (settings, text) => {
            settings.fetch.push(pair('--fetch', text, text?.lastIndexOf('=')));
        },
        '--env': (settings, text) => {
            settings.env.push(pair('--env', text, text?.indexOf('=')));
        },
    },

    prepare(module, settings) {
        for (const [name, value] of settings.env) {
            module.ENV[name] = value;
        }
        const beside = settings.program ? shared(settings.program) : [];
        for (const [from, to] of [...settings.files, ...beside]) {
            put(module, from, to);
        }
        for (const [, from] of settings.fetch) {
            module.FS.mkdirTree(path.posix.dirname(from));
        }
    },

    exited(module, settings) {
        for (const [to, from] of settings.fetch) {
            fetch(module, from, to);
        }
    },
};
