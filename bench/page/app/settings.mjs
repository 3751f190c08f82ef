/*
 * What a user has chosen. The browser keeps the choices for the next visit, and the
 * page's address has them, so that they can be sent to somebody. A choice that the site
 * does not know, or that is out of range, is dropped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { browser } from './browser.mjs';
import {
    complaint, formatSpec, hasPrompt, parseSpec, withMore, workloadParam,
} from './spec.mjs';
import { load, store } from './storage.mjs';

/** @import { Profile } from './profile.mjs' */
/** @import { Disk, Guest, MachineParam, OwnDisk, OwnShare, Param, Policy, SavedMachine,
 *            Share, Site, Values, Workload } from './site.d.ts' */

/** @typedef {{ name: string }} Named */
/** @typedef {Pick<Settings, 'guest' | 'saved' | 'hasNetwork' | 'workloadSpec' |
 *            'chosenShares' | 'allDisks' | 'machineValue'> &
 *            { site: Pick<Site, 'control_arguments' | 'few_threads'> }} Chosen what
 *            QEMU's arguments depend on */

const KEY = 'tierlab.settings';

/**
 * The machine's settings in the form of a policy's parameters: as the site declares
 * them for every guest, with the guest's own values where the site has no default.
 *
 * @param {Site} site
 * @param {Pick<Guest, 'smp' | 'memory_mib'>} guest
 * @returns {MachineParam[]}
 */
export function machineParams(site, guest) {
    /** @type {Record<string, any>} */
    const own = guest;
    return site.settings.map((setting) => ({
        ...setting, default: setting.default ?? own[setting.key],
    }));
}

/**
 * The guest's name of its disk number `n`.
 *
 * @param {number} n
 */
export const deviceOf = (n) => `vd${String.fromCharCode('a'.charCodeAt(0) + n)}`;

/**
 * A word as a shell takes it.
 *
 * @param {string} word
 */
const quoted = (word) => /^[\w.,:=/@%+-]+$/.test(word)
    ? word : `'${word.replace(/'/g, "'\\''")}'`;

export class Settings {
    /** @param {Site} site */
    constructor(site) {
        this.site = site;
        const stored = /** @type {Values} */ (load(KEY) ?? {});
        const asked = new URLSearchParams(location.hash.slice(1));
        /**
         * @param {string} name
         * @returns {string | undefined}
         */
        const words = (name) => asked.get(name) ?? stored[name];
        this.guest = this.known(site.guests, words('guest')) ?? site.guests[0];
        /* Names of the site's disks that are plugged in. */
        this.disks = this.chosenNames(this.siteDisks(), words('disk'));
        /** @type {OwnDisk[]} */
        this.ownDisks = [];
        /* Tags of the site's folders that are plugged in. */
        this.shares = this.chosenNames(this.siteShares(), words('share'));
        /**
         * A user's own folders.
         *
         * @type {OwnShare[]}
         */
        this.own = [];
        this.network = words('net') === 'on' && Boolean(site.network);
        /* The name of a saved machine; '' to boot. */
        this.from = words('from') ?? '';
        /** @type {SavedMachine[]} */
        this.ownMachines = [];
        /* Defaults that replace a policy's, because this browser does not bear those. */
        this.budgets = site.budgets[browser().name] ?? {};
        /**
         * For a policy that starts from a file.
         *
         * @type {Profile | null}
         */
        this.profile = null;
        const { policy, own } = this.policyOf(words('tier') ?? '');
        this.policy = policy;
        this.policyValues = this.checked(this.policyParams(), own);
        this.commonValues = this.checked(this.commonParams(), own);
        const { workload, values } = this.workloadOf(words('workload') ?? '');
        this.workload = workload;
        this.workloadValues = this.checked(this.workloadParams(), values);
        this.machine = this.checked(this.machineParams(), Object.fromEntries(
            site.settings.map(({ name }) => [name, words(name)])));
    }

    siteDisks() {
        return this.site.disks.map(({ name }) => name);
    }

    siteShares() {
        return this.site.shares.map(({ tag }) => tag);
    }

    /**
     * Those of the names that the words tell; all, if there are no words.
     *
     * @param {string[]} all
     * @param {string | undefined} words
     */
    chosenNames(all, words) {
        return words === undefined || words === null ? all
            : all.filter((name) => words.split(',').includes(name));
    }

    /**
     * The chosen names with or without one, in the order of the site.
     *
     * @param {string[]} all
     * @param {string[]} chosen
     * @param {string} name
     * @param {boolean} plugged
     */
    withName(all, chosen, name, plugged) {
        return all.filter((other) =>
            other === name ? plugged : chosen.includes(other));
    }

    /**
     * @param {string} tag
     * @param {boolean} plugged
     */
    plugShare(tag, plugged) {
        this.shares = this.withName(this.siteShares(), this.shares, tag, plugged);
    }

    /**
     * @param {string} name
     * @param {boolean} plugged
     */
    plugDisk(name, plugged) {
        this.disks = this.withName(this.siteDisks(), this.disks, name, plugged);
    }

    /**
     * The disks that the guest gets, vda first.
     *
     * @returns {Disk[]}
     */
    chosenDisks() {
        return this.guest.disk && !this.saved
            ? [...this.site.disks.filter(({ name }) => this.disks.includes(name)),
               ...this.ownDisks] : [];
    }

    /**
     * The root file systems that a workload needs.
     *
     * @param {Pick<Workload, 'params' | 'roots'>} workload
     * @param {Values} values
     */
    rootsOf({ params, roots }, values) {
        const set = params.find(({ name }) => name === 'set');
        return roots[values.set ?? set?.default ?? ''] ?? [];
    }

    /**
     * All disks of the machine: the chosen ones, then the one with the guest's root, or
     * those with the programs of the workload.
     *
     * @returns {Disk[]}
     */
    allDisks() {
        const { root } = this.guest;
        if (root && !this.saved) {
            return [...this.chosenDisks(), root];
        }
        const own = this.guest.workloads && !this.saved
            ? this.rootsOf(this.workload, this.workloadValues) : [];
        return [...this.chosenDisks(), ...own.map((name) => this.guest.roots[name])];
    }

    takenTags() {
        return [...this.site.shares, ...this.own].map(({ tag }) => tag);
    }

    /**
     * The folders that the guest gets.
     *
     * @returns {Share[]}
     */
    chosenShares() {
        return this.guest.share && !this.saved
            ? [...this.site.shares.filter(({ tag }) => this.shares.includes(tag)),
               ...this.own] : [];
    }

    /**
     * The files that are fetched for the choices, beside the guest's files.
     *
     * @returns {SavedMachine['part'][]}
     */
    parts() {
        const plugged = [...this.allDisks(), ...this.chosenShares()];
        const { saved } = this;
        return [...plugged.flatMap(({ parts }) => parts ?? []),
                ...saved && !saved.blob ? [saved.part] : []];
    }

    /** Whether the guest has a network: it is off unless the user switched it on. */
    get hasNetwork() {
        return this.saved ? this.saved.net
                          : this.network && Boolean(this.guest.net);
    }

    /** The saved machines of this guest. */
    savedMachines() {
        return [...this.site.machines, ...this.ownMachines]
            .filter(({ guest }) => guest === this.guest.name);
    }

    /**
     * Add a user's own machine, from which the next run starts.
     *
     * @param {SavedMachine} machine
     */
    addMachine(machine) {
        const others = this.ownMachines.filter(({ name }) => name !== machine.name);
        this.ownMachines = [...others, machine];
        this.chooseGuest(machine.guest);
        this.from = machine.name;
    }

    /** The machine that is resumed, or null. */
    get saved() {
        return this.savedMachines().findLast(({ name }) => name === this.from) ?? null;
    }

    /** The workload of a saved machine that does something already, or null. */
    get underWay() {
        const doing = this.saved?.workload ?? 'wait';
        return doing === 'wait' ? null : doing;
    }

    /** The workload that the guest will run. */
    get doing() {
        return this.underWay ?? (this.guest.workloads ? this.workloadSpec : 'none');
    }

    /** The workloads for which everything is plugged in, or can be. */
    workloads() {
        const there = {
            disk: this.chosenDisks().some((disk) => disk.mount && !disk.readonly),
            share: this.chosenShares().some((share) => !share.readonly),
            net: this.hasNetwork,
            root: Boolean(this.guest.root),
        };
        /** @param {string[]} roots */
        const has = (roots) => Boolean(this.guest.disk) && !this.saved &&
            roots.every((root) => this.guest.roots[root]);
        return this.site.workloads.filter(({ needs, roots }) =>
            (!needs || there[needs]) && Object.values(roots).every(has));
    }

    /**
     * @template {Named} T
     * @param {T[]} list
     * @param {string | undefined} name
     */
    known(list, name) {
        return list.find((entry) => entry.name === name);
    }

    /**
     * The policy of a spec, or else the site's default, and the policy's own values.
     *
     * @param {string} spec
     * @returns {{ policy: Policy, own: Values }}
     */
    policyOf(spec) {
        const { policies, default: usual } = this.site.tiers;
        const { name, values } = parseSpec(spec);
        const { name: first } = parseSpec(usual);
        const policy = this.known(policies, name) ??
                       this.known(policies, first) ?? policies[0];
        return { policy, own: policy.name === name ? values : {} };
    }

    /** @param {string} spec */
    takeTier(spec) {
        const { policy, own } = this.policyOf(spec);
        this.policy = policy;
        this.policyValues = this.checked(this.policyParams(), own);
        this.commonValues = this.checked(this.commonParams(), own);
    }

    /**
     * The workload of a spec, or else one with a prompt, and the workload's own values.
     *
     * @param {string} spec
     * @returns {{ workload: Workload, values: Values }}
     */
    workloadOf(spec) {
        const workloads = this.workloads();
        const { name, values } = parseSpec(spec);
        const usual = this.guest.root ? 'terminal' : 'shell';
        const workload = this.known(workloads, name) ??
                         this.known(workloads, usual) ?? workloads[0];
        return { workload, values: workload.name === name ? values : {} };
    }

    /** @param {string} spec */
    takeWorkload(spec) {
        const { workload, values } = this.workloadOf(spec);
        this.workload = workload;
        this.workloadValues = this.checked(this.workloadParams(), values);
    }

    policyParams() {
        return (this.policy.params ?? []).filter(({ type }) => type !== 'text');
    }

    /** The parameter for a file from which the policy starts, if there is one. */
    get fileParam() {
        return (this.policy.params ?? []).find(({ type }) => type === 'text');
    }

    /** The common parameters, with the browser's or the policy's own defaults. */
    commonParams() {
        return (this.site.tiers.common ?? []).map((param) => ({
            ...param,
            default: this.budgets[param.name] ??
                this.policy.common?.[param.name] ?? param.default,
        }));
    }

    workloadParams() {
        return this.workload.params.map(workloadParam);
    }

    /**
     * Those of the values that their parameters take.
     *
     * @param {Param[]} params
     * @param {Record<string, string | undefined>} values
     */
    checked(params, values) {
        /** @type {Values} */
        const good = {};
        for (const param of params) {
            const value = values[param.name];
            if (value !== undefined && value !== null && !complaint(param, value)) {
                good[param.name] = String(value).trim();
            }
        }
        return good;
    }

    /** @param {string} name */
    chooseGuest(name) {
        const { root } = this.guest;
        this.guest = this.known(this.site.guests, name) ?? this.guest;
        if (Boolean(root) !== Boolean(this.guest.root)) {
            this.takeWorkload('');
        }
        /* Machines differ: the user chose these for another guest's machine. */
        for (const setting of this.site.settings) {
            if (setting.default === null) {
                delete this.machine[setting.name];
            }
        }
    }

    get tier() {
        const params = [...this.policyParams(), ...this.commonParams()];
        return formatSpec(this.policy.name, params,
                          { ...this.policyValues, ...this.commonValues });
    }

    get workloadSpec() {
        return formatSpec(this.workload.name, this.workloadParams(),
                          this.workloadValues);
    }

    machineParams() {
        const { guest, workload } = this;
        const most = Math.max(guest.memory_mib, workload.memory_mib);
        return machineParams(this.site, { ...guest, memory_mib: most });
    }

    /**
     * The value that a saved machine brings; undefined if the user may choose.
     *
     * @param {{ key: string }} setting
     */
    settled({ key }) {
        /** @type {Record<string, any>} */
        const saved = this.saved ?? {};
        return saved[key];
    }

    /** @param {string} name */
    machineValue(name) {
        const param = this.machineParams().find((p) => p.name === name);
        const settled = param && this.settled(param);
        return String(settled ?? this.machine[name] ?? param?.default);
    }

    /**
     * Every setting of the machine by its key, numbers as numbers.
     *
     * @returns {Record<string, any>}
     */
    machineValues() {
        return Object.fromEntries(this.machineParams().map(({ name, key, type }) => {
            const value = this.machineValue(name);
            return [key, type === 'enum' ? value : Number(value)];
        }));
    }

    /** The machine's values without those that a saved machine has. */
    chosenMachine() {
        const own = this.machineParams()
            .filter((param) => this.settled(param) === undefined);
        return Object.fromEntries(own.map(({ name }) => [name, this.machine[name]])
            .filter(([, value]) => value !== undefined));
    }

    /**
     * All choices as words.
     *
     * @returns {Values}
     */
    words() {
        const words = {
            guest: this.guest.name, tier: this.tier, workload: this.workloadSpec,
        };
        /**
         * @param {string} name
         * @param {string[]} chosen
         * @param {string[]} all
         */
        const some = (name, chosen, all) => (chosen.length < all.length
            ? { [name]: chosen.join(',') || 'none' } : {});
        const share = {
            ...some('disk', this.disks, this.siteDisks()),
            ...some('share', this.shares, this.siteShares()),
        };
        /** @type {Values} */
        const net = this.network ? { net: 'on' } : {};
        /** @type {Values} */
        const from = this.saved && !this.saved.blob ? { from: this.from } : {};
        return { ...words, ...this.chosenMachine(), ...share, ...net, ...from };
    }

    save() {
        const words = this.words();
        store(KEY, words);
        const hash = Object.entries(words)
            .map(([name, value]) =>
                `${name}=${encodeURIComponent(value).replace(/%3A/g, ':')
                    .replace(/%2C/g, ',').replace(/%3D/g, '=')}`)
            .join('&');
        history.replaceState(null, '', `#${hash}`);
    }

    /** The command that does the same without a page. */
    commandLine() {
        const tier = this.fileParam && this.profile
            ? withMore(this.tier, { [this.fileParam.name]: this.profile.name })
            : this.tier;
        const { root } = this.guest;
        const own = root ? this.guest.name.split('+')[0] : this.guest.name;
        const line = ['./tierlab', 'boot', own, '--tier', quoted(tier)];
        if (root) {
            const [option, ...file] = root.option.split(' ');
            line.push(option, quoted(file.join(' ')));
        }
        if (this.saved) {
            line.push('--restore', quoted(`${this.saved.name}.snap`));
        }
        if (this.underWay) {
            line.push(...hasPrompt(this.underWay) ? ['--interactive'] : []);
        } else if (this.guest.root && this.workload.name === 'shell') {
            line.push('--interactive', '--workload', 'shell');
        } else if (hasPrompt(this.workload.name)) {
            line.push('--interactive');
        } else if (this.workload.name !== 'none') {
            line.push('--workload', this.workloadSpec);
        }
        for (const [name, value] of Object.entries(this.chosenMachine())) {
            line.push(`--${name}`, value);
        }
        for (const { name, mount, readonly } of this.chosenDisks()) {
            line.push('--disk', quoted([name, mount && `mount=${mount}`,
                readonly ? 'readonly=on' : 'snapshot=on'].filter(Boolean).join()));
        }
        for (const { name, tag, readonly } of this.chosenShares()) {
            line.push('--share', quoted(
                `${name},tag=${tag}${readonly ? ',readonly=on' : ''}`));
        }
        if (this.hasNetwork && this.site.network) {
            line.push('--net', this.site.network.words);
        }
        return line.join(' ');
    }
}
