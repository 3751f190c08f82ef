/*
 * A disk's image as a file that QEMU reads and writes, though most of it is elsewhere:
 * a piece is fetched when QEMU reads it first. What QEMU writes stays in memory, in
 * blocks on top of the content; nothing writes to the content itself.
 *
 * A piece that cannot be fetched is tried again, and then the read fails. The next read
 * tries anew, because networks come back; but while the disk is in trouble, each read
 * has one attempt only, and a piece that failed just now has none, so that a guest that
 * reads on learns of the failure soon.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { messageOf } from '../js/errors.mjs';
import { Lasting, bytesOf } from './pieces.mjs';

/** @import { Bytes, DiskChanges } from './types.d.ts' */
/** @import { Content } from './pieces.mjs' */

/* The unit of what is written: that of most file systems. */
export const BLOCK = 4096;
/* Memory for blocks is taken so many bytes at a time. */
const SLAB = 1 << 20;
/* How many bytes may be written; then the guest sees that its disk is full. */
const WRITTEN_BYTES = 2 ** 30;
/* How many bytes of fetched pieces are kept. */
const KEPT_BYTES = 64 << 20;
/* How many pieces are fetched ahead of a guest that reads one after the other. */
const AHEAD = 8;
/* The pauses between attempts to fetch a piece. */
const RETRY_MS = [250, 1000, 3000];
/* After so long there is no further attempt. */
const PATIENCE_MS = 30_000;
/* For how long a piece that failed is not asked for again. */
const GIVEN_UP_MS = 3000;

/** Error numbers of Linux. */
export const EIO = 5, EFBIG = 27, ENOSPC = 28;

/** An error with the number that QEMU gets. */
export class FileError extends Error {
    /**
     * @param {number} errno of Linux
     * @param {string} why
     */
    constructor(errno, why) {
        super(why);
        this.errno = errno;
    }
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @typedef {object} Options
 * @property {(why: string) => void} [trouble] is told when the guest does not get a
 *     piece: once for each piece, and once until pieces come again
 * @property {number[]} [retryMs]
 * @property {number} [givenUpMs]
 * @property {number} [keptBytes]
 * @property {number} [writtenBytes]
 */

export class DiskFile {
    /**
     * @param {Content} content
     * @param {Options} [options]
     */
    constructor(content, { trouble = () => {}, retryMs = RETRY_MS,
                           givenUpMs = GIVEN_UP_MS, keptBytes = KEPT_BYTES,
                           writtenBytes = WRITTEN_BYTES } = {}) {
        this.content = content;
        this.trouble = trouble;
        this.retryMs = retryMs;
        this.givenUpMs = givenUpMs;
        this.keptPieces = Math.max(AHEAD + 1, Math.floor(keptBytes / content.piece));
        this.writtenBlocks = Math.floor(writtenBytes / BLOCK);
        this.size = content.size;
        /* What QEMU cuts off does not come back when the file grows again. */
        this.contentSize = content.size;
        /**
         * Pieces that were fetched or are being fetched, the one used last at the end.
         *
         * @type {Map<number, Promise<Bytes>>}
         */
        this.pieces = new Map();
        /**
         * Pieces that failed: until when they are given up, and why.
         *
         * @type {Map<number, { until: number, error: unknown }>}
         */
        this.failed = new Map();
        /* Whether the last piece that was asked for did not come. */
        this.isInTrouble = false;
        /**
         * Pieces of which the trouble was told, and whether any was since one came.
         *
         * @type {Set<number>}
         */
        this.told = new Set();
        this.isTold = false;
        /* How many pieces were fetched. */
        this.fetched = 0;
        /**
         * What was written, by the number of the block.
         *
         * @type {Map<number, Bytes>}
         */
        this.blocks = new Map();
        this.slab = new Uint8Array(0);
        /* The last piece that was read, and how many are fetched ahead of it. */
        this.last = -1;
        this.ahead = 0;
    }

    /**
     * The bytes there are in a range: fewer at the end of the file.
     *
     * @param {number} at
     * @param {number} size
     * @returns {Promise<Bytes>}
     */
    async read(at, size) {
        const end = Math.min(at + size, this.size);
        const bytes = new Uint8Array(Math.max(0, end - at));
        const wanted = this.under(at, end);
        if (bytes.length) {
            this.lookAhead(at, end - 1);
        }
        const pieces = await wanted;
        /* From here on nothing waits: a write comes before the read or after it. */
        for (let from = at; from < end;) {
            const { block, to } = blockAt(from, end);
            const written = this.blocks.get(block);
            const out = bytes.subarray(from - at, to - at);
            if (written) {
                out.set(written.subarray(from % BLOCK, from % BLOCK + out.length));
            } else {
                this.copy(pieces, from, out);
            }
            from = to;
        }
        return bytes;
    }

    /**
     * @param {number} at
     * @param {Uint8Array} bytes
     */
    async write(at, bytes) {
        const end = at + bytes.length;
        if (end > Number.MAX_SAFE_INTEGER) {
            throw new FileError(EFBIG, 'the file would be too large');
        }
        /* Blocks that are written in part only need the rest of their content. */
        const first = at - at % BLOCK, last = end - end % BLOCK;
        const pieces = new Map([
            ...at % BLOCK ? await this.under(first, first + BLOCK) : [],
            ...end % BLOCK ? await this.under(last, last + BLOCK) : [],
        ]);
        for (let from = at; from < end;) {
            const { block, to } = blockAt(from, end);
            const target = this.blocks.get(block) ?? this.newBlock(block, pieces);
            target.set(bytes.subarray(from - at, to - at), from % BLOCK);
            from = to;
        }
        this.size = Math.max(this.size, end);
    }

    /** @param {number} size */
    truncate(size) {
        for (const block of size < this.size ? [...this.blocks.keys()] : []) {
            const left = size - block * BLOCK;
            if (left <= 0) {
                this.blocks.delete(block);
            } else if (left < BLOCK) {
                this.blocks.get(block)?.fill(0, left);
            }
        }
        this.size = size;
        this.contentSize = Math.min(this.contentSize, size);
    }

    /**
     * What was written.
     *
     * @returns {DiskChanges}
     */
    changes() {
        const blocks = [...this.blocks.keys()].sort((a, b) => a - b);
        const data = blocks.map((block) => this.blocks.get(block) ?? new Uint8Array(BLOCK));
        return { size: this.size, contentSize: this.contentSize, blocks,
                 data: new Blob(data) };
    }

    /**
     * The pieces with the content under a range, of which something is not written.
     *
     * @param {number} at
     * @param {number} end
     * @returns {Promise<Map<number, Bytes>>}
     */
    async under(at, end) {
        const { piece } = this.content;
        /** @type {Set<number>} */
        const wanted = new Set();
        for (let from = at; from < Math.min(end, this.contentSize);) {
            const { block, to } = blockAt(from, end);
            const n = Math.floor(from / piece);
            if (!this.blocks.has(block) && !this.content.isHole(n)) {
                wanted.add(n);
            }
            from = to;
        }
        const found = await Promise.all([...wanted].map(async (n) => {
            const bytes = await this.piece(n).catch((error) => {
                this.tell(n, error);
                throw error;
            });
            return /** @type {const} */ ([n, bytes]);
        }));
        return new Map(found);
    }

    /**
     * Copy content from the pieces; what they do not have is zeros.
     *
     * @param {Map<number, Bytes>} pieces
     * @param {number} at
     * @param {Bytes} out which lies in one block, and so in one piece
     */
    copy(pieces, at, out) {
        const found = pieces.get(Math.floor(at / this.content.piece));
        const left = Math.min(out.length, this.contentSize - at);
        if (found && left > 0) {
            const from = at % this.content.piece;
            out.set(found.subarray(from, from + left));
        }
    }

    /**
     * A block to be written, with the content so far.
     *
     * @param {number} block
     * @param {Map<number, Bytes>} pieces
     */
    newBlock(block, pieces) {
        if (this.blocks.size >= this.writtenBlocks) {
            throw new FileError(ENOSPC, 'the guest wrote more than a page keeps');
        }
        if (!this.slab.length) {
            this.slab = new Uint8Array(SLAB);
        }
        const made = this.slab.subarray(0, BLOCK);
        this.slab = this.slab.subarray(BLOCK);
        this.copy(pieces, block * BLOCK, made);
        this.blocks.set(block, made);
        return made;
    }

    /**
     * A piece, which may have to be fetched.
     *
     * @param {number} n
     * @returns {Promise<Bytes>}
     */
    piece(n) {
        const found = this.pieces.get(n) ?? this.fetch(n);
        this.pieces.delete(n);
        this.pieces.set(n, found);
        for (const old of this.pieces.keys()) {
            if (this.pieces.size <= this.keptPieces) {
                break;
            }
            this.pieces.delete(old);
        }
        return found;
    }

    /** @param {number} n */
    fetch(n) {
        const found = this.attempts(n);
        found.catch(() => {
            if (this.pieces.get(n) === found) {
                this.pieces.delete(n);
            }
        });
        return found;
    }

    /**
     * @param {number} n
     * @returns {Promise<Bytes>}
     */
    async attempts(n) {
        const before = this.failed.get(n);
        if (before && performance.now() < before.until) {
            throw before.error;
        }
        const began = performance.now();
        for (let attempt = 0; ; attempt++) {
            try {
                const bytes = await this.content.fetch(n, attempt > 0);
                this.fetched++;
                this.failed.delete(n);
                this.isInTrouble = this.isTold = false;
                return bytes;
            } catch (error) {
                const now = performance.now();
                if (error instanceof Lasting || this.isInTrouble ||
                    attempt >= this.retryMs.length || now - began > PATIENCE_MS) {
                    this.failed.set(n, { until: now + this.givenUpMs, error });
                    this.isInTrouble = true;
                    throw error;
                }
                await pause(this.retryMs[attempt]);
            }
        }
    }

    /**
     * Tell that the guest does not get a piece.
     *
     * @param {number} n
     * @param {unknown} error
     */
    tell(n, error) {
        if (!this.isTold && !this.told.has(n)) {
            const at = n * this.content.piece;
            this.trouble(`bytes ${at} to ${at + bytesOf(this.content, n) - 1} cannot be ` +
                         `read (${messageOf(error)}): the guest sees an I/O error`);
        }
        this.told.add(n);
        this.isTold = true;
    }

    /**
     * Fetch what a guest that reads one piece after the other will want.
     *
     * @param {number} from where the guest reads
     * @param {number} to the last byte
     */
    lookAhead(from, to) {
        const first = Math.floor(from / this.content.piece);
        const last = Math.floor(to / this.content.piece);
        if (first === this.last + 1) {
            this.ahead = Math.min(AHEAD, Math.max(1, 2 * this.ahead));
        } else if (first !== this.last) {
            this.ahead = 0;
        }
        this.last = last;
        const count = Math.ceil(this.contentSize / this.content.piece);
        for (let n = last + 1; n <= last + this.ahead && n < count; n++) {
            if (!this.isInTrouble && !this.pieces.has(n) && !this.content.isHole(n)) {
                /* The guest may never read the piece. */
                this.piece(n).catch(() => {});
            }
        }
    }
}

/**
 * The block that a position is in, and where its part of a range ends.
 *
 * @param {number} at
 * @param {number} end
 */
function blockAt(at, end) {
    const block = Math.floor(at / BLOCK);
    return { block, to: Math.min(end, (block + 1) * BLOCK) };
}
