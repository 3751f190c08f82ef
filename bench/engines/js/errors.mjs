/*
 * Words for what was caught: JavaScript can throw anything.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/**
 * @param {unknown} thrown
 * @param {'message' | 'stack'} name
 */
function field(thrown, name) {
    const fields = /** @type {Partial<Error> | null | undefined} */ (thrown);
    return String(fields?.[name] ?? thrown);
}

/**
 * The message of an Error; any other value as text.
 *
 * @param {unknown} thrown
 */
export const messageOf = (thrown) => field(thrown, 'message');

/**
 * The stack of an Error, for who mends it; any other value as text.
 *
 * @param {unknown} thrown
 */
export const stackOf = (thrown) => field(thrown, 'stack');
