/*
 * One run of a guest, from the click to the end, and all that is known of it.
 * Times are in ms since QEMU was ready and the guest could begin.
 *
 * Events: `state` when `state` changed, `progress`, `phase`, `sample` (a line of
 * the timeline came), `output` (bytes of the console, as `detail`), `said` (a
 * line of QEMU's own).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { start } from '../../engines/web/machine.mjs';
import { Loading } from './assets.mjs';
import { ConsoleReader } from './console.mjs';
import { Control } from './control.mjs';
import { diskArguments, diskPath, mountWord } from './disks.mjs';
import { sha256 } from './dom.mjs';
import { withMore } from './spec.mjs';

/* What the runtime is asked to say, and how often. */
const TIMELINE_MS = 250;
/* What a result keeps of a console that will not end. */
const CONSOLE_KEPT = 1 << 20;
/* Samples kept of a run that will not end: when there are more, half of them. */
const SAMPLES_KEPT = 4096;

/* The value behind an option of QEMU's. */
function put(argv, option, value) {
    const at = argv.indexOf(option);
    if (at >= 0) {
        argv[at + 1] = value;
    }
}

/* As bench.guests.catalogue.kernel_words(). */
function kernelWords(spec) {
    const [name, rest = ''] = spec.split(':');
    return [`tierlab.workload=${name}`,
            ...rest.split(',').filter(Boolean).map((p) => `tierlab.${p}`)];
}

/* Where the policy finds what an earlier boot executed. */
const PROFILE = '/profiles/given';
/* Where QEMU leaves its state. */
const OUTGOING = '/tierlab/outgoing';

/* Where folders are in QEMU's memory: bench/guests/devices/share.py. */
const sharePath = (tag) => `/shares/${tag}`;

function shareArguments(guest, { tag, readonly }) {
    const words = guest.share.map((word) => word.replaceAll('@TAG@', tag));
    put(words, '-fsdev', words[1] + (readonly ? ',readonly=on' : ''));
    return words;
}

/* What a user chooses of the guest's own arguments. */
function putMachine(argv, guest, { smp, memory, seed, workload }, words = []) {
    put(argv, '-smp', String(smp));
    put(argv, '-m', String(memory));
    put(argv, '-seed', String(seed));
    if (guest.workloads) {
        put(argv, '-append', [guest.append, ...kernelWords(workload), ...words,
                              guest.append_after].filter(Boolean).join(' '));
    }
}

export function qemuArguments(settings) {
    const { guest, site, saved } = settings;
    const argv = [...(saved ?? guest).arguments];
    const shares = settings.chosenShares(), disks = settings.chosenDisks();
    argv.splice((saved ?? guest).devices_at, 0,
                ...disks.flatMap((disk, n) => diskArguments(guest, disk, n)),
                ...shares.flatMap((share) => shareArguments(guest, share)),
                ...settings.hasNetwork ? guest.net : []);
    if (shares.length + disks.length) {
        argv.push(...site.few_threads);
    }
    argv.push(...site.control_arguments);
    if (!saved) {
        /* It is let go by go(). */
        argv.push('-S');
        putMachine(argv, guest, {
            smp: settings.machineValue('smp'), memory: settings.machineValue('memory'),
            seed: settings.machineValue('seed'), workload: settings.workloadSpec,
        }, disks.map(mountWord));
    }
    return argv;
}

/* The arguments of a machine that was saved, as it was made. */
export function savedArguments(guest, { smp, memory_mib, seed, booted_for }) {
    const argv = [...guest.arguments];
    putMachine(argv, guest, { smp, memory: memory_mib, seed, workload: booted_for });
    return argv;
}

/* Of a user's own file. */
async function unpackedState({ blob, part: { path } }) {
    const stream = blob.stream().pipeThrough(new DecompressionStream('gzip'));
    return { path, data: await new Response(stream).blob() };
}

/* As bench.guests.catalogue.console_line(). */
const consoleLine = (spec) => {
    const [name, rest = ''] = spec.split(':');
    return [name, ...rest.split(',').filter(Boolean)].join(' ');
};

/* The first and the last of a stream. */
class Kept {
    constructor(limit) {
        this.half = limit / 2;
        this.head = [];
        this.tail = [];
        this.headSize = this.tailSize = this.total = 0;
    }

    add(data) {
        this.total += data.length;
        if (this.headSize < this.half) {
            this.head.push(data);
            this.headSize += data.length;
            return;
        }
        this.tail.push(data);
        this.tailSize += data.length;
        while (this.tailSize - this.tail[0].length > this.half) {
            this.tailSize -= this.tail.shift().length;
        }
    }

    text() {
        const lost = this.total - this.headSize - this.tailSize;
        const decoder = new TextDecoder();
        const join = (pieces) => {
            const text = pieces
                .map((p) => decoder.decode(p, { stream: true })).join('');
            return text + decoder.decode();
        };
        return join(this.head) + (lost ? `\n[... ${lost} bytes cut ...]\n` : '') +
            join(this.tail);
    }
}

export class Run extends EventTarget {
    constructor(site, settings) {
        super();
        this.site = site;
        this.guest = settings.guest;
        this.tier = settings.tier;
        this.policy = settings.policy;
        this.budgets = settings.budgets;
        this.profile = settings.fileParam ? settings.profile : null;
        this.ranTier = withMore(settings.tier, {
            ...this.budgets,
            ...this.profile ? { [settings.fileParam.name]: PROFILE } : {},
        });
        this.policyValues = {
            ...Object.fromEntries((settings.policy.params ?? [])
                .map((p) => [p.name, p.default])),
            ...settings.policyValues, ...settings.commonValues,
        };
        this.workload = settings.doing;
        this.saved = settings.saved;
        this.savedAt = settings.saved?.phases ?? [];
        /* What a machine that waits is told to do, at its prompt. */
        this.line = this.saved && !settings.underWay
            ? consoleLine(this.workload) : null;
        /* What a user types before that. */
        this.held = this.saved ? [] : null;
        this.machineValues = {
            smp: Number(settings.machineValue('smp')),
            memory: Number(settings.machineValue('memory')),
            seed: Number(settings.machineValue('seed')),
            counts: settings.machineValue('counts'),
        };
        this.arguments = qemuArguments(settings);
        this.shares = settings.chosenShares();
        this.disks = settings.chosenDisks();
        this.parts = settings.parts();
        this.devices = [
            ...this.disks.map(({ name, format, bytes, readonly }) => ({
                kind: 'disk', file: name, format, bytes, readonly,
                snapshot: !readonly })),
            ...this.shares.map(({ tag, readonly }) =>
                ({ kind: 'share', tag, readonly })),
        ];
        if (settings.hasNetwork) {
            const { kind, host, outside } = site.network;
            this.devices.push({ kind, host, outside });
            this.network = new URL(site.network.url, document.baseURI).href
                .replace(/^http/, 'ws');
        }
        this.state = 'new';
        this.killed = this.isQuitting = false;
        this.reader = new ConsoleReader(this.guest);
        this.console = new Kept(CONSOLE_KEPT);
        this.errors = [];
        this.samples = [];
        this.ended = null;
        this.failure = null;
        this.started = new Date();
        /* When it was asked for; it may have begun to load before. */
        this.clicked = performance.now();
        this.isBroken = false;
        this.origin = null;
        this.wallMs = null;
        this.abort = new AbortController();
    }

    get phases() {
        return this.reader.phases;
    }

    /* The boot is over: somebody can type, or has seen the end. */
    get atPrompt() {
        return Boolean(this.reader.reached('prompt')) || this.isResumedThere;
    }

    get isResumedThere() {
        return Boolean(this.reader.reached('resume')) &&
            this.savedAt.includes('prompt') && this.saved.workload !== 'wait';
    }

    get isOver() {
        return this.state === 'ended' || this.state === 'failed';
    }

    now() {
        return this.wallMs ??
            (this.origin === null ? 0 : performance.now() - this.origin);
    }

    become(state) {
        this.state = state;
        this.dispatchEvent(new Event('state'));
    }

    /*
     * Fetch all that it needs, have the browser compile QEMU meanwhile, and QEMU make
     * the machine, which stands still; nothing of it is told before go().
     */
    load() {
        this.state = 'loading';
        this.loading = new Loading(this.site, this.guest, this.parts,
            (part, loaded, total) => this.progressed(part, loaded, total));
        const contents = this.contents();
        this.starting = this.makeReady({
            ...this.options(),
            files: contents.then(({ files }) => files),
            folders: contents.then(({ folders }) => folders),
        });
        /* go() says why. */
        this.starting.catch(() => { this.isBroken = true; });
    }

    async makeReady(options) {
        const machine = await start(options);
        machine.ended.then(() => { this.isBroken = true; });
        if (!this.saved) {
            this.control = new Control(machine);
            await Promise.race([this.control.begin(), machine.ended]);
        }
        return machine;
    }

    /* What QEMU is given; what the site has is for the machine to fetch. */
    async contents() {
        const program = this.site.programs[this.guest.arch];
        const files = [...program.files, ...this.guest.files];
        this.disks.forEach((disk, n) => files.push({
            ...disk.blob ? { data: disk.blob } : disk.parts[0],
            path: diskPath(disk, n) }));
        if (this.saved) {
            files.push(this.saved.blob ? await unpackedState(this.saved)
                                       : this.saved.part);
        }
        if (this.profile) {
            const data = new TextEncoder().encode(this.profile.text);
            this.profileSha256 = await sha256(data);
            files.push({ path: PROFILE, data });
        }
        return { files, folders: await this.folders() };
    }

    /* Resolves when it is over, however it ended. */
    async go() {
        try {
            this.become(this.state);
            this.machine = await this.starting;
            this.origin = performance.now();
            this.loadMs = this.origin - this.clicked;
            this.become('booting');
            await Promise.race([this.saved ? this.resume() : this.begin(),
                                this.machine.ended]);
            this.finish(await this.machine.ended);
        } catch (error) {
            const why = this.abort.signal.aborted ? 'it was stopped'
                                                  : error.message;
            this.wallMs ??= this.now();
            this.failure ??= { kind: 'engine-error', message: why };
            if (!this.isOver) {
                this.become('failed');
            }
        }
    }

    async begin() {
        await this.control.go();
        this.control = null;
        this.dispatchEvent(new Event('state'));
    }

    /* Load the machine, let it go on, and tell it what to do. */
    async resume() {
        const began = this.now();
        this.control = new Control(this.machine);
        try {
            await this.control.load(this.saved.part.path);
        } catch (error) {
            this.failure = { kind: 'snapshot',
                             message: `cannot resume: ${error.message}` };
            this.machine.kill();
            return;
        }
        const host_ms = this.now();
        this.resumedMs = host_ms - began;
        this.machine.remove(this.saved.part.path);
        this.reader.phases.unshift(
            { phase: 'resume', host_ms, guest_s: null, status: null });
        await this.control.go();
        this.control = null;
        this.dispatchEvent(new Event('phase'));
        if (this.line === null || this.savedAt.includes('prompt')) {
            this.release();
        }
        this.become(this.isResumedThere ? 'running' : this.state);
    }

    /* What the terminal showed when it was saved, or near enough. */
    before() {
        const { console: shown } = this.saved;
        /* What it asked of its terminal then was answered then. */
        const told = shown.replace(/\x1b\[[0-9;?>]*[cn]/g, '');
        /* Its shell asked for the terminal's size, which may be another now. */
        return told.replace(/\r?\n/g, '\r\n') +
            (this.workload === 'shell' && this.line === null ? '\x1b[?2048h' : '');
    }

    /* The machine is told its line, and listens to the user then. */
    release() {
        const { line, held } = this;
        this.line = this.held = null;
        if (line !== null) {
            this.machine.input(new TextEncoder().encode(`${line}\n`));
        }
        held.forEach((data) => this.machine.input(data));
    }

    /* Folders and disks are not in QEMU's state, and nothing may be under way. */
    get canBeSaved() {
        return Boolean(this.machine) && !this.isOver && !this.control &&
            !this.held && this.shares.length + this.disks.length === 0;
    }

    /* The machine as a file; it ends with that. */
    async saveMachine() {
        const { snapshotFile } = await import('./snapshot.mjs');
        this.control = new Control(this.machine);
        this.dispatchEvent(new Event('state'));
        try {
            await this.control.save(OUTGOING);
            this.wasSaved = true;
        } catch (error) {
            await this.control.execute('cont');
            await this.control.end();
            throw error;
        } finally {
            this.control = null;
            this.dispatchEvent(new Event('state'));
        }
        const { files } = await this.machine.ended;
        return snapshotFile(this, files[OUTGOING]);
    }

    /* Each with its path and what is in it. */
    async folders() {
        if (!this.shares.length) {
            return [];
        }
        const { unpackShare } = await import('./folders.mjs');
        const { download } = await import('../../engines/web/download.mjs');
        const fetched = async (file) => new Blob([await download(
            file, ({ path, loaded }) => this.loading.tell(path, loaded),
            this.abort.signal)]);
        const unpacked = async (share) =>
            unpackShare(share, ...await Promise.all(share.parts.map(fetched)));
        return Promise.all(this.shares.map(async (share) => {
            const { tag, readonly, entries } = share.parts ? await unpacked(share)
                                                           : share;
            return { path: sharePath(tag), readonly, entries };
        }));
    }

    /* Whether there is something that the guest may have written. */
    get keeps() {
        return this.shares.some((share) => !share.readonly);
    }

    /* Disks that the guest may write: { path, name }. */
    writtenDisks() {
        return this.disks.map((disk, n) => ({ ...disk, path: diskPath(disk, n) }))
            .filter(({ readonly }) => !readonly);
    }

    /* As they were when it ended: { name, data }. */
    get leftDisks() {
        const files = this.ended?.files ?? {};
        return this.writtenDisks().filter(({ path }) => files[path])
            .map(({ name, path }) => ({ name, data: files[path] }));
    }

    /* What is in its folders, as an archive: of now, or of its end. */
    async archive() {
        if (!this.machine) {
            throw new Error('the machine has not started');
        }
        const { archive, why } = this.ended ?? await this.machine.readFolders();
        if (!archive) {
            throw new Error(why);
        }
        return archive;
    }

    options() {
        return {
            program: this.site.programs[this.guest.arch].url,
            network: this.network,
            arguments: this.arguments,
            env: {
                TIERLAB_TIER: this.ranTier,
                TIERLAB_SEED: String(this.machineValues.seed),
                TIERLAB_COUNTS: this.machineValues.counts,
                TIERLAB_TIMELINE_MS: String(TIMELINE_MS),
            },
            stats: true,
            fetch: [OUTGOING, ...this.writtenDisks().map(({ path }) => path)],
            signal: this.abort.signal,
            onOutput: (data) => this.output(data),
            onControl: (data) => this.control?.receive(data),
            onError: (text) => this.said(text),
            onTimeline: (row) => this.sample(row),
            onProgress: ({ path, loaded }) => this.loading.tell(path, loaded),
            onLoaded: () => this.become('starting'),
        };
    }

    /* Outside the console; what a machine said last may be why it ended. */
    said(text) {
        this.errors.push(text);
        this.dispatchEvent(new CustomEvent('said', { detail: text }));
    }

    progressed(part, loaded, total) {
        this.progress = { part, loaded, total };
        this.dispatchEvent(new Event('progress'));
    }

    output(data) {
        if (this.isOver) {
            return;
        }
        this.console.add(data);
        const reached = this.reader.feed(data, this.now());
        this.dispatchEvent(new CustomEvent('output', { detail: data }));
        if (reached.length) {
            this.dispatchEvent(new Event('phase'));
            if (reached.some((p) => p.phase === 'prompt')) {
                if (this.held) {
                    this.release();
                    this.become(this.state);
                } else {
                    this.become('running');
                }
            }
        }
        if (this.reader.verdict) {
            this.quit();
        }
    }

    /* Its clock is the runtime's; ours is when the first line came. */
    sample(row) {
        if (this.origin === null) {
            return;
        }
        const late = this.now() - row.t_ms;
        this.offset = Math.min(this.offset ?? Infinity, late);
        this.samples.push(row);
        if (this.samples.length > SAMPLES_KEPT) {
            this.samples = this.samples.filter((_, i) => i % 2 === 0);
        }
        this.dispatchEvent(new Event('sample'));
    }

    /* In our time. */
    at(row) {
        return row.t_ms + (this.offset ?? 0);
    }

    input(data) {
        if (this.held) {
            this.held.push(data);
        } else {
            this.machine?.input(data);
        }
    }

    /* In order, with statistics. */
    stop() {
        this.stopped = true;
        this.quit();
    }

    /* By the control channel: with one, QEMU has no keys for it. */
    quit() {
        if (this.isQuitting) {
            return;
        }
        if (!this.machine || this.control) {
            this.abort.abort();
            return;
        }
        this.isQuitting = true;
        this.control = new Control(this.machine);
        this.control.quit();
    }

    kill() {
        this.stopped = this.killed = true;
        this.abort.abort();
    }

    finish(ended) {
        this.ended = ended;
        this.wallMs = this.now();
        this.reader.close(this.wallMs);
        this.failure ??= this.findFailure(ended);
        this.become(this.failure ? 'failed' : 'ended');
    }

    /* As find_failure() of bench/harness/run/boot.py. */
    findFailure({ status, aborted }) {
        const { panic, oops, verdict } = this.reader;
        if (this.wasSaved) {
            return null;
        }
        const say = (kind, message) => ({ kind, message });
        if (panic) {
            return say('panic', panic);
        }
        if (oops) {
            return say('oops', oops);
        }
        if (verdict) {
            return verdict.good ? null : say('said-failed', verdict.line);
        }
        const said = this.errors.at(-1);
        if (aborted) {
            return say('engine-error', this.stopped ? 'it was stopped'
                                                    : said ?? aborted);
        }
        const end = this.reader.reached('workload-end');
        if (end?.status) {
            return say('workload', `workload ended with status ${end.status}`);
        }
        if (status !== this.guest.status) {
            return say(this.phases.length ? 'exit-status' : 'engine-error',
                       said ?? `exit status ${status}`);
        }
        return null;
    }
}
