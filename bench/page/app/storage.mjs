/*
 * Small things kept in this browser, where it lets us.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

export function load(key) {
    try {
        return JSON.parse(localStorage.getItem(key));
    } catch {
        return null;
    }
}

/* False if it was not kept. */
export function store(key, value) {
    try {
        localStorage.setItem(key, JSON.stringify(value));
        return true;
    } catch {
        return false;
    }
}

export function forget(key) {
    try {
        localStorage.removeItem(key);
    } catch {
        /* then there is nothing to forget */
    }
}
