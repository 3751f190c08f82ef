/*
 * What is plugged into the machine: the part of the form for it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { byId, bytes, make, replace } from './dom.mjs';

const amount = (n) => `${n} ${n === 1 ? 'file' : 'files'}`;

/* What the guest reaches, for people. */
function reach({ host, outside }) {
    const ports = host.map((port) =>
        `127.0.0.1:${port} of this machine, as 10.0.2.2:${port}`);
    const all = [...ports, ...outside ? ['other machines'] : []];
    return all.length ? `reaches ${all.join('; ')}; nothing else`
                      : 'an address, and nobody to talk to';
}

export class Plugs {
    /* @changed: something was plugged in or out. */
    constructor(settings, changed) {
        this.settings = settings;
        this.changed = changed;
        const input = byId('folder-input');
        input.addEventListener('change', () => {
            const files = [...input.files];
            input.value = '';
            this.take(async ({ chosenFolder }) =>
                files.length ? [chosenFolder(files)] : []);
        });
        byId('folder-empty').addEventListener('click', () =>
            this.take(async () => [{ name: 'new', entries: [] }]));
        this.acceptDrops(byId('setup'));
        byId('net').addEventListener('change', ({ target }) => {
            settings.network = target.checked;
            this.told();
        });
        this.show();
        byId('plugs').open = this.summary().length > 0;
    }

    acceptDrops(place) {
        const has = ({ dataTransfer }) => dataTransfer?.types.includes('Files') &&
            this.settings.guest.share && !this.settings.saved;
        place.addEventListener('dragover', (event) => {
            if (has(event)) {
                event.preventDefault();
                place.classList.add('dropping');
            }
        });
        place.addEventListener('dragleave', ({ relatedTarget }) => {
            if (!place.contains(relatedTarget)) {
                place.classList.remove('dropping');
            }
        });
        place.addEventListener('drop', (event) => {
            place.classList.remove('dropping');
            if (has(event)) {
                event.preventDefault();
                const items = Array.from(event.dataTransfer.items, (item) =>
                    item.webkitGetAsEntry()).filter(Boolean);
                this.take(({ droppedFolders }) =>
                    droppedFolders(items, this.settings.site.limits));
            }
        });
    }

    /* What @read finds is plugged in, or why not is said. */
    async take(read) {
        const { settings } = this;
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
            say(`It cannot be read: ${error.message}.`);
        }
        byId('plugs').open = true;
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
            ? 'A saved machine has what it was saved with.'
            : 'This machine has no place for shared folders.';
        byId('folders-add').hidden = !can;
        replace(byId('folders'), ...(can ? [
            ...site.shares.map((share) => this.offered(share)),
            ...settings.own.map((share) => this.own(share)),
        ] : []));
        byId('net-row').hidden = !site.network || !guest.net;
        byId('net').checked = settings.hasNetwork;
        byId('net').disabled = Boolean(settings.saved);
        byId('net-about').textContent = site.network ? reach(site.network) : '';
        const plugged = this.summary();
        byId('plugs-summary').textContent = plugged.length
            ? `Plugged in: ${plugged.join(', ')}`
            : site.network ? 'Folders and network' : 'Shared folders';
    }

    /* Short names of all that is plugged in. */
    summary() {
        const { settings } = this;
        return [...settings.chosenShares().map(({ tag }) => tag),
                ...settings.hasNetwork ? ['network'] : []];
    }

    row(share, control, more) {
        const about = [
            `/mnt/${share.tag}`, share.readonly && 'cannot be changed',
        ].filter(Boolean).join(', ');
        return make(more ? 'div' : 'label', { class: 'choice' }, control,
            make('span', { class: 'name' }, share.name),
            more ?? make('span', { class: 'size' }, this.size(share)),
            make('span', { class: 'about' },
                 more ? `${about} · ${this.size(share)}` : about));
    }

    size(share) {
        return share.files
            ? `${amount(share.files)}, ${bytes(share.bytes)}` : 'empty';
    }

    offered(share) {
        const { settings } = this;
        const box = make('input', {
            type: 'checkbox', checked: settings.shares.includes(share.tag),
            'data-tag': share.tag,
        });
        box.addEventListener('change', () => {
            settings.plugShare(share.tag, box.checked);
            this.told();
        });
        return this.row(share, box);
    }

    own(share) {
        const remove = make('button', {
            type: 'button', class: 'quiet', 'aria-label': `Remove ${share.name}`,
        }, 'Remove');
        remove.addEventListener('click', () => {
            this.settings.own = this.settings.own.filter((s) => s !== share);
            this.told();
            byId('folder-input').focus();
        });
        return this.row(share, make('span', { class: 'dot', 'aria-hidden': 'true' }),
                        remove);
    }
}
