/*
 * The part of v86's interface that is used here (libv86.mjs has no types of its own).
 * Types only: nothing of this file runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/** What v86 imports into its WebAssembly module. */
export interface V86Imports {
    env: WebAssembly.ModuleImports;
}

export interface V86Image {
    buffer: ArrayBuffer;
}

export interface V86Options {
    wasm_fn(imports: V86Imports): Promise<WebAssembly.Exports>;
    memory_size: number;
    bios: V86Image;
    bzimage: V86Image;
    initrd: V86Image;
    cmdline: string;
    net_device: { type: 'none' };
    disable_keyboard: boolean;
    disable_mouse: boolean;
    disable_speaker: boolean;
    autostart: boolean;
}

export type PortWriter = (value: number) => void;

export interface V86Cpu {
    reboot_internal(): void;
    io: {
        register_write(port: number, device: object, write8: PortWriter,
                       write16: PortWriter, write32: PortWriter): void;
    };
}

/** Listeners by the name of their event. */
export interface V86Listeners {
    'serial0-output-byte': (byte: number) => void;
    'cpu-event-halt': () => void;
    'emulator-ready': () => void;
}

export interface Emulator {
    v86: { cpu: V86Cpu };
    add_listener<K extends keyof V86Listeners>(event: K,
                                               listener: V86Listeners[K]): void;
    serial_send_bytes(port: number, bytes: Uint8Array): void;
}

export interface V86Library {
    V86: new (options: V86Options) => Emulator;
}
