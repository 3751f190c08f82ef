/*
 * Asks the page's modules that need no browser, for a test: reads a question as JSON,
 * and prints the answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import { tar } from '../../engines/js/tar.mjs';
import { threads } from '../../engines/js/threads.mjs';
import { ConsoleReader } from '../app/console.mjs';
import { diskArguments, readImage } from '../app/disks.mjs';
import { complaintOf, tagFor } from '../app/folders.mjs';
import { readProfile } from '../app/profile.mjs';
import { resultOf } from '../app/result.mjs';
import { Run, qemuArguments, savedArguments } from '../app/run.mjs';
import { segments } from '../app/phases.mjs';
import { Settings, machineParams } from '../app/settings.mjs';
import { readSnapshot } from '../app/snapshot.mjs';
import { complaint, formatSpec, parseSpec, withMore, workloadParam }
    from '../app/spec.mjs';
import { messageOf } from '../../engines/js/errors.mjs';

/** @import { Patterns } from '../app/console.mjs' */
/** @import { Room } from '../app/folders.mjs' */
/** @import { Disk, Guest, Limits, Param, Phase, Site, WorkloadParam }
 *      from '../app/site.d.ts' */

/** @typedef {{ path: string, mode: number, mtime?: number, target?: string,
 *              data?: string }} TarEntry */

/** @param {string} text */
const fromBase64 = (text) => Uint8Array.from(Buffer.from(text, 'base64'));

const ANSWERS = {
    /**
     * The console comes in pieces of `size` bytes, one each ms.
     *
     * @param {{ guest: Patterns, text: string, size: number }} asked
     */
    console({ guest, text, size }) {
        const reader = new ConsoleReader(guest);
        const bytes = new TextEncoder().encode(text);
        for (let at = 0, ms = 1; at < bytes.length; at += size, ms++) {
            reader.feed(bytes.subarray(at, at + size), ms);
        }
        reader.close(0);
        const { phases, rounds, figures, panic, oops, verdict } = reader;
        return { phases, rounds, figures, panic, oops, verdict };
    },
    /**
     * Names, targets, contents and the archive are in base64.
     *
     * @param {{ entries: TarEntry[] }} asked
     */
    tar({ entries }) {
        const pieces = [...tar(entries.map(({ path, target, data, ...entry }) => ({
            ...entry, path: fromBase64(path),
            target: target === undefined ? undefined : fromBase64(target),
            size: data === undefined ? 0 : fromBase64(data).length,
            pieces: data === undefined ? undefined : () => [fromBase64(data)],
        })))];
        return Buffer.concat(pieces).toString('base64');
    },
    /** @param {{ names: string[] }} asked */
    tags({ names }) {
        /** @type {string[]} */
        const taken = [];
        for (const name of names) {
            taken.push(tagFor(name, taken));
        }
        return taken;
    },
    /** @param {{ entries: { path: string, data?: Blob }[], limits: Room }} asked */
    tooMuch: ({ entries, limits }) => complaintOf({ name: 'x', entries }, limits),
    /** @param {{ text: string }} asked */
    async profile({ text }) {
        try {
            return await readProfile(new File([text], 'name'));
        } catch (error) {
            return { error: messageOf(error) };
        }
    },
    /** @param {{ lines: string[][] }} asked */
    threads: ({ lines }) => lines.map((line) => threads(line)),
    /** @param {{ guest: Guest, disk: Disk, n: number }} asked */
    disk: ({ guest, disk, n }) => diskArguments(guest, disk, n),
    /** @param {{ name: string, path: string, limits: Limits }} asked */
    async image({ name, path, limits }) {
        try {
            return await readImage(new File([fs.readFileSync(path)], name), limits);
        } catch (error) {
            return { error: messageOf(error) };
        }
    },
    /**
     * QEMU's arguments for a cold boot with nothing plugged in.
     *
     * @param {{ guest: Guest }} asked
     */
    arguments: ({ guest }) => qemuArguments({
        guest, site: { control_arguments: [], few_threads: [] }, saved: null, hasNetwork: false,
        workloadSpec: 'shell', chosenShares: () => [], allDisks: () => [],
        machineValue: (name) => String(
            { smp: guest.smp, memory: guest.memory_mib, seed: 1, counts: '' }[name]),
    }),
    /** @param {{ path: string, site: Site }} asked */
    async snapshot({ path, site }) {
        try {
            const file = new File([fs.readFileSync(path)], 'x.snap');
            const { blob, ...machine } = await readSnapshot(file, site, savedArguments);
            return { ...machine, packed: blob?.size };
        } catch (error) {
            return { error: messageOf(error) };
        }
    },
    /**
     * A run of the site's first guest as a result: one that has not ended, or one
     * with statistics.
     *
     * @param {{ site: Site, stats: any, timeline: any[] }} asked
     */
    async result({ site, stats, timeline }) {
        /** @type {any} */
        const world = globalThis;
        world.location = { hash: '' };
        world.navigator ??= { userAgent: '', platform: '', hardwareConcurrency: 1 };
        world.onmessage = null;
        await import('../app/result-worker.mjs');
        world.Worker = class {
            /** @param {any} data */
            postMessage(data) {
                /** @type {any} */
                const worker = this;
                world.postMessage = (/** @type {any} */ packed) =>
                    worker.onmessage({ data: packed });
                world.onmessage({ data });
            }
            terminate() {}
        };
        const run = new Run(site, new Settings(site));
        run.samples = timeline;
        if (stats) {
            /** @type {any} */
            const ended = { status: 0, statsFile: new Blob([JSON.stringify(stats)]) };
            run.origin = performance.now();
            run.finish(ended);
        }
        return resultOf(run);
    },
    /**
     * What a page with a workload in its address would start.
     *
     * @param {{ site: Site, workload: string }} asked
     */
    chosen({ site, workload }) {
        /** @type {any} */
        const world = globalThis;
        world.location = { hash: `#workload=${workload}` };
        world.navigator ??= { userAgent: '', platform: '', hardwareConcurrency: 1 };
        const settings = new Settings(site);
        return {
            workloads: settings.workloads().map(({ name }) => name),
            arguments: qemuArguments(settings),
            parts: settings.parts(),
            summary: settings.commandLine(),
        };
    },
    /** @param {{ site: Site, guest: Guest }} asked */
    machineParams: ({ site, guest }) => machineParams(site, guest),
    /** @param {{ spec: string, more: Record<string, number> }} asked */
    withMore: ({ spec, more }) => withMore(spec, more),
    /** @param {{ asked: { param: Param, value: string }[] }} asked */
    complaints: ({ asked }) => asked.map(({ param, value }) =>
        complaint(param, value)),
    /** @param {{ params: WorkloadParam[] }} asked */
    workloadParams: ({ params }) => params.map(workloadParam),
    /** @param {{ texts: string[] }} asked */
    specs: ({ texts }) => texts.map((text) => parseSpec(text)),
    /**
     * @param {{ name: string, params: Param[], values: Record<string, string> }} asked
     */
    format: ({ name, params, values }) => formatSpec(name, params, values),
    /** @param {{ phases: Phase[], wall: number, interactive: boolean }} asked */
    segments: ({ phases, wall, interactive }) =>
        segments(phases, wall, interactive),
};

/** @type {{ ask: keyof typeof ANSWERS }} */
const question = JSON.parse(fs.readFileSync(0, 'utf8'));
const answer = /** @type {(asked: object) => unknown} */ (ANSWERS[question.ask]);
process.stdout.write(JSON.stringify(await answer(question)));
