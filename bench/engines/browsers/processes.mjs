/*
 * The browser's processes, from /proc: what resources they used, and their end. A
 * browser has many processes, and some outlive their parents for a moment.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';

const TICK_MS = 10; /* USER_HZ, the same on every Linux that has browsers */
const PAUSE_MS = 5;

/* Fields of proc_pid_stat(5), counted from behind the name, which may hold anything. */
const PPID = 1, PGRP = 2, USER = 11, SYSTEM = 12, DEAD_USER = 13,
    DEAD_SYSTEM = 14;

/** @typedef {{ pid: number, state: string, field: (n: number) => number }} Stat */

/**
 * @param {number | 'self'} which
 * @returns {Stat}
 */
function readStat(which) {
    const text = fs.readFileSync(`/proc/${which}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid: parseInt(text), state: fields[0], field: (n) => Number(fields[n]) };
}

/**
 * A process, or null if it is gone.
 *
 * @param {number} pid
 */
function stat(pid) {
    try {
        return readStat(pid);
    } catch {
        return null;
    }
}

/**
 * The processes that descend from this one, and those of its process group if this one
 * leads the group: the harness starts it so, and no other process is in that group.
 */
export function processes() {
    const all = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))
        .map((name) => stat(Number(name))).filter((one) => one !== null);
    const ours = new Set([process.pid]);
    const leads = readStat('self').field(PGRP) === process.pid;
    for (let size = 0; size !== ours.size;) {
        size = ours.size;
        for (const one of all) {
            if (ours.has(one.field(PPID)) ||
                (leads && one.field(PGRP) === process.pid)) {
                ours.add(one.pid);
            }
        }
    }
    ours.delete(process.pid);
    return all.filter((one) => ours.has(one.pid) && one.state !== 'Z');
}

/** @param {number} pid */
function peakKiB(pid) {
    try {
        const text = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
        return Number(text.match(/^VmHWM:\s*(\d+)/m)?.[1] ?? 0);
    } catch {
        return 0;
    }
}

/** What the processes that exist now have used until now. */
export function usage() {
    const now = processes();
    /** @param {number[]} fields */
    const ticks = (...fields) => now.reduce((sum, one) =>
        fields.reduce((more, field) => more + one.field(field), sum), 0);
    return {
        user_ms: ticks(USER, DEAD_USER) * TICK_MS,
        system_ms: ticks(SYSTEM, DEAD_SYSTEM) * TICK_MS,
        peak_rss_mib: Math.round(
            now.reduce((sum, one) => sum + peakKiB(one.pid), 0) / 102.4) / 10,
        processes: now.length,
    };
}

/** Kill all of these processes, and wait until they are gone. */
export async function endAll() {
    for (let left = processes(); left.length; left = processes()) {
        for (const one of left) {
            try {
                process.kill(one.pid, 'SIGKILL');
            } catch {
                /* the process ended by itself */
            }
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
}
