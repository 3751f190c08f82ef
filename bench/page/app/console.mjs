/*
 * Reads phases, rounds, figures and failures in the lines of the guest's console, as
 * the harness's ConsoleParser does; the site's description has the harness's patterns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { Guest, Phase } from './site.d.ts' */

/**
 * The guest's patterns.
 *
 * @typedef {Pick<Guest, 'markers' | 'panics' | 'oopses' | 'passed' | 'failed'>} Patterns
 */
/** @typedef {{ n: number, host_ms: number, guest_s: number, of: string | null }} Round */

/** @typedef {{ name: string, value: number, unit: string, better: string,
 *              host_ms: number, guest_s: number }} Figure */

/* A line longer than this cannot be a marker. */
const LINE_MAX = 64 * 1024;

const ESCAPES =
    /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/g;
const OWN = /@tierlab [a-z-]+ guest=(?<guest>\d+(?:\.\d+)?)(?: status=(?<status>\d+))?/;
const ROUND = new RegExp(
    /^@tierlab round guest=(?<guest>\d+\.\d+) n=(?<n>\d+)/.source +
    /(?: of=(?<of>[A-Za-z0-9][A-Za-z0-9._+-]{0,63}))?$/.source);
const FIGURE = new RegExp(
    /^@tierlab figure guest=(?<guest>\d+\.\d+) /.source +
    /name=(?<name>[A-Za-z0-9][A-Za-z0-9._+-]{0,63}) /.source +
    /value=(?<value>\d{1,18}(?:\.\d{1,18})?) /.source +
    /unit=(?<unit>[!-~]{1,32})(?: better=(?<better>more|less))?$/.source);
const PRINTK = /^\[ *(?<guest>\d+\.\d+)\]/;

/** @param {string[]} patterns */
const anyOf = (patterns) =>
    patterns.length ? new RegExp(patterns.map((p) => `(?:${p})`).join('|')) : null;

export class ConsoleReader {
    /** @param {Patterns} guest */
    constructor(guest) {
        this.markers = guest.markers.map(({ phase, match }) =>
            ({ phase, match: new RegExp(match) }));
        this.panics = anyOf(guest.panics);
        this.oopses = anyOf(guest.oopses);
        this.passed = guest.passed ? new RegExp(guest.passed) : null;
        this.failed = guest.failed ? new RegExp(guest.failed) : null;
        this.decoder = new TextDecoder();
        this.rest = '';
        /** @type {Phase[]} */
        this.phases = [];
        /** @type {Round[]} */
        this.rounds = [];
        /** @type {Figure[]} */
        this.figures = [];
        /** @type {string | null} */
        this.panic = null;
        /** @type {string | null} */
        this.oops = null;
        /**
         * The line that ended the run, and whether the run passed.
         *
         * @type {{ good: boolean, line: string } | null}
         */
        this.verdict = null;
    }

    /**
     * Read the next bytes; returns the phases that they reached.
     *
     * @param {Uint8Array} data
     * @param {number} atMs
     */
    feed(data, atMs) {
        const before = this.phases.length;
        this.rest += this.decoder.decode(data, { stream: true });
        const lines = this.rest.split(/[\r\n]/);
        this.rest = lines.pop() ?? '';
        if (this.rest.length > LINE_MAX) {
            lines.push(this.rest);
            this.rest = '';
        }
        for (const line of lines) {
            this.line(line, atMs);
        }
        return this.phases.slice(before);
    }

    /**
     * The console has ended: read its last line.
     *
     * @param {number} atMs
     */
    close(atMs) {
        this.line(this.rest, atMs);
        this.rest = '';
    }

    /** @param {string} phase */
    reached(phase) {
        return this.phases.find((p) => p.phase === phase);
    }

    /**
     * @param {string} raw
     * @param {number} atMs
     */
    line(raw, atMs) {
        const line = raw.replace(ESCAPES, '').replace(CONTROLS, '');
        if (!line.trim() || this.verdict) {
            return;
        }
        if (this.panics?.test(line)) {
            this.panic ??= line.trim();
        }
        if (this.oopses?.test(line)) {
            this.oops ??= line.trim();
        }
        const round = ROUND.exec(line)?.groups;
        if (round) {
            this.rounds.push({ n: Number(round.n), host_ms: atMs,
                               guest_s: Number(round.guest),
                               of: round.of ?? null });
        }
        const figure = FIGURE.exec(line)?.groups;
        if (figure) {
            this.figures.push({ name: figure.name, value: Number(figure.value),
                                unit: figure.unit, better: figure.better ?? 'more',
                                host_ms: atMs, guest_s: Number(figure.guest) });
        }
        for (const { phase, match } of this.markers) {
            if (!this.reached(phase) && match.test(line)) {
                this.phases.push(phaseOf(phase, line, atMs));
            }
        }
        if (this.failed?.test(line)) {
            this.verdict = { good: false, line: line.trim() };
        } else if (this.passed?.test(line)) {
            this.verdict = { good: true, line: line.trim() };
        }
    }
}

/**
 * @param {string} phase
 * @param {string} line
 * @param {number} host_ms
 * @returns {Phase}
 */
function phaseOf(phase, line, host_ms) {
    /** @type {Partial<Record<string, string>> | undefined} */
    const own = OWN.exec(line)?.groups;
    const guest = own?.guest ?? PRINTK.exec(line)?.groups?.guest;
    return {
        phase, host_ms,
        guest_s: guest === undefined ? null : Number(guest),
        status: own?.status === undefined ? null : Number(own.status),
    };
}
