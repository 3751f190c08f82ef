/*
 * What tests and measurements find in the page, or put there. Types only: nothing of
 * this file runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import type { Page } from './app/main.mjs';
import type { Run } from './app/run.mjs';

/** What person.mjs has seen in the page. */
interface Seen {
    violations: string[];
    errors: string[];
    /** Tasks of more than 50 ms. */
    long: { at: number; ms: number }[];
}

/** What measure.mjs has measured in the page. */
export interface Measured {
    failure?: string;
    load_ms?: number;
    prompt_ms?: number;
    tier?: string;
    longest_task_ms?: number | null;
    echo_ms?: number[];
}

declare global {
    /** The page, with a terminal and a run once they are there. */
    var tierlab: Page & { terminal: NonNullable<Page['terminal']>;
                          run: NonNullable<Page['run']> };
    var seen: Seen;
    var measured: Measured;
    /** A Blob that a test wants. */
    var given: Promise<Blob>;
    /** The number of the disk that a test wants. */
    var wanted: number;
    /** Runs that the page expected. */
    var runs: Run[];
}
