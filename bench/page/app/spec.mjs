/*
 * Reads and writes policies and workloads as specs, NAME:PARAM=VALUE,...; and checks
 * whether a parameter takes a value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { Param, Values, WorkloadParam } from './site.d.ts' */

/** @typedef {Record<string, string | number>} Given */

/** @param {string} text */
export function parseSpec(text) {
    const [name, ...rest] = String(text).split(':');
    const pairs = rest.join(':').split(',').filter(Boolean);
    /** @type {Values} */
    const values = {};
    for (const pair of pairs) {
        const at = pair.indexOf('=');
        if (at > 0) {
            values[pair.slice(0, at)] = pair.slice(at + 1);
        }
    }
    return { name, values };
}

/**
 * Whether a user types to this workload, until the user ends it.
 *
 * @param {string | null} workload
 */
export const hasPrompt = (workload) => workload === 'shell' || workload === 'terminal';

/**
 * A spec without the values that are the default.
 *
 * @param {string} name
 * @param {Pick<Param, 'name' | 'default'>[]} params
 * @param {Given} values
 */
export function formatSpec(name, params, values) {
    const shown = params
        .filter((p) => values[p.name] !== undefined &&
                       String(values[p.name]) !== String(p.default))
        .map((p) => `${p.name}=${values[p.name]}`);
    return shown.length ? `${name}:${shown.join(',')}` : name;
}

/**
 * A spec with more values; a value that the spec itself states counts.
 *
 * @param {string} spec
 * @param {Given} more
 */
export function withMore(spec, more) {
    const { name, values } = parseSpec(spec);
    /** @type {Given} */
    const all = { ...values };
    for (const [param, value] of Object.entries(more)) {
        all[param] ??= value;
    }
    const pairs = Object.entries(all).map(([param, value]) => `${param}=${value}`);
    return pairs.length ? `${name}:${pairs.join(',')}` : name;
}

/**
 * '' if the parameter takes the text, else which values it takes.
 *
 * @param {Param} param
 * @param {string} text
 */
export function complaint(param, text) {
    const value = String(text).trim();
    if (param.type === 'enum') {
        return param.choices?.includes(value) ? '' : `Give ${param.range}.`;
    }
    if (param.type === 'text') {
        return new RegExp(`^(${param.pattern ?? '.*'})$`).test(value)
            ? '' : `Give ${param.range}.`;
    }
    const whole = param.type === 'u64';
    const form = whole ? /^\d+$/ : /^\d*\.?\d+(e-?\d+)?$/i;
    const number = Number(value);
    const { min = -Infinity, max = Infinity } = param;
    if (form.test(value) && number >= min && number <= max) {
        return '';
    }
    return `Give ${param.range}${param.unit ? `, in ${param.unit}` : ''}.`;
}

/**
 * A parameter of the catalogue of workloads in the form of a policy's parameter.
 *
 * @param {WorkloadParam} param
 * @returns {Param}
 */
export function workloadParam(param) {
    const { name, unit, meaning } = param;
    if ('choices' in param) {
        const { choices } = param;
        return { name, unit, meaning, default: param.default, type: 'enum', choices,
                 range: `one of ${choices.join(', ')}` };
    }
    if ('pattern' in param) {
        return { name, unit, meaning, default: param.default, type: 'text',
                 pattern: param.pattern,
                 range: 'a word of small letters, digits, _ and -' };
    }
    const { minimum, maximum } = param;
    return {
        name, unit, meaning, default: param.default, type: 'u64', min: minimum,
        max: maximum, range: `a whole number from ${minimum} to ${maximum}`,
    };
}
