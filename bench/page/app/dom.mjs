/*
 * Makes elements, and numbers as people read them. Text stays text: nothing that a guest
 * prints becomes markup.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/** @typedef {string | number | boolean | null | undefined} Attribute */
/** @typedef {Node | string | null | undefined} Child */

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
const given = (children) =>
    children.filter((child) => child !== null && child !== undefined);

/**
 * The element of index.html with this id. An element of another kind than HTMLElement
 * is given as an example: byId('net', HTMLInputElement).
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind]
 */
export function byId(id, kind) {
    const element = document.getElementById(id);
    if (!(element instanceof (kind ?? HTMLElement))) {
        throw new Error(`the page has no ${kind?.name ?? 'element'} #${id}`);
    }
    return /** @type {T} */ (element);
}

/** @param {string} id */
export const inputById = (id) => byId(id, HTMLInputElement);
/** @param {string} id */
export const selectById = (id) => byId(id, HTMLSelectElement);
/** @param {string} id */
export const buttonById = (id) => byId(id, HTMLButtonElement);

/**
 * Make an element. An attribute that is true is there without a value; one that is
 * false, null or undefined is not there.
 *
 * @template {keyof HTMLElementTagNameMap} N
 * @param {N} name
 * @param {Record<string, Attribute>} attributes
 * @param {Child[]} children
 */
export function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (value === true) {
            element.setAttribute(key, '');
        } else if (value !== false && value !== null && value !== undefined) {
            element.setAttribute(key, String(value));
        }
    }
    element.append(...given(children));
    return element;
}

/**
 * Load a style sheet.
 *
 * @param {string} href
 */
export function addStyles(href) {
    document.head.append(make('link', { rel: 'stylesheet', href }));
}

/**
 * @param {Element} parent
 * @param {Child[]} children
 */
export function replace(parent, ...children) {
    parent.replaceChildren(...given(children));
}

/**
 * The SHA-256 digest in hexadecimal.
 *
 * @param {BufferSource} data
 */
export async function sha256(data) {
    const digest = await crypto.subtle.digest('SHA-256', data);
    return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, '0'))
        .join('');
}

/**
 * Hand a Blob to the user as a file.
 *
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
    const url = URL.createObjectURL(blob);
    const link = make('a', { download: name, href: url });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', {
    notation: 'compact', maximumSignificantDigits: 3,
});

/** @param {number} n */
export const count = (n) => whole.format(n);

/** @param {number} n */
export const compact = (n) => (n < 10000 ? whole.format(n) : short.format(n));

/** @param {number} ms */
export const seconds = (ms) => `${(ms / 1000).toFixed(ms < 100000 ? 2 : 0)} s`;

/** @param {number} ms */
export const millis = (ms) =>
    ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : seconds(ms);

/** @param {number} n */
export function bytes(n) {
    if (n < 1e6) {
        return `${Math.max(1, Math.round(n / 1000))} kB`;
    }
    return `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)} MB`;
}

/** @param {number} part 1 is all */
export const percent = (part) =>
    `${(100 * part).toFixed(part > 0.0995 && part < 0.995 ? 0 : 1)} %`;
