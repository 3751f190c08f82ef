/*
 * The part of the form for what is plugged into the machine: folders, disks, network.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { messageOf } from '../../engines/js/errors.mjs';
import { byId, bytes, inputById, make, replace } from './dom.mjs';
import { deviceOf } from './settings.mjs';

/** @import { Found } from './folders.mjs' */
/** @import { Settings } from './settings.mjs' */
/** @import { Disk, Network, Share } from './site.d.ts' */

/** @typedef {{ name: string, about: string, size: string }} Row */

/** @param {number} n */
const amount = (n) => `${n} ${n === 1 ? 'file' : 'files'}`;

/** The element that holds this part of the form. */
const details = () => byId('plugs', HTMLDetailsElement);

/**
 * What the guest reaches, for people.
 *
 * @param {Network} network
 */
function reach({ host, outside }) {
    const ports = host.map((port) =>
        `127.0.0.1:${port} of this machine, as 10.0.2.2:${port}`);
    const all = [...ports, ...outside ? ['other machines'] : []];
    return all.length ? `reaches ${all.join('; ')}; nothing else`
                      : 'an address, and nobody to talk to';
}

/**
 * The files that a user has chosen, which can be chosen again afterwards.
 *
 * @param {HTMLInputElement} input
 */
function taken(input) {
    const files = [...input.files ?? []];
    input.value = '';
    return files;
}

export class Plugs {
    /**
     * @param {Settings} settings
     * @param {() => void} changed called when something was plugged in or out
     */
    constructor(settings, changed) {
        this.settings = settings;
        this.changed = changed;
        const input = inputById('folder-input');
        input.addEventListener('change', () => {
            const files = taken(input);
            void this.take(async ({ chosenFolder }) =>
                files.length ? [chosenFolder(files)] : []);
        });
        byId('folder-empty').addEventListener('click', () =>
            void this.take(async () => [{ name: 'new', entries: [] }]));
        const images = inputById('disk-input');
        images.addEventListener('change', () => void this.takeImages(taken(images)));
        this.acceptDrops(byId('setup'));
        const net = inputById('net');
        net.addEventListener('change', () => {
            settings.network = net.checked;
            this.told();
        });
        this.show();
        details().open = this.summary().length > 0;
    }

    /** @param {HTMLElement} place */
    acceptDrops(place) {
        /** @param {DragEvent} event */
        const has = ({ dataTransfer }) => dataTransfer?.types.includes('Files') &&
            this.settings.guest.share && !this.settings.saved;
        place.addEventListener('dragover', (event) => {
            if (has(event)) {
                event.preventDefault();
                place.classList.add('dropping');
            }
        });
        place.addEventListener('dragleave', ({ relatedTarget }) => {
            if (!(relatedTarget instanceof Node && place.contains(relatedTarget))) {
                place.classList.remove('dropping');
            }
        });
        place.addEventListener('drop', (event) => {
            place.classList.remove('dropping');
            if (has(event)) {
                event.preventDefault();
                const items = Array.from(event.dataTransfer?.items ?? [], (item) =>
                    item.webkitGetAsEntry()).filter((entry) => entry !== null);
                void this.take(({ droppedFolders }) =>
                    droppedFolders(items, this.settings.site.limits));
            }
        });
    }

    /**
     * Plug in the folders that `read` finds, or tell why not.
     *
     * @param {(folders: typeof import('./folders.mjs')) => Promise<Found[]>} read
     */
    async take(read) {
        const { settings } = this;
        /** @param {string} text */
        const say = (text) => { byId('folder-error').textContent = text; };
        say('');
        try {
            const folders = await import('./folders.mjs');
            for (const found of await read(folders)) {
                const wrong = folders.complaintOf(found, settings.site.limits);
                if (wrong) {
                    say(`${wrong}.`);
                    continue;
                }
                const tag = folders.tagFor(found.name, settings.takenTags());
                settings.own.push({
                    tag, readonly: false, name: found.name, own: true,
                    entries: found.entries, bytes: folders.sizeOf(found.entries),
                    files: found.entries.length,
                });
            }
        } catch (error) {
            say(`It cannot be read: ${messageOf(error)}.`);
        }
        details().open = true;
        this.told();
    }

    /**
     * Plug in disk images, or tell why not.
     *
     * @param {File[]} files
     */
    async takeImages(files) {
        const { settings } = this;
        /** @type {string[]} */
        const said = [];
        const { readImage } = await import('./disks.mjs');
        for (const file of files) {
            try {
                if (settings.chosenDisks().length >= settings.site.limits.disks) {
                    throw new Error('there are too many');
                }
                settings.ownDisks.push(await readImage(file, settings.site.limits));
            } catch (error) {
                said.push(`${file.name} cannot be plugged in: ${messageOf(error)}.`);
            }
        }
        byId('folder-error').textContent = said.join(' ');
        details().open = true;
        this.told();
    }

    told() {
        this.show();
        this.changed();
    }

    show() {
        const { settings } = this;
        const { site, guest } = settings;
        const can = Boolean(guest.share) && !settings.saved;
        byId('folders-none').hidden = can;
        byId('folders-none').textContent = settings.saved
            ? 'A saved machine has what was plugged in when it was saved.'
            : 'This machine has no place for folders and disks.';
        byId('disk-add').hidden = !guest.disk;
        this.showDisks();
        byId('folders-add').hidden = !can;
        replace(byId('folders'), ...(can ? [
            ...site.shares.map((share) => this.offeredRow(
                this.shareRow(share), settings.shares.includes(share.tag),
                (plugged) => settings.plugShare(share.tag, plugged))),
            ...settings.own.map((share) => this.ownRow(this.shareRow(share), () => {
                settings.own = settings.own.filter((other) => other !== share);
            }, 'folder-input')),
        ] : []));
        byId('net-row').hidden = !site.network || !guest.net;
        inputById('net').checked = settings.hasNetwork;
        inputById('net').disabled = Boolean(settings.saved);
        byId('net-about').textContent = site.network ? reach(site.network) : '';
        const plugged = this.summary();
        byId('plugs-summary').textContent = plugged.length
            ? `Plugged in: ${plugged.join(', ')}`
            : site.network ? 'Folders, disks, network' : 'Folders and disks';
    }

    showDisks() {
        const { settings } = this;
        const chosen = settings.chosenDisks();
        /** @param {Disk} disk */
        const about = (disk) => {
            const n = chosen.indexOf(disk);
            const place = n < 0 ? [] : [`/dev/${deviceOf(n)}`,
                disk.mount && settings.guest.workloads && `at /mnt/${deviceOf(n)}`];
            return [disk.format, ...place, disk.readonly && 'cannot be changed']
                .filter(Boolean).join(', ');
        };
        const shown = settings.guest.disk && !settings.saved
            ? [...settings.site.disks, ...settings.ownDisks] : [];
        replace(byId('disks'), ...shown.map((disk) => {
            const row = { name: disk.name, about: about(disk),
                          size: bytes(disk.bytes) };
            return disk.blob
                ? this.ownRow(row, () => {
                    settings.ownDisks = settings.ownDisks.filter((d) => d !== disk);
                }, 'disk-input')
                : this.offeredRow(row, settings.disks.includes(disk.name), (plugged) =>
                    settings.plugDisk(disk.name, plugged));
        }));
    }

    /** Short names of all that is plugged in. */
    summary() {
        const { settings } = this;
        return [...settings.chosenDisks().map(({ name }) => name),
                ...settings.chosenShares().map(({ tag }) => tag),
                ...settings.hasNetwork ? ['network'] : []];
    }

    /**
     * @param {Share} share
     * @returns {Row}
     */
    shareRow(share) {
        return {
            name: share.name,
            about: [`/mnt/${share.tag}`, share.readonly && 'cannot be changed']
                .filter(Boolean).join(', '),
            size: share.files ? `${amount(share.files)}, ${bytes(share.bytes)}`
                              : 'empty',
        };
    }

    /**
     * A row for what the site offers: a user can leave it out.
     *
     * @param {Row} row
     * @param {boolean} plugged
     * @param {(plugged: boolean) => void} plug
     */
    offeredRow({ name, about, size }, plugged, plug) {
        const box = make('input', { type: 'checkbox', checked: plugged });
        box.addEventListener('change', () => {
            plug(box.checked);
            this.told();
        });
        return make('label', { class: 'choice' }, box,
            make('span', { class: 'name' }, name),
            make('span', { class: 'size' }, size),
            make('span', { class: 'about' }, about));
    }

    /**
     * A row for a user's own, which can be removed.
     *
     * @param {Row} row
     * @param {() => void} remove
     * @param {string} next the id of the element that has the keyboard then
     */
    ownRow({ name, about, size }, remove, next) {
        const button = make('button', {
            type: 'button', class: 'quiet', 'aria-label': `Remove ${name}`,
        }, 'Remove');
        button.addEventListener('click', () => {
            remove();
            this.told();
            byId(next).focus();
        });
        return make('div', { class: 'choice' },
            make('span', { class: 'dot', 'aria-hidden': 'true' }),
            make('span', { class: 'name' }, name), button,
            make('span', { class: 'about' }, `${about} · ${size}`));
    }
}
