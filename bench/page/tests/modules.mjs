/*
 * Modules of the page that need no browser, asked from a test: reads a question of
 * JSON, prints the answer.
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
import { qemuArguments, savedArguments } from '../app/run.mjs';
import { segments } from '../app/phases.mjs';
import { readSnapshot } from '../app/snapshot.mjs';
import { complaint, formatSpec, parseSpec, withMore } from '../app/spec.mjs';

const ANSWERS = {
    /* The console in pieces of `size` bytes, a ms each. */
    console({ guest, text, size }) {
        const reader = new ConsoleReader(guest);
        const bytes = new TextEncoder().encode(text);
        for (let at = 0, ms = 1; at < bytes.length; at += size, ms++) {
            reader.feed(bytes.subarray(at, at + size), ms);
        }
        reader.close(0);
        const { phases, rounds, panic, oops, verdict } = reader;
        return { phases, rounds, panic, oops, verdict };
    },
    /* An archive; names, targets and contents in base64. */
    tar({ entries }) {
        const bytes = (text) => text === undefined ? undefined : Uint8Array.from(Buffer.from(text, 'base64'));
        const pieces = [...tar(entries.map(({ path, target, data, ...entry }) => ({
            ...entry, path: bytes(path), target: bytes(target),
            size: data === undefined ? 0 : bytes(data).length,
            pieces: data === undefined ? undefined : () => [bytes(data)],
        })))];
        return Buffer.concat(pieces).toString('base64');
    },
    tags({ names }) {
        const taken = [];
        for (const name of names) {
            taken.push(tagFor(name, taken));
        }
        return taken;
    },
    tooMuch: ({ entries, limits }) => complaintOf({ name: 'x', entries }, limits),
    async profile({ text }) {
        try {
            return await readProfile(new File([text], 'name'));
        } catch (error) {
            return { error: error.message };
        }
    },
    threads: ({ lines }) => lines.map(threads),
    disk: ({ guest, disk, n }) => diskArguments(guest, disk, n),
    async image({ name, path, limits }) {
        try {
            return await readImage(new File([fs.readFileSync(path)], name), limits);
        } catch (error) {
            return { error: error.message };
        }
    },
    /* Of a cold boot with nothing plugged in. */
    arguments: ({ guest }) => qemuArguments({
        guest, site: { control_arguments: [] }, saved: null, hasNetwork: false,
        workloadSpec: 'shell', chosenShares: () => [], chosenDisks: () => [],
        machineValue: (name) => String(
            { smp: guest.smp, memory: guest.memory_mib, seed: 1 }[name]),
    }),
    async snapshot({ path, site }) {
        try {
            const file = new File([fs.readFileSync(path)], 'x.snap');
            const { blob, ...machine } = await readSnapshot(file, site, savedArguments);
            return { ...machine, packed: blob.size };
        } catch (error) {
            return { error: error.message };
        }
    },
    withMore: ({ spec, more }) => withMore(spec, more),
    complaints: ({ asked }) => asked.map(({ param, value }) =>
        complaint(param, value)),
    specs: ({ texts }) => texts.map(parseSpec),
    format: ({ name, params, values }) => formatSpec(name, params, values),
    segments: ({ phases, wall, interactive }) =>
        segments(phases, wall, interactive),
};

const question = JSON.parse(fs.readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(await ANSWERS[question.ask](question)));
