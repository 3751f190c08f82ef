/*
 * One run of a guest, from the click to the end, and all that is known about it. Times
 * are in ms since QEMU was ready and the guest could begin.
 *
 * Events: `state` (the field `state` changed), `progress`, `phase`, `sample` (a line of
 * the timeline came), `output` (bytes of the console, as `detail`), `said` (a line that
 * QEMU printed beside the console, as `detail`).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { messageOf } from '../../engines/js/errors.mjs';
import { start } from '../../engines/web/machine.mjs';
import { Loading } from './assets.mjs';
import { ConsoleReader } from './console.mjs';
import { Control } from './control.mjs';
import { diskArguments, diskPath, mountWord } from './disks.mjs';
import { sha256 } from './dom.mjs';
import { hasPrompt, withMore } from './spec.mjs';

/** @import { Archive, Bytes, DiskChanges, Ended, MachineDisk, MachineFile,
 *            MachineFolder, MachineLike, MachineOptions, Row }
 *            from '../../engines/web/types.d.ts' */
/** @import { Asset } from './assets.mjs' */
/** @import { Profile } from './profile.mjs' */
/** @import { Chosen, Settings } from './settings.mjs' */
/** @import { Failure, Guest, Param, Part, SavedMachine, Share, Site, Values }
 *            from './site.d.ts' */

/** @typedef {'new' | 'loading' | 'starting' | 'booting' | 'running' | 'ended' |
 *            'failed'} State */
/** @typedef {{ disk: MachineDisk, changes: DiskChanges }} LeftDisk */
/**
 * What a user chooses of a machine, and the workload.
 *
 * @typedef {object} Choice
 * @property {string | number} smp
 * @property {string | number} memory
 * @property {string | number} seed
 * @property {string} workload
 */

/* The time between two lines of the timeline. */
const TIMELINE_MS = 250;
/* How much of the console a result keeps. */
const CONSOLE_KEPT = 1 << 20;
/* How many samples are kept: when there are more, every other one is dropped. */
const SAMPLES_KEPT = 4096;

/**
 * Set the value behind an option of QEMU's.
 *
 * @param {string[]} argv
 * @param {string} option
 * @param {string} value
 */
function put(argv, option, value) {
    const at = argv.indexOf(option);
    if (at >= 0) {
        argv[at + 1] = value;
    }
}

/**
 * A workload's name, and its parameters as words.
 *
 * @param {string} spec
 */
function wordsOf(spec) {
    const [name, rest = ''] = spec.split(':');
    return { name, words: rest.split(',').filter(Boolean) };
}

/**
 * A workload on the kernel's command line, as the harness's kernel_words() has it.
 *
 * @param {string} spec
 */
function kernelWords(spec) {
    const { name, words } = wordsOf(spec);
    return [`tierlab.workload=${name}`, ...words.map((word) => `tierlab.${word}`)];
}

/**
 * A workload as a line for the guest's prompt, as the harness's console_line() has it.
 *
 * @param {string} spec
 */
function consoleLine(spec) {
    const { name, words } = wordsOf(spec);
    return [name, ...words].join(' ');
}

/* Where the policy finds what an earlier boot executed. */
const PROFILE = '/profiles/given';
/* Where QEMU leaves its state. */
const OUTGOING = '/tierlab/outgoing';

/**
 * Where a folder is in QEMU's memory, as the harness's share.py has it.
 *
 * @param {string} tag
 */
const sharePath = (tag) => `/shares/${tag}`;

/**
 * QEMU's arguments for a folder.
 *
 * @param {Guest} guest
 * @param {Share} share
 */
function shareArguments(guest, { tag, readonly }) {
    const words = (guest.share ?? []).map((word) => word.replaceAll('@TAG@', tag));
    put(words, '-fsdev', words[1] + (readonly ? ',readonly=on' : ''));
    return words;
}

/**
 * Put a user's choices into the guest's arguments.
 *
 * @param {string[]} argv
 * @param {Guest} guest
 * @param {Choice} choice
 * @param {string[]} words more words for the kernel
 */
function putMachine(argv, guest, { smp, memory, seed, workload }, words = []) {
    put(argv, '-smp', String(smp));
    put(argv, '-m', String(memory));
    put(argv, '-seed', String(seed));
    if (guest.workloads) {
        put(argv, '-append', [guest.append, ...kernelWords(workload), ...words,
                              guest.append_after].filter(Boolean).join(' '));
    }
}

/**
 * QEMU's arguments for what a user has chosen.
 *
 * @param {Chosen} settings
 */
export function qemuArguments(settings) {
    const { guest, site, saved } = settings;
    const argv = [...(saved ?? guest).arguments];
    const shares = settings.chosenShares(), disks = settings.allDisks();
    argv.splice((saved ?? guest).devices_at, 0,
                ...disks.flatMap((disk, n) => diskArguments(guest, disk, n)),
                ...shares.flatMap((share) => shareArguments(guest, share)),
                ...settings.hasNetwork ? guest.net ?? [] : []);
    if (shares.length + disks.length) {
        argv.push(...site.few_threads);
    }
    argv.push(...site.control_arguments);
    if (!saved) {
        /* The guest is stopped until go(). */
        argv.push('-S');
        putMachine(argv, guest, {
            smp: settings.machineValue('smp'), memory: settings.machineValue('memory'),
            seed: settings.machineValue('seed'), workload: settings.workloadSpec,
        }, disks.map(mountWord));
    }
    return argv;
}

/**
 * The arguments with which a saved machine was made.
 *
 * @param {Guest} guest
 * @param {Pick<SavedMachine, 'smp' | 'memory_mib' | 'seed' | 'booted_for'>} machine
 */
export function savedArguments(guest, { smp, memory_mib, seed, booted_for }) {
    const argv = [...guest.arguments];
    putMachine(argv, guest, { smp, memory: memory_mib, seed, workload: booted_for });
    return argv;
}

/**
 * The state of a saved machine, as QEMU reads it: of a user's own file, or a file of the
 * site's.
 *
 * @param {SavedMachine} saved
 * @returns {Promise<MachineFile>}
 */
async function stateOf({ blob, part }) {
    if (!blob) {
        return part;
    }
    const stream = blob.stream().pipeThrough(new DecompressionStream('gzip'));
    return { path: part.path, data: await new Response(stream).blob() };
}

/** Keeps the beginning and the end of a stream. */
class KeptOutput {
    /** @param {number} limit how many bytes are kept */
    constructor(limit) {
        this.half = limit / 2;
        /** @type {Bytes[]} */
        this.head = [];
        /** @type {Bytes[]} */
        this.tail = [];
        this.headSize = this.tailSize = this.total = 0;
    }

    /** @param {Bytes} data */
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
            this.tailSize -= this.tail[0].length;
            this.tail.shift();
        }
    }

    text() {
        const lost = this.total - this.headSize - this.tailSize;
        const decoder = new TextDecoder();
        /** @param {Bytes[]} pieces */
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
    /**
     * @param {Site} site
     * @param {Settings} settings
     */
    constructor(site, settings) {
        super();
        this.site = site;
        this.guest = settings.guest;
        this.tier = settings.tier;
        this.policy = settings.policy;
        this.budgets = settings.budgets;
        const { fileParam } = settings;
        /** @type {Profile | null} */
        this.profile = fileParam ? settings.profile : null;
        /** @type {string | null} */
        this.profileSha256 = null;
        /* The policy's spec as the engine runs it. */
        this.ranTier = withMore(settings.tier, {
            ...this.budgets,
            ...this.profile && fileParam ? { [fileParam.name]: PROFILE } : {},
        });
        /** @type {Record<string, Param['default']>} */
        this.policyValues = {
            ...Object.fromEntries((settings.policy.params ?? [])
                .map((p) => [p.name, p.default])),
            ...settings.policyValues, ...settings.commonValues,
        };
        this.workload = settings.doing;
        this.saved = settings.saved;
        this.savedAt = settings.saved?.phases ?? [];
        /* The line that starts the workload at the prompt of a saved machine. */
        this.line = this.saved && !settings.underWay
            ? consoleLine(this.workload) : null;
        /**
         * What a user types before that line, or null.
         *
         * @type {Uint8Array[] | null}
         */
        this.held = this.saved ? [] : null;
        this.machineValues = settings.machineValues();
        this.arguments = qemuArguments(settings);
        this.shares = settings.chosenShares();
        this.disks = settings.allDisks();
        /** @type {Asset[]} */
        this.parts = settings.parts();
        /** @type {object[]} */
        this.devices = [
            ...this.disks.map(({ name, format, bytes, readonly }) => ({
                kind: 'disk', file: name, format, bytes, readonly,
                snapshot: !readonly })),
            ...this.shares.map(({ tag, readonly }) =>
                ({ kind: 'share', tag, readonly })),
        ];
        /** @type {string | undefined} */
        this.network = undefined;
        if (settings.hasNetwork && site.network) {
            const { kind, host, outside } = site.network;
            this.devices.push({ kind, host, outside });
            this.network = new URL(site.network.url, document.baseURI).href
                .replace(/^http/, 'ws');
        }
        /** @type {State} */
        this.state = 'new';
        this.stopped = this.killed = this.isQuitting = this.wasSaved = false;
        this.reader = new ConsoleReader(this.guest);
        this.console = new KeptOutput(CONSOLE_KEPT);
        /**
         * Lines that QEMU printed beside the console.
         *
         * @type {string[]}
         */
        this.errors = [];
        /**
         * The timeline.
         *
         * @type {Row[]}
         */
        this.samples = [];
        /**
         * How the machine ended, or null.
         *
         * @type {Ended | null}
         */
        this.ended = null;
        /** @type {Failure | null} */
        this.failure = null;
        this.started = new Date();
        /* When the user asked for the run, which may have begun to load before. */
        this.clicked = performance.now();
        /* Whether the run ended before go(). */
        this.isBroken = false;
        /**
         * When QEMU was ready, as performance.now() gives it, or null.
         *
         * @type {number | null}
         */
        this.origin = null;
        /**
         * How long the run took, or null.
         *
         * @type {number | null}
         */
        this.wallMs = null;
        /**
         * How long loading took since the click.
         *
         * @type {number | undefined}
         */
        this.loadMs = undefined;
        /**
         * How long resuming took.
         *
         * @type {number | undefined}
         */
        this.resumedMs = undefined;
        /**
         * Our clock when the runtime's clock was 0, as far as it is known.
         *
         * @type {number | undefined}
         */
        this.offset = undefined;
        /* When the page kept the run for comparisons. */
        this.keptAt = 0;
        this.progress = { part: 0, loaded: 0, total: 0 };
        this.abort = new AbortController();
        this.loading = new Loading(site, this.guest, this.parts,
            (part, loaded, total) => this.progressed(part, loaded, total));
        /** @type {Promise<MachineLike> | null} */
        this.starting = null;
        /** @type {MachineLike | null} */
        this.machine = null;
        /**
         * The session on the control channel that is under way, or null.
         *
         * @type {Control | null}
         */
        this.control = null;
    }

    get phases() {
        return this.reader.phases;
    }

    /** Whether the boot is over: the user can type. */
    get atPrompt() {
        return Boolean(this.reader.reached('prompt')) || this.isResumedThere;
    }

    get isResumedThere() {
        return Boolean(this.reader.reached('resume')) &&
            this.savedAt.includes('prompt') && this.saved?.workload !== 'wait';
    }

    get isOver() {
        return this.state === 'ended' || this.state === 'failed';
    }

    now() {
        return this.wallMs ??
            (this.origin === null ? 0 : performance.now() - this.origin);
    }

    /** @param {State} state */
    become(state) {
        this.state = state;
        this.dispatchEvent(new Event('state'));
    }

    /**
     * Fetch all files, have the browser compile QEMU meanwhile, and have QEMU make the
     * machine, which stands still. A failure is told by go() only.
     */
    load() {
        this.state = 'loading';
        const contents = this.contents();
        this.starting = this.makeReady({
            ...this.options(),
            files: contents.then(({ files }) => files),
            folders: contents.then(({ folders }) => folders),
        });
        this.starting.catch(() => { this.isBroken = true; });
    }

    /**
     * @param {MachineOptions} options
     * @returns {Promise<MachineLike>}
     */
    async makeReady(options) {
        const machine = await start(options);
        void machine.ended.then(() => { this.isBroken = true; });
        if (!this.saved) {
            this.control = new Control(machine);
            await Promise.race([this.control.begin(), machine.ended]);
        }
        return machine;
    }

    /** What QEMU is given: a user's own data, and URLs that the machine fetches. */
    async contents() {
        const program = this.site.programs[this.guest.arch];
        /** @type {MachineFile[]} */
        const files = [...program.files, ...this.guest.files];
        if (this.saved) {
            files.push(await stateOf(this.saved));
        }
        if (this.profile) {
            const data = new TextEncoder().encode(this.profile.text);
            this.profileSha256 = await sha256(data);
            files.push({ path: PROFILE, data });
        }
        return { files, folders: await this.folders() };
    }

    /** Let the guest begin; resolves when the run is over, however it ended. */
    async go() {
        try {
            this.become(this.state);
            if (!this.starting) {
                throw new Error('the run was not loaded');
            }
            const machine = await this.starting;
            this.machine = machine;
            this.origin = performance.now();
            this.loadMs = this.origin - this.clicked;
            this.become('booting');
            await Promise.race([this.saved ? this.resume(machine, this.saved)
                                           : this.begin(), machine.ended]);
            this.finish(await machine.ended);
        } catch (error) {
            const why = this.abort.signal.aborted ? 'it was stopped'
                                                  : messageOf(error);
            this.wallMs ??= this.now();
            this.failure ??= { kind: 'engine-error', message: why };
            if (!this.isOver) {
                this.become('failed');
            }
        }
    }

    async begin() {
        await this.control?.go();
        this.control = null;
        this.dispatchEvent(new Event('state'));
    }

    /**
     * Load a saved machine, let it go on, and start the workload.
     *
     * @param {MachineLike} machine
     * @param {SavedMachine} saved
     */
    async resume(machine, saved) {
        const began = this.now();
        const control = new Control(machine);
        this.control = control;
        try {
            await control.load(saved.part.path);
        } catch (error) {
            this.failure = { kind: 'snapshot',
                             message: `cannot resume: ${messageOf(error)}` };
            machine.kill();
            return;
        }
        const host_ms = this.now();
        this.resumedMs = host_ms - began;
        machine.remove(saved.part.path);
        this.reader.phases.unshift(
            { phase: 'resume', host_ms, guest_s: null, status: null });
        await control.go();
        this.control = null;
        this.dispatchEvent(new Event('phase'));
        if (this.line === null || this.savedAt.includes('prompt')) {
            this.release();
        }
        this.become(this.isResumedThere ? 'running' : this.state);
    }

    /** What the terminal showed when the machine was saved, as far as it is known. */
    before() {
        const shown = this.saved?.console ?? '';
        /* The guest's questions to its terminal were answered before it was saved. */
        const told = shown.replace(/\x1b\[[0-9;?>]*[cn]/g, '');
        /* The shell had asked for the terminal's size, which may be another now. */
        return told.replace(/\r?\n/g, '\r\n') +
            (hasPrompt(this.workload) && this.line === null ? '\x1b[?2048h' : '');
    }

    /** Start the workload of a saved machine, and hand on what the user typed. */
    release() {
        const { line, held } = this;
        this.line = this.held = null;
        if (line !== null) {
            this.machine?.input(new TextEncoder().encode(`${line}\n`));
        }
        held?.forEach((data) => this.machine?.input(data));
    }

    /**
     * Whether the machine can be saved: QEMU's state does not have the content of
     * folders and disks, and no session of the control channel may be under way.
     */
    get canBeSaved() {
        return Boolean(this.machine) && !this.isOver && !this.control &&
            !this.held && this.shares.length + this.disks.length === 0;
    }

    /** The running machine; an Error if it has not started. */
    get running() {
        if (!this.machine) {
            throw new Error('the machine has not started');
        }
        return this.machine;
    }

    /** Save the machine, which ends with that, as a file. */
    async saveMachine() {
        const { snapshotFile } = await import('./snapshot.mjs');
        const machine = this.running;
        const control = new Control(machine);
        this.control = control;
        this.dispatchEvent(new Event('state'));
        try {
            await control.save(OUTGOING);
            this.wasSaved = true;
        } catch (error) {
            await control.execute('cont');
            await control.end();
            throw error;
        } finally {
            this.control = null;
            this.dispatchEvent(new Event('state'));
        }
        const { files } = await machine.ended;
        return snapshotFile(this, files[OUTGOING]);
    }

    /**
     * The folders that QEMU is given.
     *
     * @returns {Promise<MachineFolder[]>}
     */
    async folders() {
        if (!this.shares.length) {
            return [];
        }
        const { unpackShare } = await import('./folders.mjs');
        const { download } = await import('../../engines/web/download.mjs');
        /** @param {Part} file */
        const fetched = async (file) => new Blob([await download(
            file, ({ path, loaded }) => this.loading.tell(path, loaded),
            this.abort.signal)]);
        /** @param {Share} share */
        const entriesOf = async (share) => {
            if (!share.parts) {
                return share.entries;
            }
            const [index, data] = await Promise.all(share.parts.map(fetched));
            return unpackShare(index, data);
        };
        return Promise.all(this.shares.map(async (share) => {
            const { tag, readonly } = share;
            return { path: sharePath(tag), readonly, entries: await entriesOf(share) };
        }));
    }

    /** Whether there is a folder that the guest may have written. */
    get keeps() {
        return this.shares.some((share) => !share.readonly);
    }

    /**
     * The disks that QEMU is given.
     *
     * @returns {MachineDisk[]}
     */
    machineDisks() {
        return this.disks.map((disk, n) => ({
            path: diskPath(disk, n), name: disk.name, readonly: disk.readonly,
            ...disk.blob ? { blob: disk.blob } : { index: disk.parts[0] },
        }));
    }

    /**
     * The disks that the guest may have written, and what it wrote until the end.
     *
     * @returns {LeftDisk[]}
     */
    get leftDisks() {
        const changes = this.ended?.disks ?? {};
        return this.machineDisks().filter(({ path }) => changes[path])
            .map((disk) => ({ disk, changes: changes[disk.path] }));
    }

    /**
     * A disk as it was at the end; what was not fetched before is fetched now.
     *
     * @param {LeftDisk} left
     */
    async diskImage({ disk, changes }) {
        const { imageOf } = await import('../../engines/web/disk-image.mjs');
        return await imageOf(disk, changes);
    }

    /** The folders as an archive: as they are now, or as they were at the end. */
    async archive() {
        const { running } = this;
        /** @type {Archive} */
        const { archive, why } = this.ended ?? await running.readFolders();
        if (!archive) {
            throw new Error(why);
        }
        return archive;
    }

    /** Settings of the runtime, as its variables. */
    switches() {
        return Object.fromEntries(this.site.settings
            .filter(({ variable }) => variable)
            .map(({ key, variable }) => [variable, String(this.machineValues[key])]));
    }

    /** @returns {MachineOptions} */
    options() {
        return {
            program: this.site.programs[this.guest.arch].url,
            network: this.network,
            arguments: this.arguments,
            env: {
                TIERLAB_TIER: this.ranTier,
                TIERLAB_SEED: String(this.machineValues.seed),
                ...this.switches(),
                TIERLAB_TIMELINE_MS: String(TIMELINE_MS),
            },
            stats: true,
            fetch: [OUTGOING],
            disks: this.machineDisks(),
            signal: this.abort.signal,
            onOutput: (data) => this.output(data),
            onControl: (data) => this.control?.receive(data),
            onError: (text) => this.said(text),
            onTimeline: (row) => this.sample(row),
            onProgress: ({ path, loaded }) => this.loading.tell(path, loaded),
            onLoaded: () => this.become('starting'),
        };
    }

    /**
     * QEMU printed a line beside the console; the last line may be why QEMU ended.
     *
     * @param {string} text
     */
    said(text) {
        this.errors.push(text);
        this.dispatchEvent(new CustomEvent('said', { detail: text }));
    }

    /**
     * @param {number} part
     * @param {number} loaded
     * @param {number} total
     */
    progressed(part, loaded, total) {
        this.progress = { part, loaded, total };
        this.dispatchEvent(new Event('progress'));
    }

    /** @param {Bytes} data */
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

    /**
     * A line of the timeline came. The line has a time of the runtime's clock; the line
     * that came the soonest after its time tells the difference to our clock.
     *
     * @param {Row} row
     */
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

    /**
     * When a line of the timeline was written, by our clock.
     *
     * @param {Row} row
     */
    at(row) {
        return row.t_ms + (this.offset ?? 0);
    }

    /** @param {Uint8Array} data */
    input(data) {
        if (this.held) {
            this.held.push(data);
        } else {
            this.machine?.input(data);
        }
    }

    /** End QEMU in order, with statistics. */
    stop() {
        this.stopped = true;
        this.quit();
    }

    /** A QEMU with a control channel has no keys to quit, but a command. */
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
        void this.control.quit();
    }

    /** End QEMU at once. */
    kill() {
        this.stopped = this.killed = true;
        this.abort.abort();
    }

    /** @param {Ended} ended */
    finish(ended) {
        this.ended = ended;
        this.wallMs = this.now();
        this.reader.close(this.wallMs);
        this.failure ??= this.findFailure(ended);
        this.become(this.failure ? 'failed' : 'ended');
    }

    /**
     * Why the run failed, or null, as the harness's find_failure() tells it.
     *
     * @param {Ended} ended
     * @returns {Failure | null}
     */
    findFailure({ status, aborted }) {
        const { panic, oops, verdict } = this.reader;
        if (this.wasSaved) {
            return null;
        }
        /**
         * @param {string} kind
         * @param {string} message
         */
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
