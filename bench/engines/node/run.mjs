/*
 * Runs a QEMU that was built for Wasm in Node.
 *
 *   node [engine flags] run.mjs --program FILE.js [--file HOST=PATH]...
 *        [--fetch HOST=PATH]... [--env NAME=VALUE]... [--stats OUT.json]
 *        [--timeline OUT.jsonl] [--control SOCKET]
 *        [--live PATH]... [--live-read PATH]... -- QEMU_ARGS...
 *
 * Each need of QEMU's is met by a part, in a file of its own. A part (part.d.ts) has
 * its options, each a function of the settings and the option's value, and any of:
 *
 *   before(settings)            before the program is loaded
 *   prepare(module, settings)   before main(): files and variables
 *   started(module, settings)   the program can be called
 *   ended(module, settings)     the program exited or aborted
 *   exited(module, settings)    the program exited; comes after ended()
 *
 * QEMU itself runs in worker threads. This thread only moves bytes, and sleeps while
 * there are none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, stackOf } from '../js/errors.mjs';
import { threads } from '../js/threads.mjs';
import { consolePart } from './console.mjs';
import { controlPart } from './control.mjs';
import { filesPart } from './files.mjs';
import { EXIT_SETUP, EXIT_USAGE, fail, writeAll } from './host.mjs';
import { livePart } from './live.mjs';
import { NO_PROGRAM, noSettings, parse } from './options.mjs';
import { relayPart } from './relay.mjs';
import { reportsPart } from './reports.mjs';

/** @import { CreateQemu, Qemu, QemuOptions } from '../js/qemu.d.ts' */

const PARTS = [
    filesPart, livePart, reportsPart, consolePart, controlPart, relayPart,
];
const EXIT_ABORTED = 134;

async function main() {
    const settings = parse(process.argv.slice(2), PARTS, noSettings());
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
    /** @type {{ default: CreateQemu }} */
    const { default: createQemu } = await import(pathToFileURL(program).href);

    /* The last line that QEMU printed is the reason where QEMU ended itself. */
    let said = 'it did not say why';
    /** @param {unknown} what */
    function died(what) {
        tell('ended');
        fail(EXIT_ABORTED, `QEMU aborted: ${what || said}`);
    }
    /* A trap in one of QEMU's threads. */
    process.on('uncaughtException', (e) => {
        writeAll(2, Buffer.from(`${stackOf(e)}\n`));
        died(messageOf(e));
    });

    /** @type {QemuOptions} */
    const options = {
        arguments: ['-L', '/share', ...settings.qemu],
        threads: threads(settings.qemu),
        preRun: [() => tell('prepare')],
        print: (text) => writeAll(1, Buffer.from(`${text}\n`)),
        printErr: (text) => {
            said = text || said;
            writeAll(2, Buffer.from(`${text}\n`));
        },
        onRuntimeInitialized() {
            tell('started');
        },
        onExit(status) {
            tell('ended');
            tell('exited');
            process.exit(status);
        },
        onAbort: died,
    };
    /* The loader makes the options the program: both are one object. */
    const module = /** @type {Qemu} */ (options);
    /** @param {'prepare' | 'started' | 'ended' | 'exited'} event */
    function tell(event) {
        for (const part of PARTS) {
            part[event]?.(module, settings);
        }
    }
    await createQemu(options);
}

main().catch((e) => fail(EXIT_SETUP, `QEMU did not start: ${stackOf(e)}`));
