/*
 * URLs that are relative to the page, for workers, whose scripts are in other folders.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { DiskSource } from './types.d.ts' */

/** @param {string} url */
export const absolute = (url) => new URL(url, document.baseURI).href;

/**
 * @template {{ url?: string }} S
 * @param {S} source
 * @returns {S}
 */
export const located = (source) =>
    source.url ? { ...source, url: absolute(source.url) } : source;

/**
 * @template {DiskSource} D
 * @param {D} disk
 * @returns {D}
 */
export const locatedDisk = (disk) =>
    ({ ...located(disk), ...disk.index && { index: located(disk.index) } });
