/*
 * What the page is told of guests, policies and workloads, as bench/page/describe.py
 * writes it, and what a user adds. Types only: nothing of this file runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import type { FolderEntry } from '../../engines/js/qemu.d.ts';

/** A file of the site's, packed by gzip. */
export interface Part {
    /** Where QEMU finds the file. */
    path: string;
    url: string;
    /** Sizes, unpacked and packed. */
    bytes: number;
    packed: number;
}

/** A parameter of a policy, of a workload, or of the machine. */
export interface Param {
    name: string;
    type: 'u64' | 'double' | 'enum' | 'text';
    /** What the form calls the parameter, if not by its name. */
    label?: string;
    unit?: string;
    meaning: string;
    default: number | string;
    /** The range in words. */
    range: string;
    /** Of an `enum`. */
    choices?: string[];
    /** Of a `text`: a regular expression that all of it matches. */
    pattern?: string;
    /** Of a number. */
    min?: number;
    max?: number;
}

/** A setting of the machine, from the table of settings (bench/base/settings.py). */
export interface MachineParam extends Param {
    /** The setting's name in guests, saved machines and results. */
    key: string;
    /** The runtime's variable; empty if the setting is none of the runtime's. */
    variable: string;
}

/** The same before a guest is chosen: null stands for the guest's own value. */
export type MachineSetting = Omit<MachineParam, 'default'> &
    { default: number | string | null };

/** A number in the catalogue of workloads. */
export interface WorkloadNumber {
    name: string;
    unit: string;
    default: number;
    minimum: number;
    maximum: number;
    meaning: string;
}

/** A parameter in the catalogue of workloads whose values are names. */
export interface WorkloadChoice {
    name: string;
    unit: string;
    default: string;
    choices: string[];
    meaning: string;
}

/** A parameter in the catalogue of workloads that is a word. */
export interface WorkloadWord {
    name: string;
    unit: string;
    default: string;
    /** A regular expression that the whole word matches. */
    pattern: string;
    meaning: string;
}

export type WorkloadParam = WorkloadNumber | WorkloadChoice | WorkloadWord;

export interface Workload {
    name: string;
    title: string;
    interactive: boolean;
    /** What must be plugged in. */
    needs: 'disk' | 'share' | 'net' | 'root' | null;
    /**
     * The root file systems with its programs, by the value of its parameter `set`, or
     * ''; none for most.
     */
    roots: Record<string, string[]>;
    /** The memory that it needs. */
    memory_mib: number;
    params: WorkloadParam[];
}

export interface Policy {
    name: string;
    summary: string;
    source?: string;
    params?: Param[];
    /** The policy's own defaults of the common parameters. */
    common?: Record<string, number | string>;
}

export interface Guest {
    name: string;
    title: string;
    arch: string;
    machine: string;
    memory_mib: number;
    smp: number;
    /** The kernel's command line, and what comes behind the workload's words. */
    append: string;
    append_after: string;
    kernel_version: string | null;
    /** Whether the guest takes the project's workloads. */
    workloads: boolean;
    /** QEMU's arguments, and where those of devices are put in. */
    arguments: string[];
    devices_at: number;
    /** QEMU's arguments of a disk, a folder and a network card, if there is a place. */
    disk: string[] | null;
    share: string[] | null;
    net: string[] | null;
    markers: { phase: string; match: string }[];
    panics: string[];
    oopses: string[];
    /** The exit status of a good end. */
    status: number;
    passed: string | null;
    failed: string | null;
    boot_phase: string;
    files: Part[];
    /** Disks that the page plugs in for workloads: see Workload. */
    roots: Record<string, RootDisk>;
    /** The disk with the root of an image or a folder, and the option that gave it. */
    root: (SiteDisk & { root: true; option: string }) | null;
    config: unknown;
    provenance: { files?: unknown };
}

export interface Program {
    url: string;
    wasm: string;
    bytes: number;
    packed: number | null;
    files: Part[];
    product: string;
    versions: Record<string, string>;
}

/** A disk of the site's. */
export interface SiteDisk {
    name: string;
    format: string;
    /** The file system, if the guest is told to mount the disk. */
    mount: string;
    /** Whether that is the guest's root. */
    root?: boolean;
    bytes: number;
    readonly: boolean;
    /** The index of the image's pieces: see bench/engines/web/pieces.mjs. */
    parts: [Part & { sha256: string }];
    /** How many bytes all pieces have, packed. */
    packed: number;
    blob?: undefined;
}

/** A disk of the site's with a root file system, or a layer of one. */
export type RootDisk = SiteDisk & { root: true };

/** A user's own disk. */
export interface OwnDisk extends Omit<SiteDisk, 'parts' | 'packed' | 'blob'> {
    blob: Blob;
    parts?: undefined;
}

export type Disk = SiteDisk | RootDisk | OwnDisk;

/** A folder of the site's, in two files: an index and all contents. */
export interface SiteShare {
    tag: string;
    name: string;
    readonly: boolean;
    files: number;
    bytes: number;
    parts: [index: Part, data: Part];
    own?: undefined;
}

/** A user's own folder. */
export interface OwnShare extends Omit<SiteShare, 'parts' | 'own'> {
    own: true;
    entries: FolderEntry[];
    parts?: undefined;
}

export type Share = SiteShare | OwnShare;

/** The facts of a saved machine (docs/snapshots.md) that a result repeats. */
export interface Resumed {
    marker: string;
    engine: string;
    tier: string;
    workload: string;
    packed_sha256: string;
}

export interface SavedMachine {
    name: string;
    guest: string;
    memory_mib: number;
    smp: number;
    icount: number | null;
    seed: number;
    workload: string;
    booted_for: string;
    /** Whether the machine has a network card. */
    net: boolean;
    phases: string[];
    /** The last lines of the console. */
    console: string;
    /** When the machine was saved. */
    saved: string;
    resumed: Resumed;
    arguments: string[];
    devices_at: number;
    part: { path: string; packed: number; url?: string; bytes?: number };
    /** The state of a user's own machine. */
    blob?: Blob;
}

export interface Network {
    kind: string;
    /** Ports of the page's host that the guest reaches. */
    host: number[];
    /** Whether the guest reaches other machines. */
    outside: boolean;
    /** The network as an option of `tierlab boot`. */
    words: string;
    /** The relay's WebSocket, relative to the page. */
    url: string;
}

export interface Limits {
    disk_bytes: number;
    disks: number;
    share_bytes: number;
    share_entries: number;
}

export interface Site {
    schema: number;
    run_schema: number;
    guests: Guest[];
    programs: Record<string, Program>;
    disks: SiteDisk[];
    shares: SiteShare[];
    machines: SavedMachine[];
    network: Network | null;
    few_threads: string[];
    icount_arguments: string[];
    control_arguments: string[];
    tiers: { policies: Policy[]; common?: Param[]; default: string };
    /** Defaults of the common parameters that a browser needs, by its name. */
    budgets: Record<string, Record<string, number>>;
    workloads: Workload[];
    settings: MachineSetting[];
    /** Every setting that a result's `config` has, without a value. */
    config: Record<string, null | string[]>;
    limits: Limits;
    libraries: Record<string, string>;
    provenance: { git?: { commit?: string } };
}

/** Texts by the name of their parameter. */
export type Values = Record<string, string>;

/** A phase that the console reached. */
export interface Phase {
    phase: string;
    host_ms: number;
    guest_s: number | null;
    status: number | null;
}

export interface Failure {
    kind: string;
    message: string;
}
