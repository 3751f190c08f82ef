/*
 * Small values that the browser keeps for the next visit, if it allows that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/**
 * A kept value, or null. Another version of the page may have kept it.
 *
 * @param {string} key
 * @returns {unknown}
 */
export function load(key) {
    try {
        return JSON.parse(localStorage.getItem(key) ?? 'null');
    } catch {
        return null;
    }
}

/**
 * Keep a value; false if the browser does not keep it.
 *
 * @param {string} key
 * @param {unknown} value
 */
export function store(key, value) {
    try {
        localStorage.setItem(key, JSON.stringify(value));
        return true;
    } catch {
        return false;
    }
}

/** @param {string} key */
export function forget(key) {
    try {
        localStorage.removeItem(key);
    } catch {
        /* A browser that keeps nothing has nothing to forget. */
    }
}
