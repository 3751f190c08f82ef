/*
 * The probe (../js/probe.mjs) of this Node: node probe.mjs MODULES CODE_MIB
 * Prints lines of JSON: {"progress"} now and then, and {"found"} at the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { probe } from '../js/probe.mjs';
import { writeAll } from './host.mjs';

const [modules, code_mib] = process.argv.slice(2).map(Number);

/** @param {unknown} what */
const say = (what) => writeAll(1, Buffer.from(`${JSON.stringify(what)}\n`));

say({ found: await probe({ modules, code_mib },
                         (progress) => say({ progress })) });
