/*
 * What QEMU finds when it starts: variables, and files in its memory; and what
 * it leaves there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import path from 'node:path';
import { EXIT_SETUP, fail } from './host.mjs';
import { pair } from './options.mjs';

/* A copy of a file of the host. */
function put(module, from, to) {
    let data;
    try {
        data = fs.readFileSync(from);
    } catch (e) {
        fail(EXIT_SETUP, `cannot read ${from}: ${e.code ?? e.message}`);
    }
    module.FS.mkdirTree(path.posix.dirname(to));
    module.FS.writeFile(to, data, { canOwn: true });
}

/* The other way; QEMU may not have written it. */
function fetch(module, from, to) {
    if (module.FS.analyzePath(from).exists) {
        fs.writeFileSync(to, module.FS.readFile(from));
    }
}

/* Firmware and the like, which the build put beside the program: [from, to]. */
export function shared(program) {
    const share = path.join(path.dirname(program), 'share');
    return !fs.existsSync(share) ? [] : fs.readdirSync(share).map(
        (name) => [path.join(share, name), `/share/${name}`]);
}

export const filesPart = {
    options: {
        /* The host's file may have any name, ours have no '='. */
        '--file': (settings, text) => {
            (settings.files ??= []).push(
                pair('--file', text, text?.lastIndexOf('=')));
        },
        '--fetch': (settings, text) => {
            (settings.fetch ??= []).push(
                pair('--fetch', text, text?.lastIndexOf('=')));
        },
        '--env': (settings, text) => {
            (settings.env ??= []).push(
                pair('--env', text, text?.indexOf('=')));
        },
    },

    prepare(module, settings) {
        for (const [name, value] of settings.env ?? []) {
            module.ENV[name] = value;
        }
        for (const [from, to] of [...settings.files ?? [],
                                  ...shared(settings.program)]) {
            put(module, from, to);
        }
        for (const [, from] of settings.fetch ?? []) {
            module.FS.mkdirTree(path.posix.dirname(from));
        }
    },

    exited(module, settings) {
        for (const [to, from] of settings.fetch ?? []) {
            fetch(module, from, to);
        }
    },
};
