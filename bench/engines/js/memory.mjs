/*
 * Folders in QEMU's own memory (qemu/deps/wasm-posix/memfs.h), from outside: filled
 * before QEMU starts, read at any time, also while QEMU uses them.
 *
 *   const memory = new MemoryFolders(module);
 *   memory.make('/shares/src', [{ path: 'a/b', mode: 0o644, mtime: 1.5, data }]);
 *   for (const entry of memory.walk('/shares/src')) { ... }
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

import { messageOf } from './errors.mjs';

/** @import { FolderEntry, FoundEntry, Qemu } from './qemu.d.ts' */

/* Where the arguments of calls are: a struct iovec, a TwHostStat, two texts, data. */
const IOV = 0, STAT = 8, STAT_WORDS = 13, TEXT = 512, TARGET = 1024;
const DATA = 8192, DATA_SIZE = 1 << 20;
const STAT_MODE = 1, STAT_SIZE = 6, STAT_MTIME = 10;

/* Constants of memfs-lookup.h. */
const NOWHERE = -1;
const RDONLY = 0, WRONLY = 1, CREAT = 0o100, EXCL = 0o200;
const KIND_MASK = 0o170000, FILE = 0o100000;
const ENOMEM = -12, EEXIST = -17, ENOSPC = -28;
const KIND_FOLDER = 4, NAME_HEAD = 3;
const NS = 1e9;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Whether a name is "." or "..".
 *
 * @param {Uint8Array} name
 */
const isDots = (name) => name.length <= 2 && name.every((c) => c === 0x2e);

export class MemoryFolders {
    /** @param {Qemu} module */
    constructor(module) {
        this.module = module;
        this.base = this.buffer(DATA_SIZE);
    }

    /**
     * Get a buffer for calls with so much data; its old content is gone.
     *
     * @param {number} size
     */
    buffer(size) {
        /* JavaScript gets C's pointers as signed numbers. */
        const base = this.module._tw_mem_buffer(DATA + size) >>> 0;
        if (!base) {
            throw new Error('there is no memory for shared folders');
        }
        return base;
    }

    /**
     * Limit the size of all files together.
     *
     * @param {number} bytes
     */
    limit(bytes) {
        this.module._tw_mem_set_limit(bytes);
    }

    /**
     * A part of the buffer for calls.
     *
     * @param {number} at
     * @param {number} size
     */
    bytes(at, size) {
        return new Uint8Array(this.module.wasmMemory.buffer, this.base + at, size);
    }

    /**
     * Put a name into the buffer; returns its address.
     *
     * @param {string | Uint8Array} text
     */
    text(text, at = TEXT) {
        const bytes = typeof text === 'string' ? encoder.encode(text) : text;
        const room = at === TEXT ? TARGET - TEXT : DATA - TARGET;
        if (bytes.length >= room) {
            throw new Error(`the name ${decoder.decode(bytes)} is too long`);
        }
        this.bytes(at, room).set(bytes);
        this.bytes(at, room)[bytes.length] = 0;
        return this.base + at;
    }

    /**
     * Put a struct iovec of the buffer's data into the buffer; returns its address.
     *
     * @param {number} size
     */
    iov(size) {
        new Uint32Array(this.module.wasmMemory.buffer, this.base + IOV, 2)
            .set([this.base + DATA, size]);
        return this.base + IOV;
    }

    /**
     * @param {number} dir
     * @param {Uint8Array} name
     */
    stat(dir, name) {
        const error = this.module._tw_mem_stat(dir, this.text(name),
                                               this.base + STAT);
        if (error) {
            return null;
        }
        const words = new BigInt64Array(this.module.wasmMemory.buffer,
                                        this.base + STAT, STAT_WORDS);
        return {
            mode: Number(words[STAT_MODE]), size: Number(words[STAT_SIZE]),
            mtime: Number(words[STAT_MTIME]) / NS,
        };
    }

    /**
     * @param {number} dir
     * @param {string | Uint8Array} name
     */
    open(dir, name, flags = RDONLY) {
        return this.module._tw_mem_open(dir, this.text(name), flags, 0o600);
    }

    /**
     * Make a folder with the entries in it; folders on their paths are made, too.
     *
     * @param {string} path
     * @param {FolderEntry[]} entries
     */
    make(path, entries) {
        this.done(this.module._tw_mem_mount(this.text(path)), path);
        const top = this.open(NOWHERE, path);
        for (const entry of entries) {
            const { names, last } = split(entry.path);
            const dir = this.reach(top, names, entry.path);
            this.put(dir, last, entry);
            if (dir !== top) {
                this.module._tw_mem_close(dir);
            }
        }
        /* Putting something into a folder changes its time: so times come last. */
        for (const { path: name, data, target, mtime } of entries) {
            if (!data && target === undefined && mtime !== undefined) {
                const { names, last } = split(name);
                const dir = this.reach(top, names, name);
                this.module._tw_mem_utimes(dir, this.text(last), mtime, mtime);
                if (dir !== top) {
                    this.module._tw_mem_close(dir);
                }
            }
        }
        this.module._tw_mem_close(top);
    }

    /**
     * The result of a call, or an Error if the call failed.
     *
     * @param {number} result
     * @param {string} path
     */
    done(result, path) {
        if (result < 0) {
            const full = result === ENOMEM || result === ENOSPC;
            const why = full ? 'there is no room for it' : `error ${-result}`;
            throw new Error(`${path} cannot be put into the shared folder: ${why}`);
        }
        return result;
    }

    /**
     * Open the folder of those names; folders that are missing are made.
     *
     * @param {number} top
     * @param {string[]} names
     * @param {string} path
     */
    reach(top, names, path) {
        let dir = top;
        for (const name of names) {
            const made = this.module._tw_mem_mkdir(dir, this.text(name), 0o755);
            if (made !== EEXIST) {
                this.done(made, path);
            }
            const below = this.done(this.open(dir, name), path);
            if (dir !== top) {
                this.module._tw_mem_close(dir);
            }
            dir = below;
        }
        return dir;
    }

    /**
     * @param {number} dir
     * @param {string} name
     * @param {FolderEntry} entry
     */
    put(dir, name, { path, data, target, mode, mtime }) {
        const { module } = this;
        if (target !== undefined) {
            const text = this.text(target, TARGET);
            this.done(module._tw_mem_symlink(text, dir, this.text(name)), path);
        } else if (data) {
            const fd = this.done(this.open(dir, name, WRONLY | CREAT | EXCL), path);
            this.write(fd, data, path);
            module._tw_mem_chmod(fd, mode ?? 0o644);
            module._tw_mem_close(fd);
        } else {
            const made = module._tw_mem_mkdir(dir, this.text(name), mode ?? 0o755);
            if (made !== EEXIST) {
                this.done(made, path);
            } else if (mode !== undefined) {
                const fd = this.done(this.open(dir, name), path);
                module._tw_mem_chmod(fd, mode);
                module._tw_mem_close(fd);
            }
        }
        if (mtime !== undefined) {
            module._tw_mem_utimes(dir, this.text(name), mtime, mtime);
        }
    }

    /**
     * @param {number} fd
     * @param {Uint8Array | Blob} data
     * @param {string} path
     */
    write(fd, data, path) {
        const size = data instanceof Blob ? data.size : data.length;
        for (let at = 0; at < size; at += DATA_SIZE) {
            const end = Math.min(size, at + DATA_SIZE);
            const piece = piecesOf(data, at, end, path);
            this.bytes(DATA, piece.length).set(piece);
            const put = this.module._tw_mem_write(fd, this.iov(piece.length), 1, at);
            this.done(put < piece.length ? Math.min(put, ENOSPC) : 0, path);
        }
    }

    /**
     * All entries below a path that make() was given; a folder comes before the
     * entries in it.
     *
     * @param {string} path
     * @returns {Generator<FoundEntry, void>}
     */
    *walk(path) {
        const top = this.open(NOWHERE, path);
        if (top >= 0) {
            yield *this.below(top, new Uint8Array());
            this.module._tw_mem_close(top);
        }
    }

    /**
     * @param {number} dir
     * @param {Uint8Array} before the folder's own path
     * @returns {Generator<FoundEntry, void>}
     */
    *below(dir, before) {
        for (const { kind, name } of this.list(dir)) {
            const stat = this.stat(dir, name);
            if (!stat) {
                continue; // QEMU removed it meanwhile
            }
            const path = Uint8Array.from(
                before.length ? [...before, 0x2f, ...name] : name);
            if (kind === KIND_FOLDER) {
                yield { ...stat, path };
                const fd = this.open(dir, name);
                if (fd >= 0) {
                    yield *this.below(fd, path);
                    this.module._tw_mem_close(fd);
                }
            } else if ((stat.mode & KIND_MASK) === FILE) {
                yield { ...stat, path,
                        pieces: () => this.pieces(dir, name, stat.size) };
            } else {
                const at = this.base + TARGET, room = DATA - TARGET;
                const n = this.module._tw_mem_readlink(dir, this.text(name), at,
                                                       room);
                yield { ...stat, path, target: this.bytes(TARGET, n).slice() };
            }
        }
    }

    /**
     * The names in a folder.
     *
     * @param {number} dir
     */
    list(dir) {
        /** @param {number} limit */
        const list = (limit) =>
            this.module._tw_mem_list(dir, this.base + DATA, limit);
        let size, room = DATA_SIZE;
        /* The folder may have more names each time. */
        while ((size = list(room)) > room) {
            room = 2 * size;
            this.base = this.buffer(room);
        }
        const all = this.bytes(DATA, Math.max(0, size)).slice();
        const names = [];
        for (let at = 0; at < all.length;) {
            const length = all[at + 1] | all[at + 2] << 8;
            const name = all.subarray(at + NAME_HEAD, at + NAME_HEAD + length);
            if (!isDots(name)) {
                names.push({ kind: all[at], name });
            }
            at += NAME_HEAD + length;
        }
        return names;
    }

    /**
     * The content of a file: exactly `size` bytes, although QEMU may change the file
     * meanwhile.
     *
     * @param {number} dir
     * @param {Uint8Array} name
     * @param {number} size
     */
    *pieces(dir, name, size) {
        const fd = this.open(dir, name);
        for (let at = 0; at < size; at += DATA_SIZE) {
            const want = Math.min(DATA_SIZE, size - at);
            const got = fd < 0 ? 0
                : this.module._tw_mem_read(fd, this.iov(want), 1, at);
            const piece = new Uint8Array(want);
            piece.set(this.bytes(DATA, Math.max(0, got)));
            yield piece;
        }
        if (fd >= 0) {
            this.module._tw_mem_close(fd);
        }
    }
}

/**
 * The folders on a path, and its last name.
 *
 * @param {string} path
 */
function split(path) {
    const at = path.lastIndexOf('/');
    return { names: at < 0 ? [] : path.slice(0, at).split('/'),
             last: path.slice(at + 1) };
}

/**
 * A part of the data. A Blob can only be read synchronously by a worker.
 *
 * @param {Uint8Array | Blob} data
 * @param {number} at
 * @param {number} end
 * @param {string} path
 */
function piecesOf(data, at, end, path) {
    if (data instanceof Uint8Array) {
        return data.subarray(at, end);
    }
    try {
        return new Uint8Array(new FileReaderSync()
            .readAsArrayBuffer(data.slice(at, end)));
    } catch (e) {
        throw new Error(`${path} cannot be read: ${messageOf(e)}`, { cause: e });
    }
}
