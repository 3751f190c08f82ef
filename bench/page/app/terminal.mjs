/*
 * The guest's console on the screen: xterm.js behind xterm-pty. The pty passes bytes as
 * they are, because the guest has a line discipline of its own.
 *
 * A guest can write text and a terminal's sequences, no more: it cannot reach the
 * clipboard, the title or the address, and cannot open a link.
 *
 * A serial line does not carry the terminal's size. A guest asks for it by the private
 * mode 2048 (CSI ? 2048 h). The page then sends, at once and after each change, what
 * terminals send in that mode: CSI 48 ; ROWS ; COLUMNS ; HEIGHT ; WIDTH t.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { documentForLibrary, withStyles } from './styles.mjs';

const TELL_SIZE = 2048;
/* The size of a piece for the pty, and how many bytes the pty may hold. */
const PIECE = 2048;
const AHEAD = 32 * 1024;
/*
 * How often the output of a guest that writes without end is drawn, because drawing
 * takes the processor from the guest; and for how long after the user's input output is
 * drawn at once, because it may be an answer.
 */
const PACE_MS = 250;
const ANSWER_MS = 1000;
const SCROLLBACK = 5000;

const FONT_FAMILY = 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, ' +
    'Consolas, "DejaVu Sans Mono", monospace';
const fontSize = () => (innerWidth < 640 ? 12 : 14);

/** @typedef {import('@xterm/xterm').IBufferLine} BufferLine */
/**
 * @typedef {object} Libraries
 * @property {typeof import('@xterm/xterm')} xterm
 * @property {typeof import('@xterm/addon-fit')} addon-fit
 * @property {typeof import('xterm-pty')} xterm-pty
 */

const RAW = { iflag: 0, oflag: 0, cflag: 0, lflag: 0 };

/** @type {Record<string, string>} */
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

/**
 * Have the browser find the terminal's fonts, one with each step. A busy browser takes
 * tens of milliseconds for a font that is measured for the first time, and xterm.js
 * would measure all of these in one task.
 */
export function* findFonts() {
    const context = new OffscreenCanvas(1, 1).getContext('2d');
    if (!context) {
        return;
    }
    for (const face of ['', 'bold', 'italic', 'bold italic']) {
        context.font = `${face} ${fontSize()}px ${FONT_FAMILY}`;
        yield context.measureText('W').width;
    }
}

export class GuestTerminal {
    /**
     * A terminal, which open() shows.
     *
     * @param {Libraries} modules
     * @param {HTMLElement} place
     * @param {{ onInput: (data: Uint8Array<ArrayBuffer>) => void, dark: boolean }} how
     */
    constructor(modules, place, { onInput, dark }) {
        const { xterm, 'addon-fit': fit, 'xterm-pty': pty } = modules;
        this.onInput = onInput;
        this.place = place;
        /**
         * Called when the user leaves the terminal by its key.
         *
         * @type {(() => void) | null}
         */
        this.onLeave = null;
        /**
         * Output that is not shown yet.
         *
         * @type {Uint8Array[]}
         */
        this.waiting = [];
        /* How many bytes the pty holds. */
        this.ahead = 0;
        this.typedAt = this.shownAt = -Infinity;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.pacing = undefined;
        /** @type {number | null} */
        this.fitting = null;
        /* Whether the guest has asked for the terminal's size. */
        this.tellsSize = false;
        this.xterm = new xterm.Terminal({
            documentOverride: documentForLibrary(),
            /* A blinking cursor is drawn sixty times a second while the guest works. */
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

    /** Have as many rows and columns as there is room for, from now on. */
    fill() {
        new ResizeObserver(() => this.fitSoon()).observe(this.place);
        this.fit.fit();
    }

    /** Ignore the sequences that reach beyond the terminal. */
    guard() {
        const { parser } = this.xterm;
        const swallow = () => true;
        for (const osc of [0, 1, 2, 7, 8, 9, 52, 777, 1337]) {
            parser.registerOscHandler(osc, swallow);
        }
        /** @param {boolean} on */
        const mode = (on) => (/** @type {(number | number[])[]} */ params) => {
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

    /** Fit the terminal once a frame: a window that is dragged changes more often. */
    fitSoon() {
        this.fitting ??= requestAnimationFrame(() => {
            this.fitting = null;
            if (this.place.clientWidth > 0) {
                this.fit.fit();
            }
        });
    }

    /**
     * Show data at once.
     *
     * @param {Uint8Array} data
     */
    write(data) {
        this.queue(data);
        this.show();
    }

    /** @param {Uint8Array} data */
    queue(data) {
        for (let at = 0; at < data.length; at += PIECE) {
            this.waiting.push(data.subarray(at, at + PIECE));
        }
    }

    /**
     * Show a running guest's output, at its pace.
     *
     * @param {Uint8Array} data
     */
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
        this.pacing = undefined;
        this.shownAt = performance.now();
        this.pump();
    }

    pump() {
        while (this.waiting.length && this.ahead < AHEAD) {
            const [piece] = this.waiting.splice(0, 1);
            this.ahead += piece.length;
            this.slave.write(Array.from(piece));
        }
    }

    /**
     * Show a text of the page's, which looks different from the guest's.
     *
     * @param {string} text
     */
    say(text) {
        this.write(new TextEncoder().encode(`\r\n\x1b[2m${text}\x1b[0m\r\n`));
    }

    clear() {
        this.tellsSize = false;
        this.write(new TextEncoder().encode('\x1bc'));
    }

    /**
     * Whether the terminal takes a key; otherwise the page or the browser does.
     *
     * @param {KeyboardEvent} event
     */
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
                void this.copy();
            }
            return false;
        }
        /* The browser itself pastes then. */
        return letter !== 'v';
    }

    /** Copy the selection, or everything. */
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
        /** @type {string[]} */
        const lines = [];
        for (let i = 0; i < active.length; i++) {
            const line = /** @type {BufferLine} */ (active.getLine(i));
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

    /** @param {string} name one of KEYS */
    press(name) {
        this.xterm.input(KEYS[name]);
        this.xterm.focus();
    }

    focus() {
        this.xterm.focus();
    }

    /** @param {boolean} dark */
    set dark(dark) {
        this.xterm.options.theme = dark ? DARK : LIGHT;
    }

    /** @param {boolean} on */
    set reader(on) {
        this.xterm.options.screenReaderMode = on;
    }
}
