/*
 * Writes a saved machine of this page as a file, and reads a user's file
 * (docs/snapshots.md).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { browser } from './browser.mjs';
import { sha256 } from './dom.mjs';
import { textFacts } from './result.mjs';

/** @import { Run } from './run.mjs' */
/** @import { Guest, SavedMachine, Site } from './site.d.ts' */

/**
 * The description in a file, as far as the page reads it.
 *
 * @typedef {object} OwnFacts
 * @property {unknown} machine
 * @property {unknown} files
 * @property {string} qemu
 * @property {object[]} devices
 * @property {string} marker
 * @property {string} engine
 * @property {string} tier
 * @property {number} packed_bytes
 * @property {string} packed_sha256
 */
/** @typedef {OwnFacts & Omit<SavedMachine, 'name' | 'net' | 'console' | 'resumed' |
 *            'arguments' | 'devices_at' | 'part' | 'blob'>} Facts */

const MAGIC = [...new TextEncoder().encode('tlsnap'), 0x1a, 0x0a];
const VERSION = 1;
const HEAD = 16;
const MAX_FACTS = 16 << 20;
const INCOMING = '/tierlab/incoming';

/**
 * @param {Run} run
 * @param {Uint8Array<ArrayBuffer>} stream the state that QEMU wrote
 */
export async function snapshotFile(run, stream) {
    const { site, guest, machineValues: values } = run;
    const packed = await new Response(new Blob([stream]).stream()
        .pipeThrough(new CompressionStream('gzip'))).blob();
    const facts = {
        guest: guest.name, machine: guest.config, files: guest.provenance.files,
        qemu: site.programs[guest.arch].versions.qemu ?? '',
        memory_mib: values.memory_mib, smp: values.smp, icount: run.saved?.icount ?? null,
        devices: run.devices, workload: run.workload,
        booted_for: run.saved?.booted_for ?? run.workload, seed: values.seed,
        marker: 'page',
        phases: [...run.savedAt, ...run.phases.map(({ phase }) => phase)],
        engine: browser().name, tier: run.tier,
        saved: new Date().toISOString().replace(/\.\d+/, ''),
        console: await textFacts(run.console.text(), run.console.total),
        packed_bytes: packed.size,
        packed_sha256: await sha256(await packed.arrayBuffer()),
        stream_bytes: stream.length,
    };
    const text = new TextEncoder().encode(JSON.stringify(facts));
    const head = new DataView(new ArrayBuffer(HEAD));
    MAGIC.forEach((byte, i) => head.setUint8(i, byte));
    head.setUint32(8, VERSION, true);
    head.setUint32(12, text.length, true);
    return new Blob([head, text, packed]);
}

/**
 * Whether two values are the same JSON, whatever the order of its names.
 *
 * @param {unknown} one
 * @param {unknown} other
 */
function same(one, other) {
    /**
     * @param {string} key
     * @param {unknown} value
     */
    const sorted = (key, value) => (value?.constructor === Object
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value);
    return JSON.stringify(one, sorted) === JSON.stringify(other, sorted);
}

/** @param {File} file */
async function factsOf(file) {
    const head = new DataView(await file.slice(0, HEAD).arrayBuffer());
    if (head.byteLength < HEAD || MAGIC.some((byte, i) => head.getUint8(i) !== byte)) {
        throw new Error('it is not a saved machine');
    }
    if (head.getUint32(8, true) !== VERSION) {
        throw new Error('it has another version of the format');
    }
    const length = Math.min(head.getUint32(12, true), MAX_FACTS);
    try {
        /** @type {Facts} */
        const facts = JSON.parse(await file.slice(HEAD, HEAD + length).text());
        return { facts, state: file.slice(HEAD + length) };
    } catch {
        throw new Error('its description cannot be read');
    }
}

/**
 * Throws an Error unless the machine can be resumed here, as check_machine() of the
 * harness does.
 *
 * @param {Facts} facts
 * @param {Blob} state
 * @param {Site} site
 * @param {Guest} guest
 */
function check(facts, state, site, guest) {
    const { qemu } = site.programs[guest.arch].versions;
    const own = site.network ? [{ kind: site.network.kind, host: site.network.host,
                                  outside: site.network.outside }] : [];
    if (state.size !== facts.packed_bytes) {
        throw new Error('it is damaged');
    }
    if (facts.qemu !== qemu) {
        throw new Error(`it was saved by QEMU ${facts.qemu}, this is ${qemu}`);
    }
    if (!same(facts.machine, guest.config) ||
        !same(facts.files, guest.provenance.files)) {
        throw new Error(`it was saved with another build of ${guest.name}`);
    }
    if (facts.devices.length && !same(facts.devices, own)) {
        throw new Error('it was saved with devices that this page has not');
    }
}

/**
 * A user's file in the form in which the site describes its own machines.
 *
 * @param {File} file
 * @param {Site} site
 * @param {(guest: Guest, facts: Facts) => string[]} make gives QEMU's arguments
 * @returns {Promise<SavedMachine>}
 */
export async function readSnapshot(file, site, make) {
    const { facts, state } = await factsOf(file);
    const guest = site.guests.find(({ name }) => name === facts.guest);
    if (!guest) {
        throw new Error(`it holds guest ${facts.guest}, which this page has not`);
    }
    check(facts, state, site, guest);
    const argv = make(guest, facts);
    const icount = facts.icount === null ? [] : site.icount_arguments
        .map((word) => word.replace('@SHIFT@', String(facts.icount)));
    argv.splice(guest.devices_at, 0, ...icount, '-incoming', 'defer');
    const { marker, engine, tier, workload, packed_sha256 } = facts;
    return {
        ...facts, name: file.name.replace(/\.snap$/, ''), blob: state,
        net: facts.devices.length > 0, console: '', arguments: argv,
        devices_at: guest.devices_at + icount.length + 2,
        resumed: { marker, engine, tier, workload, packed_sha256 },
        part: { path: INCOMING, packed: state.size },
    };
}
