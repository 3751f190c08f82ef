/*
 * The host's side of hostfs.h: Node's fs, called by the thread that needs a
 * file.
 *
 * The environment variable TIERLAB_LIVE lists the paths that are allowed: a
 * JSON object that maps each path to whether it may be written. Every worker
 * has a copy, which nothing in linear memory can change. Outside Node no path
 * is allowed, and there is neither fs nor Buffer: only code that runs for an
 * allowed path may use them.
 *
 * A pointer is an address in linear memory, and an error number one of Linux.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
addToLibrary({
    /* Runs in each thread when the thread starts. */
    $twHost__postset: `
        twHost.fs = globalThis.process?.getBuiltinModule?.('node:fs');
        twHost.live = new Map(Object.entries(JSON.parse(
            (twHost.fs && process.env.TIERLAB_LIVE) || '{}')));
    `,
    $twHost: {
        /* Node's fs, or nothing outside Node; emscripten.d.ts has the types. */
        fs: null,
        /* A Map of the allowed paths: may they be written? */
        live: null,

        /**
         * @param {number} pointer
         * @param {number} size in bytes
         * @returns {Uint8Array} a view of linear memory
         */
        bytes(pointer, size) {
            return new Uint8Array(wasmMemory.buffer, pointer >>> 0, size);
        },

        /**
         * @param {number} pointer of a text that a zero ends
         * @returns {Buffer} a copy of its bytes, which need not be UTF-8
         */
        text(pointer) {
            const start = pointer >>> 0;
            const memory = new Uint8Array(wasmMemory.buffer);
            return Buffer.from(memory.slice(start, memory.indexOf(0, start)));
        },

        /**
         * @param {number} errno minus an error number, or TW_NOT_LIVE
         * @returns {Error & {errno: number}} which result() turns into @errno
         */
        error(errno) {
            return Object.assign(new Error('hostfs'), { errno });
        },

        /**
         * @param {number} dir the folder's descriptor
         * @param {number} pointer of a name: one component, and not ".."
         * @returns {Buffer} a path by which fs finds that name in that folder
         * @throws EACCES for any other name
         */
        below(dir, pointer) {
            const name = twHost.text(pointer);
            if (name.includes(0x2f) || name.equals(Buffer.from('..'))) {
                throw twHost.error(-13 /* EACCES */);
            }
            return Buffer.concat([Buffer.from(`/proc/self/fd/${dir}/`), name]);
        },

        /**
         * @param {number} dir a folder's descriptor, or TW_NOWHERE
         * @param {number} pointer of a name in that folder, or of a whole path
         * @param {boolean|number} writes whether the file is to be changed
         * @returns {Buffer|string} the path for fs
         * @throws TW_NOT_LIVE if a whole path is not allowed, EROFS if it may
         *     not be written, EACCES as below() does
         */
        place(dir, pointer, writes) {
            if (dir >= 0) {
                return twHost.below(dir, pointer);
            }
            const name =
                twHost.live.size ? twHost.text(pointer).toString() : '';
            const writable = twHost.live.get(name);
            if (writable === undefined) {
                throw twHost.error(-4096 /* TW_NOT_LIVE */);
            }
            if (writes && !writable) {
                throw twHost.error(-30 /* EROFS */);
            }
            return name;
        },

        /**
         * Runs a call of fs. libuv's error numbers are minus those of Linux.
         * @param {() => (number|void)} action
         * @returns {number} what @action returns, 0 if nothing, or minus an
         *     error number; EIO for an exception that fs did not throw
         */
        result(action) {
            try {
                return action() ?? 0;
            } catch (e) {
                const error = /** @type {NodeJS.ErrnoException} */ (e);
                if (typeof error.errno !== 'number') {
                    console.error(`tierlab: ${error.stack ?? error}`);
                    return -5 /* EIO */;
                }
                return error.errno;
            }
        },

        /**
         * @param {number} iov pointer of an array of struct iovec
         * @param {number} n how many
         * @returns {Uint8Array[]} views of the buffers that are not empty
         */
        views(iov, n) {
            const words = new Uint32Array(wasmMemory.buffer, iov >>> 0, 2 * n);
            const views = [];
            for (let i = 0; i < 2 * n; i += 2) {
                if (words[i + 1]) {
                    views.push(twHost.bytes(words[i], words[i + 1]));
                }
            }
            return views;
        },

        /**
         * @param {number} flags of open(), as emscripten and Linux on x86 have
         *     them
         * @returns {number} the same flags as the host has them, and O_NOFOLLOW
         */
        flags(flags) {
            const known = twHost.fs.constants;
            const O_PATH = 0o10000000;
            let made = (flags & 3) | known.O_NOFOLLOW | known.O_NOCTTY;
            for (const [bit, own] of [
                [0o100, known.O_CREAT], [0o200, known.O_EXCL],
                [0o1000, known.O_TRUNC], [0o2000, known.O_APPEND],
                [0o4000, known.O_NONBLOCK], [0o10000, known.O_DSYNC],
                [0o4000000, known.O_SYNC], [0o40000, known.O_DIRECT],
                [0o200000, known.O_DIRECTORY], [0o1000000, known.O_NOATIME],
                [O_PATH, O_PATH],
            ]) {
                made |= flags & bit ? own : 0;
            }
            return made;
        },

        /**
         * Writes a TwHostStat.
         * @param {number} out its pointer
         * @param {import('node:fs').BigIntStats} stat
         */
        fill(out, stat) {
            new BigInt64Array(wasmMemory.buffer, out >>> 0, 13).set([
                stat.dev, stat.mode, stat.nlink, stat.uid, stat.gid, stat.rdev,
                stat.size, stat.blksize, stat.blocks,
                stat.atimeNs, stat.mtimeNs, stat.ctimeNs, stat.ino,
            ].map((n) => BigInt.asIntN(64, n)));
        },

        /**
         * @param {import('node:fs').Dirent} entry
         * @returns {number} the DT_ of dirent.h
         */
        kind(entry) {
            return entry.isFile() ? 8 : entry.isDirectory() ? 4 :
                   entry.isSymbolicLink() ? 10 : entry.isFIFO() ? 1 :
                   entry.isSocket() ? 12 : entry.isCharacterDevice() ? 2 :
                   entry.isBlockDevice() ? 6 : 0;
        },
    },

    /**
     * Takes the set-user-ID and set-group-ID bits away, so that no file that a
     * guest makes lets anybody run as another user.
     * @param {number} mode
     * @returns {number}
     */
    $twHostMode: (mode) => mode & 0o1777,

    tw_host_open__deps: ['$twHost', '$twHostMode'],
    /**
     * @param {number} dir a folder's descriptor, or TW_NOWHERE
     * @param {number} path pointer of a name in it, or of a whole path
     * @param {number} flags of open(), as emscripten has them
     * @param {number} mode of a new file
     * @returns {number} a descriptor of the host, or minus an error number
     */
    tw_host_open: (dir, path, flags, mode) => twHost.result(() => {
        const name = twHost.place(dir, path, flags & (3 | 0o1000));
        if (dir < 0) {
            flags &= ~0o100; // O_CREAT: an allowed path exists already
        }
        return twHost.fs.openSync(name, twHost.flags(flags), twHostMode(mode));
    }),

    tw_host_close__deps: ['$twHost'],
    /**
     * @param {number} fd
     * @returns {number} 0 or minus an error number
     */
    tw_host_close: (fd) => twHost.result(() => twHost.fs.closeSync(fd)),

    tw_host_read__deps: ['$twHost'],
    /**
     * @param {number} fd
     * @param {number} iov pointer of an array of struct iovec
     * @param {number} n how many
     * @param {number} pos where in the file
     * @returns {number} how many bytes were read, or minus an error number
     */
    tw_host_read: (fd, iov, n, pos) => twHost.result(() => {
        const views = twHost.views(iov, n);
        return views.length ? twHost.fs.readvSync(fd, views, pos) : 0;
    }),

    tw_host_write__deps: ['$twHost'],
    /**
     * @param {number} fd
     * @param {number} iov pointer of an array of struct iovec
     * @param {number} n how many
     * @param {number} pos where in the file
     * @returns {number} how many bytes were written, or minus an error number
     */
    tw_host_write: (fd, iov, n, pos) => twHost.result(() => {
        const views = twHost.views(iov, n);
        return views.length ? twHost.fs.writevSync(fd, views, pos) : 0;
    }),

    tw_host_sync__deps: ['$twHost'],
    /**
     * @param {number} fd
     * @param {number} dataOnly whether fdatasync() is enough
     * @returns {number} 0 or minus an error number
     */
    tw_host_sync: (fd, dataOnly) => twHost.result(() =>
        dataOnly ? twHost.fs.fdatasyncSync(fd) : twHost.fs.fsyncSync(fd)),

    tw_host_truncate__deps: ['$twHost'],
    /**
     * @param {number} fd
     * @param {number} size in bytes
     * @returns {number} 0 or minus an error number
     */
    tw_host_truncate: (fd, size) =>
        twHost.result(() => twHost.fs.ftruncateSync(fd, size)),

    tw_host_list__deps: ['$twHost'],
    /**
     * Lists the names in a folder: of each its DT_, its length in 16 bits and
     * its bytes.
     * @param {number} fd of the folder
     * @param {number} buf pointer to the list
     * @param {number} size of the list at most
     * @returns {number} the size of the list, or minus an error number; if the
     *     list is longer than @size, nothing is written
     */
    tw_host_list: (fd, buf, size) => twHost.result(() => {
        const options = /** @type {const} */ (
            { encoding: 'buffer', withFileTypes: true });
        const own = (/** @type {string} */ name, /** @type {number} */ kind) =>
            ({ name: Buffer.from(name), kind });
        const names = [own('.', 4), own('..', 4)];
        for (const e of twHost.fs.readdirSync(`/proc/self/fd/${fd}`, options)) {
            names.push({ name: e.name, kind: twHost.kind(e) });
        }
        const total = names.reduce((sum, e) => sum + 3 + e.name.length, 0);
        if (total > size) {
            return total;
        }
        const out = twHost.bytes(buf, size);
        let at = 0;
        for (const { name, kind } of names) {
            out.set([kind, name.length & 255, name.length >> 8], at);
            out.set(name, at + 3);
            at += 3 + name.length;
        }
        return total;
    }),

    tw_host_chmod__deps: ['$twHost', '$twHostMode'],
    /**
     * @param {number} fd
     * @param {number} mode
     * @returns {number} 0 or minus an error number
     */
    tw_host_chmod: (fd, mode) => twHost.result(() =>
        twHost.fs.chmodSync(`/proc/self/fd/${fd}`, twHostMode(mode))),

    tw_host_statfs__deps: ['$twHost'],
    /**
     * @param {number} fd
     * @param {number} out pointer of a TwHostStatfs
     * @returns {number} 0 or minus an error number
     */
    tw_host_statfs: (fd, out) => twHost.result(() => {
        const s = twHost.fs.statfsSync(`/proc/self/fd/${fd}`, { bigint: true });
        new BigInt64Array(wasmMemory.buffer, out >>> 0, 7).set([
            s.type, s.bsize, s.blocks, s.bfree, s.bavail, s.files, s.ffree,
        ].map((n) => BigInt.asIntN(64, n)));
    }),

    tw_host_stat__deps: ['$twHost'],
    /**
     * Describes a link itself, not the file that the link leads to.
     * @param {number} dir a folder's descriptor, or TW_NOWHERE
     * @param {number} path pointer of a name in it, or of a whole path
     * @param {number} out pointer of a TwHostStat
     * @returns {number} 0 or minus an error number
     */
    tw_host_stat: (dir, path, out) => twHost.result(() => {
        const name = twHost.place(dir, path, false);
        twHost.fill(out, twHost.fs.lstatSync(name, { bigint: true }));
    }),

    tw_host_fstat__deps: ['$twHost'],
    /**
     * @param {number} fd
     * @param {number} out pointer of a TwHostStat
     * @returns {number} 0 or minus an error number
     */
    tw_host_fstat: (fd, out) => twHost.result(() =>
        twHost.fill(out, twHost.fs.fstatSync(fd, { bigint: true }))),

    tw_host_mkdir__deps: ['$twHost', '$twHostMode'],
    /**
     * @param {number} dir the folder's descriptor
     * @param {number} path pointer of a name in it
     * @param {number} mode
     * @returns {number} 0 or minus an error number
     */
    tw_host_mkdir: (dir, path, mode) => twHost.result(() => {
        twHost.fs.mkdirSync(twHost.below(dir, path),
                            { mode: twHostMode(mode) });
    }),

    tw_host_unlink__deps: ['$twHost'],
    /**
     * @param {number} dir the folder's descriptor
     * @param {number} path pointer of a name in it
     * @param {number} isFolder whether an empty folder is to be removed
     * @returns {number} 0 or minus an error number
     */
    tw_host_unlink: (dir, path, isFolder) => twHost.result(() => {
        const name = twHost.below(dir, path);
        if (isFolder) {
            twHost.fs.rmdirSync(name);
        } else {
            twHost.fs.unlinkSync(name);
        }
    }),

    tw_host_rename__deps: ['$twHost'],
    /**
     * @param {number} dir the folder's descriptor
     * @param {number} path pointer of a name in it
     * @param {number} newDir the descriptor of the new name's folder
     * @param {number} newPath pointer of the new name
     * @returns {number} 0 or minus an error number
     */
    tw_host_rename: (dir, path, newDir, newPath) => twHost.result(() =>
        twHost.fs.renameSync(twHost.below(dir, path),
                             twHost.below(newDir, newPath))),

    tw_host_link__deps: ['$twHost'],
    /**
     * @param {number} dir the folder's descriptor
     * @param {number} path pointer of a name in it
     * @param {number} newDir the descriptor of the new name's folder
     * @param {number} newPath pointer of the new name
     * @returns {number} 0 or minus an error number
     */
    tw_host_link: (dir, path, newDir, newPath) => twHost.result(() =>
        twHost.fs.linkSync(twHost.below(dir, path),
                           twHost.below(newDir, newPath))),

    tw_host_symlink__deps: ['$twHost'],
    /**
     * @param {number} target pointer of what the link contains
     * @param {number} dir the folder's descriptor
     * @param {number} path pointer of a name in it
     * @returns {number} 0 or minus an error number
     */
    tw_host_symlink: (target, dir, path) => twHost.result(() =>
        twHost.fs.symlinkSync(twHost.text(target), twHost.below(dir, path))),

    tw_host_readlink__deps: ['$twHost'],
    /**
     * @param {number} dir the folder's descriptor
     * @param {number} path pointer of a name in it
     * @param {number} buf pointer to what the link contains
     * @param {number} size of that at most
     * @returns {number} how many bytes were written, or minus an error number
     */
    tw_host_readlink: (dir, path, buf, size) => twHost.result(() => {
        const name = twHost.below(dir, path);
        const target = twHost.fs.readlinkSync(name, { encoding: 'buffer' });
        const fits = target.subarray(0, size);
        twHost.bytes(buf, size).set(fits);
        return fits.length;
    }),

    tw_host_utimes__deps: ['$twHost'],
    /**
     * @param {number} dir the folder's descriptor
     * @param {number} path pointer of a name in it
     * @param {number} atime seconds since 1970
     * @param {number} mtime seconds since 1970
     * @returns {number} 0 or minus an error number
     */
    tw_host_utimes: (dir, path, atime, mtime) => twHost.result(() =>
        twHost.fs.lutimesSync(twHost.below(dir, path), atime, mtime)),
});
