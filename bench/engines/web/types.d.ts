/*
 * What a page's machine (machine.mjs) takes and gives, and the messages between its two
 * threads. Types only: nothing of this file runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import type { FolderEntry } from '../js/qemu.d.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

/** A file to fetch, or its content. */
export interface Source {
    path?: string;
    url?: string;
    data?: Bytes | Blob;
    /** How many bytes the file has as gzip at its URL, if it is packed. */
    packed?: number;
    /** How many bytes the file has. */
    bytes?: number;
}

/** A file that QEMU is given. */
export type MachineFile = Source & { path: string };

/** A folder that QEMU is given. */
export interface MachineFolder {
    path: string;
    entries: FolderEntry[];
    /** If the guest may not write the folder, nothing of it comes back. */
    readonly: boolean;
}

/** Where the content of a disk is: one of these. */
export interface DiskSource {
    /** A file of the user's. */
    blob?: Blob;
    /** The index of an image in pieces, which are beside it: see pieces.mjs. */
    index?: Source & { url: string; sha256: string };
    /** A file of so many bytes, of which the server gives ranges. */
    url?: string;
    bytes?: number;
}

/** A disk, whose content is fetched when the guest reads it. */
export interface MachineDisk extends DiskSource {
    /** Where QEMU finds the disk. */
    path: string;
    /** What messages call the disk. */
    name: string;
    readonly: boolean;
}

/** What a guest wrote to a disk. */
export interface DiskChanges {
    /** How many bytes the disk has now. */
    size: number;
    /** What lies behind is not the disk's content any more, but zeros. */
    contentSize: number;
    /** The numbers of the blocks that were written, in order. */
    blocks: number[];
    /** These blocks, one after the other. */
    data: Blob;
}

/** How much of a file has been fetched; a total of 0 is not known. */
export interface Progress {
    path: string;
    loaded: number;
    total: number;
}

/** A line of QEMU's timeline (docs/results.md). */
export type Row = { t_ms: number } & Record<string, number>;

/** Milestones of the start, as Date.now() gives them. */
export type Times = Record<string, number>;

/** What concerns QEMU's thread, and can be sent to it. */
export interface MachineSettings {
    /** The URL of QEMU's JavaScript; its .wasm is beside it. */
    program: string;
    /** QEMU's own arguments; -L /share is added. */
    arguments: string[];
    env?: Record<string, string>;
    /** The URL of a relay's WebSocket, for -netdev stream. */
    network?: string;
    /** Whether statistics are wanted when QEMU ends. */
    stats?: boolean;
    /** Files that are wanted when QEMU ends. */
    fetch?: string[];
}

export interface MachineOptions extends MachineSettings {
    files?: MachineFile[] | Promise<MachineFile[]>;
    folders?: MachineFolder[] | Promise<MachineFolder[]>;
    disks?: MachineDisk[];
    /** Gives the start up, and kills the machine later. */
    signal?: AbortSignal;
    /** Gets the bytes of the guest's console. */
    onOutput?(bytes: Bytes): void;
    /** Gets lines that QEMU prints beside the console. */
    onError?(text: string): void;
    onTimeline?(row: Row): void;
    onProgress?(progress: Progress): void;
    /** All files are there, and QEMU begins. */
    onLoaded?(): void;
    /** Gets the bytes of the control channel: see attachControl(). */
    onControl?(bytes: Bytes): void;
}

/** The content of the folders that the guest may write. */
export interface Archive {
    /** A tar archive, or null. */
    archive: Blob | null;
    /** Why there is no archive. */
    why: string;
}

/** The runtime's statistics, as far as the page uses them. */
export interface Stats {
    policy?: unknown;
    runtime?: unknown;
    counters?: Record<string, number>;
    tbs?: { columns?: string[]; rows?: unknown[][]; count?: number };
}

/** How a machine ended. */
export interface Ended extends Archive {
    /** QEMU's exit status, or null if QEMU did not exit. */
    status: number | null;
    /** Why QEMU did not exit, or null. */
    aborted: string | null;
    /** Statistics without the rows of TBs. */
    stats: Stats | null;
    /** The whole statistics, as QEMU wrote them. */
    statsFile: Blob | null;
    /** Those of the wanted files that exist, by their paths. */
    files: Record<string, Bytes>;
    /** What was written to the disks that the guest may write, by their paths. */
    disks: Record<string, DiskChanges>;
}

/** A machine as the page uses it; tests have another one. */
export interface MachineLike {
    times: Times;
    ended: Promise<Ended>;
    input(bytes: Uint8Array): void;
    attachControl(attached: boolean): Promise<void>;
    controlInput(bytes: Uint8Array): void;
    remove(path: string): void;
    readFolders(): Promise<Archive>;
    kill(): void;
}

/* Messages to the worker (machine-worker.mjs). */

export interface Contents {
    files: MachineFile[];
    folders: MachineFolder[];
    disks: MachineDisk[];
}

/** What happened in a thread of QEMU's that the page made. */
export type FromThread = { type: 'thread'; id: number } & (
    | { what: 'message'; value: unknown }
    | { what: 'error'; value: { message: string; filename: string; lineno: number } });

export type ToWorker =
    | { type: 'start'; options: MachineSettings & { timeline: boolean } }
    | { type: 'program'; value: WebAssembly.Module }
    | { type: 'contents'; value: Contents }
    | { type: 'input' | 'control'; value: Uint8Array }
    | { type: 'remove'; value: string }
    | { type: 'attach'; value: boolean }
    | { type: 'folders' }
    | FromThread;

/* Messages from the worker. */

/** What is asked of a thread of QEMU's that the page makes: see remote-worker.mjs. */
export type ToThread = { type: 'thread'; id: number } & (
    | { what: 'make'; value: { url: string; options?: WorkerOptions } }
    | { what: 'post'; value: unknown }
    | { what: 'terminate'; value?: undefined });

export type FromWorker =
    | { type: 'times'; times: Times }
    | { type: 'loaded' | 'started' | 'attached'; value?: undefined }
    | { type: 'progress'; value: Progress }
    | { type: 'output' | 'control'; value: Bytes }
    | { type: 'error'; value: string }
    | { type: 'timeline'; value: Row }
    | { type: 'folders'; value: Archive }
    | { type: 'failed'; why: string }
    | { type: 'ended'; result: Ended }
    | ToThread;
