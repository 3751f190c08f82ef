/*
 * The parts of Node's runner, and the settings that their options make. Types only:
 * nothing of this file runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import type { Qemu } from '../js/qemu.d.ts';

/** Two texts of an option NAME=VALUE. */
export type Pair = [name: string, value: string];

/** What the command line says. */
export interface Settings {
    /** QEMU's JavaScript; the command line is refused without it. */
    program?: string;
    /** QEMU's own arguments. */
    qemu: string[];
    /** Files that QEMU is given: the host's path, QEMU's path. */
    files: Pair[];
    /** Files that QEMU leaves: the host's path, QEMU's path. */
    fetch: Pair[];
    env: Pair[];
    /** Where the host gets QEMU's statistics. */
    stats?: string;
    /** Where the host gets QEMU's timeline. */
    timeline?: string;
    /** The Unix socket of QEMU's control channel. */
    control?: string;
    /** Paths that QEMU may open on the host, and whether it may write them. */
    live?: Record<string, boolean>;
}

/** What an option does; its value is missing at the end of a command line. */
export type Option<S> = (settings: S, value: string) => void;

/** One need of QEMU's, and how the host meets it; run.mjs says when it is called. */
export interface Part<S = Settings> {
    options: Record<string, Option<S>>;
    before?(settings: S): void;
    prepare?(module: Qemu, settings: S): void;
    started?(module: Qemu, settings: S): void;
    ended?(module: Qemu, settings: S): void;
    exited?(module: Qemu, settings: S): void;
}
