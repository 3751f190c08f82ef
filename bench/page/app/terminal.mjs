/*
 * The guest's console on the screen: xterm.js behind xterm-pty, which passes bytes
 * as they are, because the guest has a line discipline of its own.
 *
 * What a guest writes is text and the sequences of a terminal, no more: it cannot
 * reach the clipboard, the title or the address, nor open a link.
 *
 * The size. A serial line does not carry it. A guest that wants to be told says so
 * by the private mode 2048 (CSI ? 2048 h), and is then sent, at once and after each
 * change, what terminals send in that mode: CSI 48 ; ROWS ; COLUMNS ; HEIGHT ; WIDTH t.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { documentForLibrary, withStyles } from './styles.mjs';

const TELL_SIZE = 2048;
/* The pty takes pieces, and so many bytes before they are on the screen. */
const PIECE = 2048;
const AHEAD = 32 * 1024;
/*
 * A guest that talks without end is shown so often, or drawing takes the processor
 * from it; but what may be an answer to the user is shown at once.
 */
const PACE_MS = 250;
const ANSWER_MS = 1000;
const SCROLLBACK = 5000;

const FONT_FAMILY = 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, ' +
    'Consolas, "DejaVu Sans Mono", monospace';
const fontSize = () => (innerWidth < 640 ? 12 : 14);

const RAW = { iflag: 0, oflag: 0, cflag: 0, lflag: 0 };

export const KEYS = {
    'esc': '\x1b', 'tab': '\t', 'ctrl-c': '\x03', 'ctrl-d': '\x04',
    'up': '\x1b[A', 'down': '\x1b[B', 'right': '\x1b[C', 'left': '\x1b[D',
};

const LIGHT = {
    background: '#fbfcfd', foreground: '#1b2330', cursor: '#2549c7',
    cursorAccent: '#ffffff', selectionBackground: '#c9d6ff',
    black: '#1b2330', red: '#b3261e', green: '#146c43', yellow: '#7a5200',
    blue: '#2549c7', magenta: '#8a2c8f', cyan: '#0b6b75', white: '#5a6472',
    brightBlack: '#5a6472', brightRed: '#c4382f', brightGreen: '#1a7f50',
    brightYellow: '#8f6100', brightBlue: '#3a5fe0', brightMagenta: '#a03ea5',
    brightCyan: '#0e7f8a', brightWhite: '#2b3442',
};
const DARK = {
    background: '#0b0f15', foreground: '#d7dee8', cursor: '#7f9cff',
    cursorAccent: '#0b0f15', selectionBackground: '#2c4170',
    black: '#1b2330', red: '#ff7b72', green: '#56d08a', yellow: '#e6b450',
    blue: '#7f9cff', magenta: '#d78cf0', cyan: '#4fd1c5', white: '#c3ccd8',
    brightBlack: '#7d8896', brightRed: '#ffa198', brightGreen: '#7ee2a8',
    brightYellow: '#f2cc7d', brightBlue: '#a5b9ff', brightMagenta: '#e7b3f7',
    brightCyan: '#83e5dc', brightWhite: '#f2f5f9',
};

/*
 * The browser looks for a font when something is first measured in it, which takes a
 * busy one tens of milliseconds; xterm.js measures in all of these at once. Each step
 * is one of them.
 */
export function* findFonts() {
    const context = new OffscreenCanvas(1, 1).getContext('2d');
    for (const face of ['', 'bold', 'italic', 'bold italic']) {
        context.font = `${face} ${fontSize()}px ${FONT_FAMILY}`;
        yield context.measureText('W').width;
    }
}

export class GuestTerminal {
    /* @modules are xterm.js, its addon-fit and xterm-pty. It is to be opened then. */
    constructor(modules, place, { onInput, dark }) {
        const { xterm, 'addon-fit': fit, 'xterm-pty': pty } = modules;
        this.onInput = onInput;
        this.place = place;
        this.waiting = [];
        this.ahead = 0;
        this.typedAt = this.shownAt = -Infinity;
        this.pacing = null;
        this.tellsSize = false;
        this.xterm = new xterm.Terminal({
            documentOverride: documentForLibrary(),
            /* It would be drawn sixty times a second, beside a guest that works. */
            cursorBlink: false,
            fontFamily: FONT_FAMILY,
            fontSize: fontSize(),
            lineHeight: 1.15,
            minimumContrastRatio: 4.5,
            scrollback: SCROLLBACK,
            theme: dark ? DARK : LIGHT,
            linkHandler: { activate() {}, allowNonHttpProtocols: false },
        });
        this.fit = new fit.FitAddon();
        this.xterm.loadAddon(this.fit);
        const { master, slave } = pty.openpty();
        this.slave = slave;
        slave.ioctl('TCSETS', { ...RAW, cc: slave.ioctl('TCGETS').cc });
        slave.onReadable(() => {
            this.typedAt = performance.now();
            this.onInput(Uint8Array.from(slave.read()));
        });
        slave.onSignal((signal) => {
            if (signal === 'SIGWINCH') {
                this.tellSize();
            }
        });
        this.xterm.loadAddon(master);
        master.onWrite(([piece]) => {
            this.ahead -= piece.length;
            queueMicrotask(() => this.pump());
        });
        this.guard();
        this.xterm.attachCustomKeyEventHandler((event) => this.key(event));
    }

    open() {
        withStyles(() => this.xterm.open(this.place));
    }

    /* As many rows and columns as there is room for, from now on. */
    fill() {
        new ResizeObserver(() => this.fitSoon()).observe(this.place);
        this.fit.fit();
    }

    /* Sequences that are none of the guest's business. */
    guard() {
        const { parser } = this.xterm;
        const swallow = () => true;
        for (const osc of [0, 1, 2, 7, 8, 9, 52, 777, 1337]) {
            parser.registerOscHandler(osc, swallow);
        }
        const mode = (on) => (params) => {
            if (params.includes(TELL_SIZE)) {
                this.tellsSize = on;
                this.tellSize();
            }
            return false;
        };
        parser.registerCsiHandler({ prefix: '?', final: 'h' }, mode(true));
        parser.registerCsiHandler({ prefix: '?', final: 'l' }, mode(false));
    }

    tellSize() {
        if (!this.tellsSize) {
            return;
        }
        const [columns, rows] = this.slave.ioctl('TIOCGWINSZ');
        const { clientHeight, clientWidth } = this.place;
        this.onInput(new TextEncoder().encode(
            `\x1b[48;${rows};${columns};${clientHeight};${clientWidth}t`));
    }

    /* Once a frame; a drag is many changes. */
    fitSoon() {
        this.fitting ??= requestAnimationFrame(() => {
            this.fitting = null;
            if (this.place.clientWidth > 0) {
                this.fit.fit();
            }
        });
    }

    /* At once: what follows may depend on it, as the guest's word of its size does. */
    write(data) {
        this.queue(data);
        this.show();
    }

    queue(data) {
        for (let at = 0; at < data.length; at += PIECE) {
            this.waiting.push(data.subarray(at, at + PIECE));
        }
    }

    /* Of a running guest. */
    output(data) {
        this.queue(data);
        const now = performance.now();
        const wait = this.shownAt + PACE_MS - now;
        if (wait <= 0 || now - this.typedAt < ANSWER_MS) {
            this.show();
        } else {
            this.pacing ??= setTimeout(() => this.show(), wait);
        }
    }

    show() {
        clearTimeout(this.pacing);
        this.pacing = null;
        this.shownAt = performance.now();
        this.pump();
    }

    pump() {
        while (this.waiting.length && this.ahead < AHEAD) {
            const piece = this.waiting.shift();
            this.ahead += piece.length;
            this.slave.write(Array.from(piece));
        }
    }

    /* Ours, of another kind than the guest's. */
    say(text) {
        this.write(new TextEncoder().encode(`\r\n\x1b[2m${text}\x1b[0m\r\n`));
    }

    clear() {
        this.tellsSize = false;
        this.write(new TextEncoder().encode('\x1bc'));
    }

    /* False: the terminal leaves the key to us or to the browser. */
    key(event) {
        const { key, ctrlKey, metaKey, shiftKey, altKey, type } = event;
        const letter = key.toLowerCase();
        if (key === 'F6') {
            if (type === 'keydown') {
                event.preventDefault();
                this.onLeave?.();
            }
            return false;
        }
        if (!ctrlKey || altKey || metaKey) {
            return true;
        }
        if (letter === 'c' && (this.xterm.hasSelection() || shiftKey)) {
            if (type === 'keydown') {
                event.preventDefault();
                this.copy();
            }
            return false;
        }
        /* The browser's own paste comes then. */
        return !(letter === 'v');
    }

    /* The selection, or everything. */
    async copy() {
        if (this.xterm.hasSelection()) {
            await navigator.clipboard.writeText(this.xterm.getSelection());
            this.xterm.clearSelection();
        } else {
            await navigator.clipboard.writeText(this.text());
        }
    }

    text() {
        const { active } = this.xterm.buffer;
        const lines = [];
        for (let i = 0; i < active.length; i++) {
            const line = active.getLine(i);
            const text = line.translateToString(true);
            if (line.isWrapped && lines.length) {
                lines[lines.length - 1] += text;
            } else {
                lines.push(text);
            }
        }
        return lines.join('\n').trimEnd();
    }

    async paste() {
        this.xterm.paste(await navigator.clipboard.readText());
        this.xterm.focus();
    }

    press(name) {
        this.xterm.input(KEYS[name]);
        this.xterm.focus();
    }

    focus() {
        this.xterm.focus();
    }

    set dark(dark) {
        this.xterm.options.theme = dark ? DARK : LIGHT;
    }

    set reader(on) {
        this.xterm.options.screenReaderMode = on;
    }
}
