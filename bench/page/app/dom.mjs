/*
 * Elements, and numbers as people read them. Text is only ever text here:
 * nothing that a guest says becomes markup.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

export const byId = (id) => document.getElementById(id);

/* An element; children may be strings. */
export function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (value === true) {
            element.setAttribute(key, '');
        } else if (value !== false && value !== null && value !== undefined) {
            element.setAttribute(key, value);
        }
    }
    element.append(...children.filter((c) => c !== null && c !== undefined));
    return element;
}

/* A style sheet of a library's. */
export function addStyles(href) {
    document.head.append(make('link', { rel: 'stylesheet', href }));
}

export function replace(parent, ...children) {
    parent.replaceChildren(...children.filter(Boolean));
}

/* In hexadecimal. */
export async function sha256(data) {
    const digest = await crypto.subtle.digest('SHA-256', data);
    return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, '0'))
        .join('');
}

/* Hand a Blob to the user as a file. */
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

export const count = (n) => whole.format(n);
export const compact = (n) => (n < 10000 ? whole.format(n) : short.format(n));
export const seconds = (ms) => `${(ms / 1000).toFixed(ms < 100000 ? 2 : 0)} s`;
export const millis = (ms) =>
    ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : seconds(ms);

export function bytes(n) {
    if (n < 1e6) {
        return `${Math.max(1, Math.round(n / 1000))} kB`;
    }
    return `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)} MB`;
}

export const percent = (part) =>
    `${(100 * part).toFixed(part > 0.0995 && part < 0.995 ? 0 : 1)} %`;
