/*
 * What emscripten gives to libraries of its (qemu/deps/wasm-posix), and what these
 * define. Types only: nothing of this file runs. Addresses are numbers, and so are
 * results: a negative one is an errno.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/** The helpers of hostfs.js. */
interface TwHost {
    fs: typeof import('node:fs');
    /** Allowed paths, and whether each may be written. */
    live: Map<string, boolean>;
    bytes(pointer: number, size: number): Uint8Array;
    text(pointer: number): Buffer;
    error(errno: number): Error;
    below(dir: number, pointer: number): Buffer;
    place(dir: number, pointer: number, writes: number | boolean): Buffer | string;
    result(action: () => number | void): number;
    views(iov: number, n: number): Uint8Array[];
    flags(flags: number): number;
    fill(out: number, stat: import('node:fs').BigIntStats): void;
    kind(entry: import('node:fs').Dirent<unknown>): number;
}

/** What hostfs.h declares. */
interface HostLibrary {
    $twHost__postset: string;
    $twHost: Omit<TwHost, 'fs' | 'live'> & { fs: null; live: null };
    $twHostMode(mode: number): number;
    tw_host_open(dir: number, path: number, flags: number, mode: number): number;
    tw_host_close(fd: number): number;
    tw_host_read(fd: number, iov: number, n: number, pos: number): number;
    tw_host_write(fd: number, iov: number, n: number, pos: number): number;
    tw_host_sync(fd: number, dataOnly: number): number;
    tw_host_truncate(fd: number, size: number): number;
    tw_host_list(fd: number, buf: number, size: number): number;
    tw_host_chmod(fd: number, mode: number): number;
    tw_host_statfs(fd: number, out: number): number;
    tw_host_stat(dir: number, path: number, out: number): number;
    tw_host_fstat(fd: number, out: number): number;
    tw_host_mkdir(dir: number, path: number, mode: number): number;
    tw_host_unlink(dir: number, path: number, isFolder: number): number;
    tw_host_rename(dir: number, path: number, newDir: number, newPath: number): number;
    tw_host_link(dir: number, path: number, newDir: number, newPath: number): number;
    tw_host_symlink(target: number, dir: number, path: number): number;
    tw_host_readlink(dir: number, path: number, buf: number, size: number): number;
    tw_host_utimes(dir: number, path: number, atime: number, mtime: number): number;
}

/** What clock.js defines. */
interface ClockLibrary {
    $twClockOrigin: string;
    emscripten_get_now(): number;
}

/** What runfs.h declares. */
interface RunLibrary {
    tw_run_ask(call: number): void;
}

type Libraries = HostLibrary & ClockLibrary & RunLibrary;

/** What the runner gave the loader. */
declare const Module: { onFileCall(call: number): void };
declare const wasmMemory: WebAssembly.Memory;
declare const twHost: TwHost;
declare const twHostMode: HostLibrary['$twHostMode'];
declare const twClockOrigin: number;
declare function addToLibrary(
    library: Partial<Libraries> & { [name: `${string}__deps`]: string[] } &
        { [name: `${string}__proxy`]: 'sync' | 'async' },
): void;
