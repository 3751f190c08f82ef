/*
 * Runs a QEMU that was built for Wasm in Node.
 *
 *   node [engine flags] run.mjs --program FILE.js [--file HOST=PATH]...
 *        [--fetch HOST=PATH]... [--env NAME=VALUE]... [--stats OUT.json]
 *        [--timeline OUT.jsonl] [--control SOCKET]
 *        [--live PATH]... [--live-read PATH]... -- QEMU_ARGS...
 *
 * What QEMU needs of the host is in parts, each in a file of its own.  A part
 * is an object with its options, each a function of the settings and the
 * option's value, and any of:
 *
 *   before(settings)            before the program is loaded
 *   prepare(module, settings)   before main(): files and variables
 *   started(module, settings)   the program can be called
 *   ended(module, settings)     it exited or aborted
 *   exited(module, settings)    it exited, after ended()
 *
 * QEMU itself runs in worker threads. This thread only moves bytes, so it
 * sleeps until there are some.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { threads } from '../js/threads.mjs';
import { consolePart } from './console.mjs';
import { controlPart } from './control.mjs';
import { filesPart } from './files.mjs';
import { EXIT_SETUP, EXIT_USAGE, fail, writeAll } from './host.mjs';
import { livePart } from './live.mjs';
import { NO_PROGRAM, parse } from './options.mjs';
import { relayPart } from './relay.mjs';
import { reportsPart } from './reports.mjs';

const PARTS = [
    filesPart, livePart, reportsPart, consolePart, controlPart, relayPart,
];
const EXIT_ABORTED = 134;

async function main() {
    const settings = parse(process.argv.slice(2), PARTS);
    if (!settings.program) {
        fail(EXIT_USAGE, NO_PROGRAM);
    }
    const program = path.resolve(settings.program);
    if (!fs.existsSync(program)) {
        fail(EXIT_SETUP, `${settings.program} does not exist; ` +
             `run './tierlab build'`);
    }
    for (const part of PARTS) {
        part.before?.(settings);
    }
    const { default: createQemu } = await import(pathToFileURL(program));

    /* What QEMU said last is the reason, where it ended itself. */
    let said = 'it did not say why';
    function died(what) {
        tell('ended', module);
        fail(EXIT_ABORTED, `QEMU aborted: ${what || said}`);
    }
    /* A trap in one of QEMU's threads. */
    process.on('uncaughtException', (e) => {
        writeAll(2, Buffer.from(`${e?.stack ?? e}\n`));
        died(e?.message ?? String(e));
    });

    const module = {
        arguments: ['-L', '/share', ...settings.qemu],
        threads: threads(settings.qemu),
        preRun: [(m) => tell('prepare', m)],
        print: (text) => writeAll(1, Buffer.from(`${text}\n`)),
        printErr: (text) => {
            said = text || said;
            writeAll(2, Buffer.from(`${text}\n`));
        },
        onRuntimeInitialized() {
            tell('started', module);
        },
        onExit(status) {
            tell('ended', module);
            tell('exited', module);
            process.exit(status);
        },
        onAbort: died,
    };
    function tell(event, m) {
        for (const part of PARTS) {
            part[event]?.(m, settings);
        }
    }
    await createQemu(module);
}

main().catch((e) => fail(EXIT_SETUP, `QEMU did not start: ${e.stack ?? e}`));
