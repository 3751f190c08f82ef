/*
 * Folders for a guest: those that the site has, and a user's own. Each becomes
 * { tag, readonly, entries }, the entries as engines/js/memory.mjs takes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* What Linux's virtio takes, and becomes a folder's name in the guest. */
const TAG_SIZE = 31;

/* A name of its own, as like the folder's as can be. */
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

/* From the two files that bench/page/folders.py writes. */
export async function unpackShare({ tag, readonly }, index, data) {
    const entries = JSON.parse(await index.text()).map(({ at, size, ...entry }) =>
        at === undefined ? entry
                         : { ...entry, data: data.slice(at, at + size) });
    return { tag, readonly, entries };
}

const fileEntry = (path, file) =>
    ({ path, data: file, mtime: file.lastModified / 1000 });

/* Of <input webkitdirectory>: it says nothing of empty folders. */
export function chosenFolder(files) {
    const first = files[0]?.webkitRelativePath ?? '';
    /* Where folders cannot be chosen, it is files. */
    const name = first.includes('/') ? first.split('/')[0] : 'files';
    const entries = Array.from(files, (file) => fileEntry(
        file.webkitRelativePath.split('/').slice(1).join('/') || file.name, file));
    return { name, entries };
}

const read = (reader) => new Promise((done, failed) =>
    reader.readEntries(done, failed));
const fileOf = (entry) => new Promise((done, failed) => entry.file(done, failed));

async function *below(folder, before, room) {
    const reader = folder.createReader();
    /* A reader tells a part of them each time. */
    for (let some; (some = await read(reader)).length;) {
        for (const entry of some) {
            if (--room.entries < 0) {
                throw new Error('there is too much in it');
            }
            const path = before + entry.name;
            if (entry.isDirectory) {
                yield { path };
                yield *below(entry, `${path}/`, room);
            } else {
                yield fileEntry(path, await fileOf(entry));
            }
        }
    }
}

/*
 * Of what was dropped: each folder, and one for loose files. @items must be asked
 * before the event is over.
 */
export async function droppedFolders(items, limits) {
    const found = [];
    const loose = [];
    for (const entry of items) {
        if (entry.isDirectory) {
            const entries = [];
            const room = { entries: limits.share_entries };
            for await (const one of below(entry, '', room)) {
                entries.push(one);
            }
            found.push({ name: entry.name, entries });
        } else {
            loose.push(fileEntry(entry.name, await fileOf(entry)));
        }
    }
    return loose.length ? [...found, { name: 'files', entries: loose }] : found;
}

export const sizeOf = (entries) =>
    entries.reduce((sum, { data }) => sum + (data?.size ?? 0), 0);

/* Why it cannot be taken, or ''. */
export function complaintOf({ name, entries }, limits) {
    const mib = limits.share_bytes / 2 ** 20;
    if (entries.length > limits.share_entries) {
        return `${name} has more than ${limits.share_entries} files`;
    }
    return sizeOf(entries) > limits.share_bytes
        ? `${name} has more than ${mib} MiB, which this page would hold in memory` : '';
}
