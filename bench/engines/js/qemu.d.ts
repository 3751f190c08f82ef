/*
 * A QEMU that was built for WebAssembly, as emscripten's loader makes it, and what its
 * callers pass in. Types only: nothing of this file runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/** A device of emscripten's file system that QEMU writes to. */
export interface Device {
    open(): void;
    close(): void;
    write(stream: unknown, buffer: Uint8Array, offset: number,
          length: number): number;
}

/** The part of emscripten's file system that is used here. */
export interface FileSystem {
    mkdirTree(path: string): void;
    writeFile(path: string, data: Uint8Array, options?: { canOwn?: boolean }): void;
    readFile(path: string): Uint8Array<ArrayBuffer>;
    analyzePath(path: string): { exists: boolean };
    unlink(path: string): void;
    makedev(major: number, minor: number): number;
    registerDevice(device: number, operations: Device): void;
    mkdev(path: string, device: number): void;
}

/** What the loader is given. */
export interface QemuOptions {
    arguments: string[];
    /** How many threads are made while the program is compiled. */
    threads: number;
    preRun: ((module: Qemu) => void)[];
    print(text: string): void;
    printErr(text: string): void;
    onRuntimeInitialized(): void;
    onExit(status: number): void;
    onAbort(what: unknown): void;
    /** A thread of QEMU's made a call on a file of the runner's: see runfs.h. */
    onFileCall?(call: number): void;
    instantiateWasm?(
        imports: WebAssembly.Imports,
        done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ): object;
}

/** Addresses are numbers in linear memory; a negative result is an errno. */
export interface Qemu extends QemuOptions {
    FS: FileSystem;
    ENV: Record<string, string>;
    wasmMemory: { buffer: SharedArrayBuffer };
    addRunDependency(name: string): void;
    removeRunDependency(name: string): void;

    /* char-stdio-wasm.c */
    _tw_console(): number;
    _tw_console_input(): void;
    _tw_control(): number;
    _tw_control_input(): void;

    /* runner-wasm.c */
    _tw_network(): number;
    _tw_network_event(): void;

    /* runfs.h */
    _tw_run_add(path: number, writable: number): number;

    /* memfs.h */
    _tw_mem_buffer(size: number): number;
    _tw_mem_set_limit(bytes: number): void;
    _tw_mem_mount(path: number): number;
    _tw_mem_open(dir: number, path: number, flags: number, mode: number): number;
    _tw_mem_close(fd: number): number;
    _tw_mem_read(fd: number, iov: number, n: number, position: number): number;
    _tw_mem_write(fd: number, iov: number, n: number, position: number): number;
    _tw_mem_list(fd: number, buffer: number, size: number): number;
    _tw_mem_chmod(fd: number, mode: number): number;
    _tw_mem_stat(dir: number, path: number, out: number): number;
    _tw_mem_mkdir(dir: number, path: number, mode: number): number;
    _tw_mem_symlink(target: number, dir: number, path: number): number;
    _tw_mem_readlink(dir: number, path: number, buffer: number, size: number): number;
    _tw_mem_utimes(dir: number, path: number, atime: number, mtime: number): number;
}

/** The default export of the program's JavaScript. */
export type CreateQemu = (options: QemuOptions) => Promise<Qemu>;

/**
 * What is put into a folder of the guest's: a file (`data`), a link (`target`), or a
 * folder (neither). `path` is relative, `mtime` in seconds.
 */
export interface FolderEntry {
    path: string;
    mode?: number;
    mtime?: number;
    data?: Uint8Array | Blob;
    target?: string;
}

/**
 * What is found in a folder of the guest's: a file has `pieces`, a link has `target`,
 * a folder has neither. Names are bytes.
 */
export interface FoundEntry {
    path: Uint8Array<ArrayBuffer>;
    mode: number;
    size?: number;
    mtime?: number;
    target?: Uint8Array<ArrayBuffer>;
    pieces?: () => Iterable<Uint8Array<ArrayBuffer>>;
}
