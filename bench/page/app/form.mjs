/*
 * The form, made from what the site declares: a control for each parameter, with
 * its unit, range and meaning.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { bytes, byId, make, replace } from './dom.mjs';
import { Plugs } from './plugs.mjs';
import { machineParams } from './settings.mjs';
import { complaint } from './spec.mjs';

function control(param, id, value, changed) {
    let input;
    if (param.type === 'enum') {
        input = make('select', { id }, ...param.choices.map((choice) =>
            make('option', { value: choice }, choice)));
    } else {
        input = make('input', {
            id, type: 'text', inputmode: param.type === 'u64' ? 'numeric' : 'decimal',
            autocomplete: 'off', spellcheck: 'false',
        });
    }
    input.value = value;
    const check = () => {
        const wrong = complaint(param, input.value);
        input.setCustomValidity(wrong);
        input.setAttribute('aria-invalid', wrong ? 'true' : 'false');
        return wrong;
    };
    input.addEventListener('input', () => {
        const wrong = check();
        error.textContent = wrong;
        changed(param.name, wrong ? undefined : input.value.trim());
    });
    const error = make('span', { class: 'error', id: `${id}-error`,
                                 role: 'status' });
    input.setAttribute('aria-describedby', `${id}-hint ${id}-error`);
    check();
    return { input, error };
}

function row(param, prefix, value, changed) {
    const id = `${prefix}-${param.name}`;
    const { input, error } = control(param, id, value, changed);
    return make('div', { class: 'param', title: param.range },
        make('label', { for: id }, param.label ?? param.name),
        make('span', { class: 'value' }, input,
             make('span', { class: 'unit' }, param.unit ?? '')),
        make('span', { class: 'hint', id: `${id}-hint` }, param.meaning),
        error);
}

function options(select, entries, chosen) {
    replace(select, ...entries.map((entry) =>
        make('option', { value: entry.name, selected: entry.name === chosen },
             entry.name)));
    select.value = chosen;
}

export class Form {
    constructor(settings, sizes, changed) {
        this.settings = settings;
        this.sizes = sizes;
        this.changed = changed;
        this.element = byId('setup');
        byId('policy').addEventListener('change', (event) => {
            settings.takeTier(event.target.value);
            this.showPolicy();
            this.told();
        });
        byId('workload').addEventListener('change', (event) => {
            settings.takeWorkload(event.target.value);
            this.showWorkload();
            this.told();
        });
        options(byId('policy'), settings.site.tiers.policies,
                settings.policy.name);
        byId('profile-input').addEventListener('change', ({ target }) => {
            const [file] = target.files;
            target.value = '';
            if (file) {
                this.takeProfile(file);
            }
        });
        byId('from-input').addEventListener('change', ({ target }) => {
            const [file] = target.files;
            target.value = '';
            if (file) {
                this.takeMachine(file);
            }
        });
        byId('from').addEventListener('change', ({ target }) => {
            settings.from = target.value;
            this.fromChanged();
        });
        this.showGuests();
        this.showFrom();
        this.showPolicy();
        this.showWorkloads();
        this.showMachine();
        this.plugs = new Plugs(settings, () => this.plugged());
        this.told();
    }

    /* Other workloads may make sense now. */
    plugged() {
        const { settings } = this;
        settings.takeWorkload(settings.workloadSpec);
        this.showWorkloads();
        this.told();
    }

    /* Something was chosen. */
    told() {
        this.settings.save();
        byId('command').textContent = this.settings.commandLine();
        this.changed();
    }

    showGuests() {
        const { settings } = this;
        replace(byId('guests'), ...settings.site.guests.map((guest) => {
            const radio = make('input', {
                type: 'radio', name: 'guest', value: guest.name,
                checked: guest === settings.guest,
            });
            radio.addEventListener('change', () => {
                settings.chooseGuest(guest.name);
                this.showFrom();
                this.fromChanged();
            });
            return make('label', { class: 'choice' }, radio,
                make('span', { class: 'name' }, guest.name),
                make('span', { class: 'size' }, bytes(this.sizes(guest))),
                make('span', { class: 'about' },
                     `${guest.title}${guest.kernel_version
                         ? `, Linux ${guest.kernel_version}` : ''}`));
        }));
    }

    /* Booted, or resumed: much is settled then. */
    showFrom() {
        const { settings } = this;
        const machines = settings.savedMachines();
        replace(byId('from'), make('option', { value: '' }, 'cold boot'),
                ...machines.map(({ name }) => make('option', { value: name }, name)));
        byId('from').value = settings.saved?.name ?? '';
        const { saved } = settings;
        byId('from-about').textContent = saved
            ? `Saved at ${saved.resumed.marker} on ${saved.saved.slice(0, 10)}, ` +
              `in ${saved.resumed.engine}; ${bytes(saved.part.packed)}.` : '';
    }

    async takeMachine(file) {
        const { settings } = this;
        byId('from-error').textContent = '';
        try {
            const [{ readSnapshot }, { savedArguments }] = await Promise.all([
                import('./snapshot.mjs'), import('./run.mjs')]);
            settings.addMachine(await readSnapshot(file, settings.site,
                                                   savedArguments));
            this.showGuests();
        } catch (error) {
            byId('from-error').textContent =
                `${file.name} cannot be resumed: ${error.message}.`;
        }
        this.fromChanged();
    }

    fromChanged() {
        this.showFrom();
        this.showMachine();
        this.plugs.show();
        this.plugged();
    }

    params(place, params, values, current) {
        replace(byId(place), ...params.map((param) =>
            row(param, place, values[param.name] ?? String(param.default),
                (name, value) => {
                    if (value === undefined) {
                        delete current()[name];
                    } else {
                        current()[name] = value;
                    }
                    this.told();
                })));
    }

    showPolicy() {
        const { settings } = this;
        const { policy } = settings;
        byId('policy-summary').textContent =
            policy.summary.replace(/^./, (c) => c.toUpperCase()) + '.';
        byId('policy-summary').title = policy.source ?? '';
        this.params('policy-params', settings.policyParams(),
                    settings.policyValues, () => settings.policyValues);
        this.showProfile();
        this.params('common-params', settings.commonParams(),
                    settings.commonValues, () => settings.commonValues);
    }

    /* Of a policy that starts from what an earlier boot executed. */
    showProfile() {
        const { profile, fileParam } = this.settings;
        byId('profile').hidden = !fileParam;
        byId('profile-about').textContent =
            profile ? profile.name : 'A result of a boot, or a profile made of one.';
        byId('profile-input').setCustomValidity(
            fileParam && !profile ? 'Choose a file to start from.' : '');
    }

    async takeProfile(file) {
        const { settings } = this;
        byId('profile-error').textContent = '';
        try {
            const { readProfile } = await import('./profile.mjs');
            settings.profile = await readProfile(file);
        } catch (error) {
            byId('profile-error').textContent =
                `${file.name} cannot be used: ${error.message}.`;
        }
        this.showProfile();
        this.told();
    }

    showWorkloads() {
        const { settings } = this;
        byId('workload').disabled = !settings.guest.workloads || settings.underWay;
        options(byId('workload'), settings.workloads(), settings.workload.name);
        this.showWorkload();
    }

    showWorkload() {
        const { settings } = this;
        const own = settings.guest.workloads && !settings.underWay;
        byId('workload-title').textContent = own
            ? settings.workload.title.replace(/^./, (c) => c.toUpperCase()) + '.'
            : settings.underWay ? `It was saved doing ${settings.underWay}.`
                : 'A guest of its own: it does what it does.';
        this.params('workload-params', own ? settings.workloadParams() : [],
                    settings.workloadValues, () => settings.workloadValues);
    }

    showMachine() {
        const { settings } = this;
        const { saved } = settings;
        const values = saved ? {
            ...settings.machine, smp: settings.machineValue('smp'),
            memory: settings.machineValue('memory'),
            seed: settings.machineValue('seed'),
        } : settings.machine;
        this.params('machine-params',
                    machineParams(settings.site, settings.guest), values,
                    () => settings.machine);
        for (const name of saved ? ['smp', 'memory', 'seed'] : []) {
            byId(`machine-params-${name}`).disabled = true;
        }
    }

    /* Shows what is wrong, if anything is. */
    valid() {
        const wrong = [...this.element.querySelectorAll('input, select')]
            .find((input) => !input.checkValidity());
        if (!wrong) {
            return true;
        }
        const details = wrong.closest('details');
        if (details) {
            details.open = true;
        }
        wrong.focus();
        /* A file's control is not to be seen, so neither is what a browser says of it. */
        if (wrong.id === 'profile-input') {
            byId('profile-error').textContent = wrong.validationMessage;
        } else {
            wrong.reportValidity();
        }
        return false;
    }

    /* The same, without a word to the user. */
    get isValid() {
        return [...this.element.querySelectorAll('input, select')]
            .every((input) => !input.willValidate || input.validity.valid);
    }
}
