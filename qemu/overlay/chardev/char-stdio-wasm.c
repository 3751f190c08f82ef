/*
 * The "stdio" character device for Wasm: two rings in linear memory between
 * QEMU and whoever holds the terminal (the main JavaScript thread).
 *
 * emscripten would carry every character from the thread that writes it to the
 * main thread and wait: a guest that prints one character at a time then spends
 * a tenth of its boot waiting. Here a character is one store; the reader is
 * notified only when it sleeps.
 *
 * Layout for the other side: TwConsole, whose address tw_console() returns.
 * Indices count bytes since the start and wrap at 2^32; the producer owns head,
 * the consumer tail. The consumer of the output sets out_sleeping before it
 * waits on out_head.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <emscripten.h>
#include "chardev/char.h"
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/option.h"
#include "qemu/units.h"
#include "qom/object.h"
#include "tcg/wasm/runtime.h"

enum { OUT_SIZE = 64 * KiB, IN_SIZE = 4 * KiB };

typedef struct TwConsole {
    uint32_t out_head, out_tail, out_sleeping, out_size;
    uint32_t in_head, in_tail, in_size, pad_;
    uint8_t out[OUT_SIZE];
    uint8_t in[IN_SIZE];
} TwConsole;

static TwConsole console = { .out_size = OUT_SIZE, .in_size = IN_SIZE };
static EventNotifier input;
static bool input_ready;

typedef struct {
    Chardev parent;
} WasmStdioChardev;

DECLARE_INSTANCE_CHECKER(WasmStdioChardev, WASM_STDIO_CHARDEV,
                         TYPE_CHARDEV_STDIO)

/* For the host: where the rings are. */
EMSCRIPTEN_KEEPALIVE TwConsole *tw_console(void)
{
    return &console;
}

/* For the host: input was put into the ring. Callable from any thread. */
EMSCRIPTEN_KEEPALIVE void tw_console_input(void)
{
    if (qatomic_load_acquire(&input_ready)) {
        event_notifier_set(&input);
    }
}

static int wasm_stdio_write(Chardev *chr, const uint8_t *buf, int len)
{
    tw_guest_output();
    for (int i = 0; i < len; i++) {
        uint32_t head = console.out_head;

        while (head - qatomic_load_acquire(&console.out_tail) == OUT_SIZE) {
            uint32_t tail = head - OUT_SIZE;
            __builtin_wasm_memory_atomic_wait32((int *)&console.out_tail,
                                                (int)tail, -1);
        }
        console.out[head % OUT_SIZE] = buf[i];
        qatomic_store_release(&console.out_head, head + 1);
    }
    if (qatomic_load_acquire(&console.out_sleeping)) {
        __builtin_wasm_memory_atomic_notify((int *)&console.out_head, 1);
    }
    return len;
}

static Chardev *reader;

static void wasm_stdio_input(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    while (reader &&
           console.in_tail != qatomic_load_acquire(&console.in_head)) {
        uint8_t buf[256];
        uint32_t n = 0;
        uint32_t tail = console.in_tail;
        int room = qemu_chr_be_can_write(reader);

        if (room == 0) {
            return;         /* accept_input says when to go on */
        }
        while (n < MIN(sizeof(buf), room) && tail + n != console.in_head) {
            buf[n] = console.in[(tail + n) % IN_SIZE];
            n++;
        }
        qatomic_store_release(&console.in_tail, tail + n);
        qemu_chr_be_write(reader, buf, n);
    }
}

static void wasm_stdio_accept_input(Chardev *chr)
{
    if (console.in_tail != qatomic_load_acquire(&console.in_head)) {
        event_notifier_set(&input);
    }
}

static void wasm_stdio_open(Chardev *chr, ChardevBackend *backend,
                            bool *be_opened, Error **errp)
{
    if (reader) {
        error_setg(errp, "cannot use stdio by multiple character devices");
        return;
    }
    if (event_notifier_init(&input, false) < 0) {
        error_setg(errp, "no event notifier for console input");
        return;
    }
    reader = chr;
    event_notifier_set_handler(&input, wasm_stdio_input);
    qatomic_store_release(&input_ready, true);
    event_notifier_set(&input);
    *be_opened = true;
}

static void wasm_stdio_parse(QemuOpts *opts, ChardevBackend *backend,
                             Error **errp)
{
    ChardevStdio *stdio;

    backend->type = CHARDEV_BACKEND_KIND_STDIO;
    stdio = backend->u.stdio.data = g_new0(ChardevStdio, 1);
    qemu_chr_parse_common(opts, qapi_ChardevStdio_base(stdio));
    stdio->has_signal = true;
    stdio->signal = qemu_opt_get_bool(opts, "signal", true);
}

static void wasm_stdio_finalize(Object *obj)
{
    if (reader == CHARDEV(obj)) {
        reader = NULL;
    }
}

static void wasm_stdio_class_init(ObjectClass *oc, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(oc);

    cc->parse = wasm_stdio_parse;
    cc->open = wasm_stdio_open;
    cc->chr_write = wasm_stdio_write;
    cc->chr_accept_input = wasm_stdio_accept_input;
}

static const TypeInfo wasm_stdio_type_info = {
    .name = TYPE_CHARDEV_STDIO,
    .parent = TYPE_CHARDEV,
    .instance_size = sizeof(WasmStdioChardev),
    .instance_finalize = wasm_stdio_finalize,
    .class_init = wasm_stdio_class_init,
};

static void register_types(void)
{
    type_register_static(&wasm_stdio_type_info);
}

type_init(register_types);
