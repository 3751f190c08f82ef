/*
 * A machine of the page's as a file that `tierlab boot --restore` takes, and the
 * page's own server offers (docs/snapshots.md).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { browser } from './browser.mjs';
import { sha256 } from './dom.mjs';
import { textFacts } from './result.mjs';

const MAGIC = [...new TextEncoder().encode('tlsnap'), 0x1a, 0x0a];
const VERSION = 1;

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
    const head = new DataView(new ArrayBuffer(16));
    MAGIC.forEach((byte, i) => head.setUint8(i, byte));
    head.setUint32(8, VERSION, true);
    head.setUint32(12, text.length, true);
    return new Blob([head, text, packed]);
}
