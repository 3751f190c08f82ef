/*
 * Policies and workloads as words, NAME:PARAM=VALUE,..., and the other way round;
 * and whether a value is one that its parameter takes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* { name, values }, all of them texts. */
export function parseSpec(text) {
    const [name, ...rest] = String(text).split(':');
    const pairs = rest.join(':').split(',').filter(Boolean);
    const values = {};
    for (const pair of pairs) {
        const at = pair.indexOf('=');
        if (at > 0) {
            values[pair.slice(0, at)] = pair.slice(at + 1);
        }
    }
    return { name, values };
}

/* Without what is the default. */
export function formatSpec(name, params, values) {
    const shown = params
        .filter((p) => values[p.name] !== undefined &&
                       String(values[p.name]) !== String(p.default))
        .map((p) => `${p.name}=${values[p.name]}`);
    return shown.length ? `${name}:${shown.join(',')}` : name;
}

/* As the engine is to run it: what the spec says itself counts. */
export function withMore(spec, more) {
    const { name, values } = parseSpec(spec);
    const all = { ...values };
    for (const [param, value] of Object.entries(more)) {
        all[param] ??= value;
    }
    const pairs = Object.entries(all).map(([param, value]) => `${param}=${value}`);
    return pairs.length ? `${name}:${pairs.join(',')}` : name;
}

/* '' if the text is a value of the parameter, else what would be one. */
export function complaint(param, text) {
    const value = String(text).trim();
    if (param.type === 'enum') {
        return param.choices.includes(value) ? '' : `Give ${param.range}.`;
    }
    const whole = param.type === 'u64';
    const form = whole ? /^\d+$/ : /^\d*\.?\d+(e-?\d+)?$/i;
    const number = Number(value);
    if (form.test(value) && number >= param.min && number <= param.max) {
        return '';
    }
    return `Give ${param.range}${param.unit ? `, in ${param.unit}` : ''}.`;
}

/* A parameter of the catalogue of workloads, as those of policies are. */
export function workloadParam({ name, unit, default: value, minimum, maximum,
                                meaning }) {
    return {
        name, unit, meaning, default: value, type: 'u64', min: minimum,
        max: maximum, range: `a whole number from ${minimum} to ${maximum}`,
    };
}
