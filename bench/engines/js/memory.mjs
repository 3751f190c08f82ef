/*
 * Folders in QEMU's own memory (qemu/deps/wasm-posix/memfs.h), from outside: filled
 * before QEMU starts, read at any time. QEMU may use them meanwhile.
 *
 *   const memory = new MemoryFolders(module);
 *   memory.make('/shares/src', [{ path: 'a/b', mode: 0o644, mtime: 1.5, data }]);
 *   for (const entry of memory.walk('/shares/src')) { ... }
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* The memory that calls go by: a struct iovec, a TwHostStat, two texts, data. */
const IOV = 0, STAT = 8, STAT_WORDS = 13, TEXT = 512, TARGET = 1024;
const DATA = 8192, DATA_SIZE = 1 << 20;
const STAT_MODE = 1, STAT_SIZE = 6, STAT_MTIME = 10;

/* As memfs-lookup.h has them. */
const NOWHERE = -1;
const RDONLY = 0, WRONLY = 1, CREAT = 0o100, EXCL = 0o200;
const KIND_MASK = 0o170000, FOLDER = 0o040000, FILE = 0o100000;
const PERMISSIONS = 0o1777;
const ENOMEM = -12, EEXIST = -17, ENOSPC = -28;
const KIND_FOLDER = 4, NAME_HEAD = 3;
const NS = 1e9;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const isDots = (name) => name.length <= 2 && name.every((c) => c === 0x2e);

export class MemoryFolders {
    constructor(module) {
        this.module = module;
        this.room(DATA_SIZE);
    }

    /* For so much data; what was there is gone. */
    room(size) {
        /* C's pointers are signed here: they are negative above 2 GiB. */
        this.base = this.module._tw_mem_buffer(DATA + size) >>> 0;
        if (!this.base) {
            throw new Error('there is no memory for shared folders');
        }
    }

    /* What all contents may take together. */
    limit(bytes) {
        this.module._tw_mem_set_limit(bytes);
    }

    bytes(at, size) {
        return new Uint8Array(this.module.wasmMemory.buffer, this.base + at, size);
    }

    /* @text: a string or bytes; its address. */
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

    iov(size) {
        new Uint32Array(this.module.wasmMemory.buffer, this.base + IOV, 2)
            .set([this.base + DATA, size]);
        return this.base + IOV;
    }

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

    open(dir, name, flags = RDONLY) {
        return this.module._tw_mem_open(dir, this.text(name), flags, 0o600);
    }

    /*
     * A folder with these in it. Entries are files (`data`: bytes or a Blob),
     * links (`target`) or folders (neither), with `mode` and `mtime` in
     * seconds where they are known. Folders on the way are made.
     */
    make(path, entries) {
        this.done(this.module._tw_mem_mount(this.text(path)), path);
        const top = this.open(NOWHERE, path);
        for (const entry of entries) {
            const names = entry.path.split('/');
            const last = names.pop();
            const dir = this.reach(top, names, entry.path);
            this.put(dir, last, entry);
            if (dir !== top) {
                this.module._tw_mem_close(dir);
            }
        }
        /* What is put into a folder changes its time: so these come last. */
        for (const { path: name, data, target, mtime } of entries) {
            if (!data && target === undefined && mtime !== undefined) {
                const names = name.split('/');
                const last = names.pop();
                const dir = this.reach(top, names, name);
                this.module._tw_mem_utimes(dir, this.text(last), mtime, mtime);
                if (dir !== top) {
                    this.module._tw_mem_close(dir);
                }
            }
        }
        this.module._tw_mem_close(top);
    }

    done(result, path) {
        if (result < 0) {
            const full = result === ENOMEM || result === ENOSPC;
            const why = full ? 'there is no room for it' : `error ${-result}`;
            throw new Error(`${path} cannot be put into the shared folder: ${why}`);
        }
        return result;
    }

    /* The folder of those names, made where it is missing. */
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

    write(fd, data, path) {
        const size = data.size ?? data.length;
        for (let at = 0; at < size; at += DATA_SIZE) {
            const end = Math.min(size, at + DATA_SIZE);
            const piece = piecesOf(data, at, end, path);
            this.bytes(DATA, piece.length).set(piece);
            const put = this.module._tw_mem_write(fd, this.iov(piece.length), 1, at);
            this.done(put < piece.length ? Math.min(put, ENOSPC) : 0, path);
        }
    }

    /*
     * All that is below a path that make() was given, folders before what is in
     * them: { path, mode, size, mtime } with the path as bytes, `target` of a
     * link as bytes, `pieces()` of a file.
     */
    *walk(path) {
        const top = this.open(NOWHERE, path);
        if (top >= 0) {
            yield *this.below(top, []);
            this.module._tw_mem_close(top);
        }
    }

    *below(dir, before) {
        for (const { kind, name } of this.list(dir)) {
            const stat = this.stat(dir, name);
            if (!stat) {
                continue; // it is gone
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

    list(dir) {
        const list = (size) => this.module._tw_mem_list(dir, this.base + DATA, size);
        let size, room = DATA_SIZE;
        /* It may have more names each time. */
        while ((size = list(room)) > room) {
            room = 2 * size;
            this.room(room);
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

    /* Exactly @size bytes, whatever becomes of the file meanwhile. */
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

/* Of bytes, or of a Blob, which only a worker can read at once. */
function piecesOf(data, at, end, path) {
    if (data instanceof Uint8Array) {
        return data.subarray(at, end);
    }
    try {
        return new Uint8Array(new FileReaderSync()
            .readAsArrayBuffer(data.slice(at, end)));
    } catch (e) {
        throw new Error(`${path} cannot be read: ${e.message}`, { cause: e });
    }
}

export const isFolder = (mode) => (mode & KIND_MASK) === FOLDER;
export const permissions = (mode) => mode & PERMISSIONS;
