/*
 * The form, made from what the site declares: a control for each parameter, with
 * its unit, range and meaning.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { messageOf } from '../../engines/js/errors.mjs';
import { byId, bytes, inputById, make, replace, selectById } from './dom.mjs';
import { Plugs } from './plugs.mjs';
import { complaint } from './spec.mjs';

/** @import { Settings } from './settings.mjs' */
/** @import { Guest, Param, Values } from './site.d.ts' */

/* The keyboard that a touch screen shows for a parameter. */
const MODES = { u64: 'numeric', double: 'decimal', enum: 'text', text: 'text' };

/**
 * Called with a parameter's new value, or undefined if the input is not a value.
 *
 * @callback Changed
 * @param {string} name
 * @param {string | undefined} value
 * @returns {void}
 */

/**
 * @param {Param} param
 * @param {string} id
 */
function inputFor(param, id) {
    if (param.type === 'enum') {
        return make('select', { id }, ...(param.choices ?? []).map((choice) =>
            make('option', { value: choice }, choice)));
    }
    return make('input', {
        id, type: 'text', inputmode: MODES[param.type],
        autocomplete: 'off', spellcheck: 'false',
    });
}

/**
 * @param {Param} param
 * @param {string} id
 * @param {string} value
 * @param {Changed} changed
 */
function control(param, id, value, changed) {
    const input = inputFor(param, id);
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

/**
 * @param {Param} param
 * @param {string} prefix of the ids
 * @param {string} value
 * @param {Changed} changed
 */
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

/**
 * @param {HTMLSelectElement} select
 * @param {{ name: string }[]} entries
 * @param {string} chosen
 */
function options(select, entries, chosen) {
    replace(select, ...entries.map((entry) =>
        make('option', { value: entry.name, selected: entry.name === chosen },
             entry.name)));
    select.value = chosen;
}

/**
 * Call `take` with each file that a user chooses.
 *
 * @param {string} id of the input
 * @param {(file: File) => Promise<void>} take
 */
function onFile(id, take) {
    const input = inputById(id);
    input.addEventListener('change', () => {
        const file = input.files?.[0];
        input.value = '';
        if (file) {
            void take(file);
        }
    });
}

/**
 * Call `take` with each choice of a user.
 *
 * @param {string} id of the select element
 * @param {(value: string) => void} take
 */
function onChoice(id, take) {
    const select = selectById(id);
    select.addEventListener('change', () => take(select.value));
}

export class Form {
    /**
     * @param {Settings} settings
     * @param {(guest: Guest) => number} sizes how many bytes are fetched for a guest
     * @param {() => void} changed called when the user has chosen something
     */
    constructor(settings, sizes, changed) {
        this.settings = settings;
        this.sizes = sizes;
        this.changed = changed;
        this.element = byId('setup');
        onChoice('policy', (value) => {
            settings.takeTier(value);
            this.showPolicy();
            this.told();
        });
        onChoice('workload', (value) => {
            settings.takeWorkload(value);
            this.showWorkload();
            this.told();
        });
        options(selectById('policy'), settings.site.tiers.policies,
                settings.policy.name);
        onFile('profile-input', (file) => this.takeProfile(file));
        onFile('from-input', (file) => this.takeMachine(file));
        onChoice('from', (value) => {
            settings.from = value;
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

    /** Something was plugged in or out: other workloads may be possible now. */
    plugged() {
        const { settings } = this;
        settings.takeWorkload(settings.workloadSpec);
        this.showWorkloads();
        this.told();
    }

    /** The user has chosen something. */
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

    /** Show from what a run starts: a cold boot, or a saved machine. */
    showFrom() {
        const { settings } = this;
        const machines = settings.savedMachines();
        replace(byId('from'), make('option', { value: '' }, 'cold boot'),
                ...machines.map(({ name }) => make('option', { value: name }, name)));
        selectById('from').value = settings.saved?.name ?? '';
        const { saved } = settings;
        byId('from-about').textContent = saved
            ? `Saved at ${saved.resumed.marker} on ${saved.saved.slice(0, 10)}, ` +
              `in ${saved.resumed.engine}; ${bytes(saved.part.packed)}.` : '';
    }

    /**
     * Take a user's saved machine, or tell why not.
     *
     * @param {File} file
     */
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
                `${file.name} cannot be resumed: ${messageOf(error)}.`;
        }
        this.fromChanged();
    }

    fromChanged() {
        this.showFrom();
        this.showMachine();
        this.plugs.show();
        this.plugged();
    }

    /**
     * Show parameters.
     *
     * @param {string} place the id of the element for them
     * @param {Param[]} params
     * @param {Values} values
     * @param {() => Values} current the values that a user's input changes
     */
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

    /** Show the input for a policy that starts from what an earlier boot executed. */
    showProfile() {
        const { profile, fileParam } = this.settings;
        byId('profile').hidden = !fileParam;
        byId('profile-about').textContent =
            profile ? profile.name : 'A result of a boot, or a profile made of one.';
        inputById('profile-input').setCustomValidity(
            fileParam && !profile ? 'Choose a file to start from.' : '');
    }

    /**
     * Take a user's profile, or tell why not.
     *
     * @param {File} file
     */
    async takeProfile(file) {
        const { settings } = this;
        byId('profile-error').textContent = '';
        try {
            const { readProfile } = await import('./profile.mjs');
            settings.profile = await readProfile(file);
        } catch (error) {
            byId('profile-error').textContent =
                `${file.name} cannot be used: ${messageOf(error)}.`;
        }
        this.showProfile();
        this.told();
    }

    showWorkloads() {
        const { settings } = this;
        const select = selectById('workload');
        select.disabled = !settings.guest.workloads || settings.underWay !== null;
        options(select, settings.workloads(), settings.workload.name);
        this.showWorkload();
    }

    showWorkload() {
        const { settings } = this;
        const own = settings.guest.workloads && !settings.underWay;
        byId('workload-title').textContent = own
            ? settings.workload.title.replace(/^./, (c) => c.toUpperCase()) + '.'
            : settings.underWay
                ? `The machine was saved while it ran ${settings.underWay}.`
                : 'A user’s own guest: it runs its own programs.';
        this.params('workload-params', own ? settings.workloadParams() : [],
                    settings.workloadValues, () => settings.workloadValues);
    }

    showMachine() {
        const { settings } = this;
        const params = settings.machineParams();
        const settled = params.filter((param) => settings.settled(param) !== undefined);
        const values = { ...settings.machine };
        for (const { name } of settled) {
            values[name] = settings.machineValue(name);
        }
        this.params('machine-params', params, values, () => settings.machine);
        for (const { name } of settled) {
            inputById(`machine-params-${name}`).disabled = true;
        }
    }

    /** All inputs of the form. */
    get inputs() {
        const found = this.element.querySelectorAll('input, select');
        return /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ ([...found]);
    }

    /** Whether the form is valid; shows what is wrong, if anything is. */
    valid() {
        const wrong = this.inputs.find((input) => !input.checkValidity());
        if (!wrong) {
            return true;
        }
        const details = wrong.closest('details');
        if (details) {
            details.open = true;
        }
        wrong.focus();
        /* The input of a file is hidden, and so would be the browser's own message. */
        if (wrong.id === 'profile-input') {
            byId('profile-error').textContent = wrong.validationMessage;
        } else {
            wrong.reportValidity();
        }
        return false;
    }

    /** Whether the form is valid; shows nothing. */
    get isValid() {
        return this.inputs.every(
            (input) => !input.willValidate || input.validity.valid);
    }
}
