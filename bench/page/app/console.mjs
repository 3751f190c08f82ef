/*
 * Reads the guest's console for what its lines say: phases, rounds, failures. As
 * bench/harness/process/console.py does, which has the patterns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* A line this long is no marker. */
const LINE_MAX = 64 * 1024;

const ESCAPES =
    /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/g;
const OWN = /@tierlab [a-z-]+ guest=(?<guest>\d+(?:\.\d+)?)(?: status=(?<status>\d+))?/;
const ROUND = /^@tierlab round guest=(?<guest>\d+\.\d+) n=(?<n>\d+)$/;
const PRINTK = /^\[ *(?<guest>\d+\.\d+)\]/;

const anyOf = (patterns) =>
    patterns.length ? new RegExp(patterns.map((p) => `(?:${p})`).join('|')) : null;

export class ConsoleReader {
    constructor(guest) {
        this.markers = guest.markers.map(({ phase, match }) =>
            ({ phase, match: new RegExp(match) }));
        this.panics = anyOf(guest.panics);
        this.oopses = anyOf(guest.oopses);
        this.passed = guest.passed && new RegExp(guest.passed);
        this.failed = guest.failed && new RegExp(guest.failed);
        this.decoder = new TextDecoder();
        this.rest = '';
        this.phases = [];
        this.rounds = [];
        this.panic = null;
        this.oops = null;
        /* { good, line } when a line ended the run. */
        this.verdict = null;
    }

    /* The next bytes; returns the phases that they reached. */
    feed(data, atMs) {
        const before = this.phases.length;
        this.rest += this.decoder.decode(data, { stream: true });
        const lines = this.rest.split(/[\r\n]/);
        this.rest = lines.pop();
        if (this.rest.length > LINE_MAX) {
            lines.push(this.rest);
            this.rest = '';
        }
        for (const line of lines) {
            this.line(line, atMs);
        }
        return this.phases.slice(before);
    }

    close(atMs) {
        this.line(this.rest, atMs);
        this.rest = '';
    }

    reached(phase) {
        return this.phases.find((p) => p.phase === phase);
    }

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
        const round = ROUND.exec(line);
        if (round) {
            this.rounds.push({ n: Number(round.groups.n), host_ms: atMs,
                               guest_s: Number(round.groups.guest) });
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

function phaseOf(phase, line, host_ms) {
    const own = OWN.exec(line)?.groups;
    const guest = own?.guest ?? PRINTK.exec(line)?.groups.guest;
    return {
        phase, host_ms,
        guest_s: guest === undefined ? null : Number(guest),
        status: own?.status === undefined ? null : Number(own.status),
    };
}
