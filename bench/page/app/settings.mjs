/*
 * What a user has chosen: kept in this browser, and in the page's address so that
 * it can be sent to somebody. What is not known or out of range is dropped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { browser } from './browser.mjs';
import { complaint, formatSpec, parseSpec, withMore, workloadParam } from './spec.mjs';
import { load, store } from './storage.mjs';

const KEY = 'tierlab.settings';

/* Rows of the part `Machine` of the form, as if policies' parameters. */
export function machineParams(site, guest) {
    const { smp, memory_mib: memory, seed, counts } = site.limits;
    const number = (name, label, unit, value, [min, max], meaning) => ({
        name, label, unit, meaning, default: value, type: 'u64', min, max,
        range: `a whole number from ${min} to ${max}`,
    });
    return [
        number('smp', 'vCPUs', '', guest.smp, smp, 'virtual CPUs of the guest'),
        number('memory', 'memory', 'MiB', guest.memory_mib, memory,
               'of the guest'),
        number('seed', 'seed', '', 1, seed,
               'of random numbers: the guest’s and the policy’s'),
        {
            name: 'counts', label: 'counting', unit: '', type: 'enum',
            default: 'sampled', choices: counts,
            range: `one of ${counts.join(', ')}`,
            meaning: 'of executions of compiled code, which costs a little time',
        },
    ];
}

/* For a shell. */
const quoted = (word) => /^[\w.,:=/@%+-]+$/.test(word)
    ? word : `'${word.replace(/'/g, "'\\''")}'`;

export class Settings {
    constructor(site) {
        this.site = site;
        const stored = load(KEY) ?? {};
        const asked = new URLSearchParams(location.hash.slice(1));
        const words = (name) => asked.get(name) ?? stored[name];
        this.guest = this.known(site.guests, words('guest')) ?? site.guests[0];
        this.values = { policy: {}, common: {}, workload: {}, machine: {} };
        /* Names of the site's disks that are plugged in, and a user's own. */
        this.disks = this.chosenNames(site.disks, 'name', words('disk'));
        this.ownDisks = [];
        /* Tags of the site's folders that are plugged in, and a user's own. */
        this.shares = this.chosenNames(site.shares, 'tag', words('share'));
        this.own = [];
        this.network = words('net') === 'on' && Boolean(site.network);
        /* The name of a saved machine; '' to boot. */
        this.from = words('from') ?? '';
        this.ownMachines = [];
        /* What this browser cannot bear of a policy's defaults. */
        this.budgets = site.budgets[browser().name] ?? {};
        /* For a policy that wants a file: { name, text }. */
        this.profile = null;
        this.takeTier(words('tier') ?? '');
        this.takeWorkload(words('workload') ?? 'shell');
        this.machine = this.checked(machineParams(site, this.guest), {
            smp: words('smp'), memory: words('memory'), seed: words('seed'),
            counts: words('counts'),
        });
    }

    /* All, unless it is said which. */
    chosenNames(list, key, words) {
        const all = list.map((entry) => entry[key]);
        return words === undefined || words === null ? all
            : all.filter((name) => words.split(',').includes(name));
    }

    /* @chosen with or without a name, in the order of the site. */
    withName(list, key, chosen, name, plugged) {
        return list.map((entry) => entry[key]).filter((other) =>
            other === name ? plugged : chosen.includes(other));
    }

    plugShare(tag, plugged) {
        this.shares = this.withName(this.site.shares, 'tag', this.shares, tag, plugged);
    }

    plugDisk(name, plugged) {
        this.disks = this.withName(this.site.disks, 'name', this.disks, name, plugged);
    }

    /* The disks that the guest gets, vda first. */
    chosenDisks() {
        return this.guest.disk && !this.saved
            ? [...this.site.disks.filter(({ name }) => this.disks.includes(name)),
               ...this.ownDisks] : [];
    }

    takenTags() {
        return [...this.site.shares, ...this.own].map(({ tag }) => tag);
    }

    /* The folders that the guest gets: as the site describes them, or own ones. */
    chosenShares() {
        return this.guest.share && !this.saved
            ? [...this.site.shares.filter(({ tag }) => this.shares.includes(tag)),
               ...this.own] : [];
    }

    /* Files of the site's that are fetched for what is chosen, beside the guest's. */
    parts() {
        const plugged = [...this.chosenDisks(), ...this.chosenShares()];
        const { saved } = this;
        return [...plugged.flatMap(({ parts }) => parts ?? []),
                ...saved && !saved.blob ? [saved.part] : []];
    }

    /* Off unless it was switched on, and only where there is one. */
    get hasNetwork() {
        return this.saved ? this.saved.net
                          : this.network && Boolean(this.guest.net);
    }

    /* Machines of this guest's that were saved. */
    savedMachines() {
        return [...this.site.machines, ...this.ownMachines]
            .filter(({ guest }) => guest === this.guest.name);
    }

    /* A user's own; it is what the next boot starts from. */
    addMachine(machine) {
        const others = (machines) => machines.filter(({ name }) => name !== machine.name);
        this.ownMachines = [...others(this.ownMachines), machine];
        this.chooseGuest(machine.guest);
        this.from = machine.name;
    }

    /* The one that is resumed, if any. */
    get saved() {
        return this.savedMachines().findLast(({ name }) => name === this.from) ?? null;
    }

    /* What it does, if that is not to be chosen. */
    get underWay() {
        const doing = this.saved?.workload ?? 'wait';
        return doing === 'wait' ? null : doing;
    }

    /* What the guest will do. */
    get doing() {
        return this.underWay ?? (this.guest.workloads ? this.workloadSpec : 'none');
    }

    /* Workloads for which everything is there. */
    workloads() {
        const there = {
            disk: this.chosenDisks().some((disk) => disk.mount && !disk.readonly),
            share: this.chosenShares().some((share) => !share.readonly),
            net: this.hasNetwork,
        };
        return this.site.workloads.filter(({ needs }) => !needs || there[needs]);
    }

    known(list, name) {
        return list.find((entry) => entry.name === name);
    }

    takeTier(spec) {
        const { policies, default: usual } = this.site.tiers;
        const { name, values } = parseSpec(spec);
        const { name: first } = parseSpec(usual);
        this.policy = this.known(policies, name) ??
                      this.known(policies, first) ?? policies[0];
        const own = this.policy.name === name ? values : {};
        this.policyValues = this.checked(this.policyParams(), own);
        this.commonValues = this.checked(this.commonParams(), own);
    }

    takeWorkload(spec) {
        const workloads = this.workloads();
        const { name, values } = parseSpec(spec);
        this.workload = this.known(workloads, name) ??
                        this.known(workloads, 'shell') ?? workloads[0];
        this.workloadValues =
            this.checked(this.workloadParams(),
                         this.workload.name === name ? values : {});
    }

    policyParams() {
        return (this.policy.params ?? []).filter(({ type }) => type !== 'text');
    }

    /* Of a file that the policy wants. */
    get fileParam() {
        return (this.policy.params ?? []).find(({ type }) => type === 'text');
    }

    /* The budgets have defaults by policy, and by browser. */
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

    /* Only values that were given and will do. */
    checked(params, values) {
        const good = {};
        for (const param of params) {
            const value = values[param.name];
            if (value !== undefined && value !== null && !complaint(param, value)) {
                good[param.name] = String(value).trim();
            }
        }
        return good;
    }

    chooseGuest(name) {
        this.guest = this.known(this.site.guests, name) ?? this.guest;
        /* Machines differ: what was chosen for another is none of this one's. */
        delete this.machine.smp;
        delete this.machine.memory;
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

    machineValue(name) {
        const own = { smp: 'smp', memory: 'memory_mib', seed: 'seed' }[name];
        if (this.saved && own) {
            return String(this.saved[own]);
        }
        const param = machineParams(this.site, this.guest)
            .find((p) => p.name === name);
        return this.machine[name] ?? String(param.default);
    }

    /* Without what a saved machine brings. */
    chosenMachine() {
        const { smp, memory, seed, ...rest } = this.machine;
        return this.saved ? rest : this.machine;
    }

    /* The words that say it all. */
    words() {
        const words = {
            guest: this.guest.name, tier: this.tier, workload: this.workloadSpec,
        };
        const some = (name, chosen, all) => (chosen.length < all.length
            ? { [name]: chosen.join(',') || 'none' } : {});
        const share = {
            ...some('disk', this.disks, this.site.disks),
            ...some('share', this.shares, this.site.shares),
        };
        const net = this.network ? { net: 'on' } : {};
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

    /* What does the same without a page. */
    commandLine() {
        const tier = this.fileParam && this.profile
            ? withMore(this.tier, { [this.fileParam.name]: this.profile.name })
            : this.tier;
        const line = ['./tierlab', 'boot', this.guest.name, '--tier', quoted(tier)];
        if (this.saved) {
            line.push('--restore', quoted(`${this.saved.name}.snap`));
        }
        if (this.underWay) {
            line.push(...this.underWay === 'shell' ? ['--interactive'] : []);
        } else if (this.workload.name === 'shell') {
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
        if (this.hasNetwork) {
            line.push('--net', this.site.network.words);
        }
        return line.join(' ');
    }
}
