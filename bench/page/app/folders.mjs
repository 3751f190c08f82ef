/*
 * Folders for a guest: those that the site has, and a user's own. The entries of each
 * are as engines/js/memory.mjs takes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { FolderEntry } from '../../engines/js/qemu.d.ts' */
/** @import { Limits } from './site.d.ts' */

/** @typedef {{ name: string, entries: FolderEntry[] }} Found a user's folder */
/** @typedef {Pick<Limits, 'share_bytes' | 'share_entries'>} Room */

/* The longest tag that Linux's virtio takes; it becomes a folder's name in the guest. */
const TAG_SIZE = 31;

/**
 * A tag that no other folder has, as similar to the folder's name as can be.
 *
 * @param {string} name
 * @param {string[]} taken
 */
export function tagFor(name, taken) {
    const plain = name.normalize('NFKD').replace(/[^A-Za-z0-9._-]+/g, '')
        .replace(/^[.-]+/, '').slice(0, TAG_SIZE - 3) || 'share';
    for (let n = 1; ; n++) {
        const tag = n > 1 ? `${plain}-${n}` : plain;
        if (!taken.includes(tag)) {
            return tag;
        }
    }
}

/**
 * The entries of a site's folder, of the two files that bench/page/folders.py writes.
 *
 * @param {Blob} index
 * @param {Blob} data
 * @returns {Promise<FolderEntry[]>}
 */
export async function unpackShare(index, data) {
    /** @type {(FolderEntry & { at?: number, size?: number })[]} */
    const listed = JSON.parse(await index.text());
    return listed.map(({ at, size = 0, ...entry }) =>
        at === undefined ? entry
                         : { ...entry, data: data.slice(at, at + size) });
}

/**
 * @param {string} path
 * @param {File} file
 * @returns {FolderEntry}
 */
const fileEntry = (path, file) =>
    ({ path, data: file, mtime: file.lastModified / 1000 });

/**
 * The folder of an <input webkitdirectory>, which does not tell of empty folders.
 *
 * @param {File[]} files
 * @returns {Found}
 */
export function chosenFolder(files) {
    const first = files[0]?.webkitRelativePath ?? '';
    /* Where a browser cannot choose folders, the user has chosen files. */
    const name = first.includes('/') ? first.split('/')[0] : 'files';
    const entries = Array.from(files, (file) => fileEntry(
        file.webkitRelativePath.split('/').slice(1).join('/') || file.name, file));
    return { name, entries };
}

/**
 * @param {FileSystemDirectoryReader} reader
 * @returns {Promise<FileSystemEntry[]>}
 */
const read = (reader) => new Promise((done, failed) =>
    reader.readEntries(done, failed));

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File>}
 */
const fileOf = (entry) => new Promise((done, failed) => entry.file(done, failed));

/**
 * @param {FileSystemEntry} entry
 * @returns {entry is FileSystemDirectoryEntry}
 */
const isFolder = (entry) => entry.isDirectory;

/**
 * @param {FileSystemEntry} entry
 * @returns {entry is FileSystemFileEntry}
 */
const isFile = (entry) => entry.isFile;

/**
 * All that is below a folder.
 *
 * @param {FileSystemDirectoryEntry} folder
 * @param {string} before
 * @param {{ entries: number }} room how many entries may still come
 * @returns {AsyncGenerator<FolderEntry, void>}
 */
async function *below(folder, before, room) {
    const reader = folder.createReader();
    /* A reader gives a part of the entries each time. */
    for (let some; (some = await read(reader)).length;) {
        for (const entry of some) {
            if (--room.entries < 0) {
                throw new Error('there is too much in it');
            }
            const path = before + entry.name;
            if (isFolder(entry)) {
                yield { path };
                yield *below(entry, `${path}/`, room);
            } else if (isFile(entry)) {
                yield fileEntry(path, await fileOf(entry));
            }
        }
    }
}

/**
 * The folders that were dropped, and one more for loose files.
 *
 * @param {FileSystemEntry[]} items got before the event was over
 * @param {Room} limits
 */
export async function droppedFolders(items, limits) {
    /** @type {Found[]} */
    const found = [];
    /** @type {FolderEntry[]} */
    const loose = [];
    for (const entry of items) {
        if (isFolder(entry)) {
            /** @type {FolderEntry[]} */
            const entries = [];
            const room = { entries: limits.share_entries };
            for await (const one of below(entry, '', room)) {
                entries.push(one);
            }
            found.push({ name: entry.name, entries });
        } else if (isFile(entry)) {
            loose.push(fileEntry(entry.name, await fileOf(entry)));
        }
    }
    return loose.length ? [...found, { name: 'files', entries: loose }] : found;
}

/**
 * How many bytes the files have; a user's files are Blobs.
 *
 * @param {{ data?: FolderEntry['data'] | { size: number } }[]} entries
 */
export const sizeOf = (entries) => entries.reduce((sum, { data }) =>
    sum + (data && 'size' in data ? data.size : 0), 0);

/**
 * Why a folder cannot be taken, or ''.
 *
 * @param {Found} found
 * @param {Room} limits
 */
export function complaintOf({ name, entries }, limits) {
    const mib = limits.share_bytes / 2 ** 20;
    if (entries.length > limits.share_entries) {
        return `${name} has more than ${limits.share_entries} files`;
    }
    return sizeOf(entries) > limits.share_bytes
        ? `${name} has more than ${mib} MiB, which this page would hold in memory` : '';
}
