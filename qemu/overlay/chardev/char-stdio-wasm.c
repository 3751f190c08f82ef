/*
 * The "stdio" character device for Wasm: two rings in linear memory between
 * QEMU and whoever is at the other end (the main JavaScript thread).
 *
 * emscripten would carry every character from the thread that writes it to the
 * main thread and wait: a guest that prints one character at a time then spends
 * a tenth of its boot waiting. Here a character is one store; the reader is
 * notified only when it sleeps.
 *
 * There are two such devices. The one with the id "control" is the control
 * channel, meant for QMP: -chardev stdio,id=control -mon control,mode=control.
 * Any other one is the console.
 *
 * Layout for the other side: TwRings, whose addresses tw_console() and
 * tw_control() return. Indices count bytes since the start and wrap at 2^32.
 * The producer owns head, the consumer tail. The consumer of the output sets
 * out_sleeping before it waits on out_head.
 *
 * The console is always open. The control channel is open while a client is
 * attached, so that each client gets a session of its own: the other side sets
 * attached and calls tw_control_input(), then QEMU sets opened and notifies it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <emscripten.h>
#include "chardev/char.h"
#include "chardev/char-fe.h"
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

typedef struct TwRings {
    uint32_t out_head, out_tail, out_sleeping, out_size;
    uint32_t in_head, in_tail, in_size, attached;
    uint32_t opened, pad_[7];
    uint8_t out[OUT_SIZE];
    uint8_t in[IN_SIZE];
} TwRings;

QEMU_BUILD_BUG_ON(offsetof(TwRings, out) != 64);

typedef struct TwEnd {
    TwRings rings;
    EventNotifier input;
    bool input_ready;
    Chardev *chr;
} TwEnd;

#define NO_BYTES { .out_size = OUT_SIZE, .in_size = IN_SIZE }

static TwEnd console = { .rings = NO_BYTES };
static TwEnd control = { .rings = NO_BYTES };

typedef struct {
    Chardev parent;
    TwEnd *end;
} WasmStdioChardev;

DECLARE_INSTANCE_CHECKER(WasmStdioChardev, WASM_STDIO_CHARDEV,
                         TYPE_CHARDEV_STDIO)

static void tell(TwEnd *end)
{
    if (qatomic_load_acquire(&end->input_ready)) {
        event_notifier_set(&end->input);
    }
}

/* Exported: JavaScript calls these. */
TwRings *tw_console(void);
TwRings *tw_control(void);
void tw_console_input(void);
void tw_control_input(void);

/* For the host: where the rings are. */
EMSCRIPTEN_KEEPALIVE TwRings *tw_console(void)
{
    return &console.rings;
}

EMSCRIPTEN_KEEPALIVE TwRings *tw_control(void)
{
    return &control.rings;
}

/* For the host: input was put into the ring. Callable from any thread. */
EMSCRIPTEN_KEEPALIVE void tw_console_input(void)
{
    tell(&console);
}

EMSCRIPTEN_KEEPALIVE void tw_control_input(void)
{
    tell(&control);
}

static void put(TwRings *rings, uint8_t byte)
{
    uint32_t head = rings->out_head;

    while (head - qatomic_load_acquire(&rings->out_tail) == OUT_SIZE) {
        uint32_t tail = head - OUT_SIZE;
        __builtin_wasm_memory_atomic_wait32((int *)&rings->out_tail, (int)tail,
                                            -1);
    }
    rings->out[head % OUT_SIZE] = byte;
    qatomic_store_release(&rings->out_head, head + 1);
}

static int wasm_stdio_write(Chardev *chr, const uint8_t *buf, int len)
{
    TwEnd *end = WASM_STDIO_CHARDEV(chr)->end;

    if (end == &console) {
        tw_guest_output();
    }
    for (int i = 0; i < len; i++) {
        put(&end->rings, buf[i]);
    }
    if (qatomic_load_acquire(&end->rings.out_sleeping)) {
        __builtin_wasm_memory_atomic_notify((int *)&end->rings.out_head, 1);
    }
    return len;
}

/* A write waits until there is room: a watch for that is ready at once. */
static gboolean writable_prepare(GSource *source, gint *timeout)
{
    *timeout = 0;
    return TRUE;
}

static gboolean writable_check(GSource *source)
{
    return TRUE;
}

static gboolean writable_dispatch(GSource *source, GSourceFunc callback,
                                  gpointer opaque)
{
    FEWatchFunc func = (FEWatchFunc)(void (*)(void))callback;

    return func(NULL, G_IO_OUT, opaque);
}

/* Without a watch, UARTs that send from a FIFO lose what a write left there. */
static GSource *wasm_stdio_add_watch(Chardev *chr, GIOCondition cond)
{
    static GSourceFuncs writable = {
        .prepare = writable_prepare,
        .check = writable_check,
        .dispatch = writable_dispatch,
    };

    return g_source_new(&writable, sizeof(GSource));
}

static bool has_input(const TwRings *rings)
{
    return rings->in_tail != qatomic_load_acquire(&rings->in_head);
}

/* Give QEMU's reader what is in the ring, as far as the reader has room. */
static void take_input(TwEnd *end)
{
    TwRings *rings = &end->rings;

    while (end->chr && has_input(rings)) {
        uint8_t buf[256];
        uint32_t n = 0;
        uint32_t tail = rings->in_tail;
        int room = qemu_chr_be_can_write(end->chr);

        if (room == 0) {
            return; /* accept_input says when to go on */
        }
        while (n < MIN(sizeof(buf), room) && tail + n != rings->in_head) {
            buf[n] = rings->in[(tail + n) % IN_SIZE];
            n++;
        }
        qatomic_store_release(&rings->in_tail, tail + n);
        qemu_chr_be_write(end->chr, buf, n);
    }
}

static void console_input(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    take_input(&console);
}

/* A client attached, detached or sent something. */
static void control_input(EventNotifier *e)
{
    TwRings *rings = &control.rings;
    uint32_t attached = qatomic_load_acquire(&rings->attached);

    event_notifier_test_and_clear(e);
    if (control.chr && attached != rings->opened) {
        if (!attached) {
            /* Drop unread input: the client that sent it is gone. */
            qatomic_store_release(&rings->in_tail, rings->in_head);
        }
        qemu_chr_be_event(control.chr,
                          attached ? CHR_EVENT_OPENED : CHR_EVENT_CLOSED);
        qatomic_store_release(&rings->opened, attached);
        __builtin_wasm_memory_atomic_notify((int *)&rings->opened, UINT32_MAX);
    }
    if (rings->opened) {
        take_input(&control);
    }
}

static void wasm_stdio_accept_input(Chardev *chr)
{
    TwEnd *end = WASM_STDIO_CHARDEV(chr)->end;

    if (has_input(&end->rings)) {
        event_notifier_set(&end->input);
    }
}

static void wasm_stdio_open(Chardev *chr, ChardevBackend *backend,
                            bool *be_opened, Error **errp)
{
    bool is_control = g_strcmp0(chr->label, "control") == 0;
    TwEnd *end = is_control ? &control : &console;

    if (end->chr) {
        error_setg(errp, "cannot use stdio by multiple character devices");
        return;
    }
    if (event_notifier_init(&end->input, false) < 0) {
        error_setg(errp, "no event notifier for console input");
        return;
    }
    end->chr = chr;
    WASM_STDIO_CHARDEV(chr)->end = end;
    event_notifier_set_handler(&end->input,
                               is_control ? control_input : console_input);
    qatomic_store_release(&end->input_ready, true);
    event_notifier_set(&end->input);
    *be_opened = !is_control;
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
    TwEnd *end = WASM_STDIO_CHARDEV(obj)->end;

    if (end) {
        end->chr = NULL;
    }
}

static void wasm_stdio_class_init(ObjectClass *oc, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(oc);

    cc->parse = wasm_stdio_parse;
    cc->open = wasm_stdio_open;
    cc->chr_write = wasm_stdio_write;
    cc->chr_add_watch = wasm_stdio_add_watch;
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
