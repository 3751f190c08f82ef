/*
 * Saved machines as files (docs/snapshots.md): one of the page's is written, one of a
 * user's is read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { browser } from './browser.mjs';
import { sha256 } from './dom.mjs';
import { textFacts } from './result.mjs';

const MAGIC = [...new TextEncoder().encode('tlsnap'), 0x1a, 0x0a];
const VERSION = 1;
const HEAD = 16;
const MAX_FACTS = 16 << 20;
const INCOMING = '/tierlab/incoming';

/* @stream: QEMU's, as bytes. */
export async function snapshotFile(run, stream) {
    const { site, guest, machineValues: values } = run;
    const packed = await new Response(new Blob([stream]).stream()
        .pipeThrough(new CompressionStream('gzip'))).blob();
    const facts = {
        guest: guest.name, machine: guest.config, files: guest.provenance.files,
        qemu: site.programs[guest.arch].versions.qemu ?? '',
        memory_mib: values.memory, smp: values.smp, icount: run.saved?.icount ?? null,
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

/* Of JSON, whatever the order of its names. */
function same(one, other) {
    const sorted = (key, value) => (value?.constructor === Object
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value);
    return JSON.stringify(one, sorted) === JSON.stringify(other, sorted);
}

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
        const facts = JSON.parse(await file.slice(HEAD, HEAD + length).text());
        return { facts, state: file.slice(HEAD + length) };
    } catch {
        throw new Error('its description cannot be read');
    }
}

/* As check_machine() of bench/harness/snapshots/file.py. */
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

/*
 * A user's file as the site describes its own, with `blob`, its packed state;
 * @make gives QEMU's arguments for a guest, as run.mjs has them.
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
        .map((word) => word.replace('@SHIFT@', facts.icount));
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
