/*
 * A PC: serial port, interval timer and its interrupt controller, exceptions,
 * and QEMU's isa-debug-exit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum {
    SERIAL = 0x3f8,
    DEBUG_EXIT = 0xf4,
    PIC1 = 0x20,
    PIC2 = 0xa0,
    PIT = 0x40
};
enum { VECTOR_ILLEGAL = 6, VECTOR_PAGE_FAULT = 14, VECTOR_TIMER = 32 };
enum { VECTOR_CALL = 40, VECTORS = 48, ENTRY_SIZE = 16 };
/* Cycles of a clock of 1193182 Hz. */
enum { TICK = 2386 };

typedef struct {
    uint16_t offset0, selector, type, offset1;
    uint32_t offset2, zero;
} Gate;

extern const char machine_entries[];

static Gate gates[VECTORS];

volatile MachineTrap machine_trap;
volatile unsigned machine_ticks;
/* The address at which to go on after an exception. */
static volatile uint64_t resume;

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

void machine_init(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        const void *base;
    } pointer = { sizeof(gates) - 1, gates };

    for (unsigned i = 0; i < VECTORS; i++) {
        uint64_t entry = (uint64_t)(machine_entries + i * ENTRY_SIZE);

        gates[i] = (Gate){ .offset0 = (uint16_t)entry,
                           .selector = 8,
                           .type = 0x8e00, /* present, interrupt gate */
                           .offset1 = (uint16_t)(entry >> 16) };
    }
    __asm__ volatile("lidt %0" ::"m"(pointer));
    /* Interrupts begin at vector 32; all but the timer's are masked. */
    out8(PIC1, 0x11), out8(PIC1 + 1, VECTOR_TIMER);
    out8(PIC1 + 1, 4), out8(PIC1 + 1, 1);
    out8(PIC2, 0x11), out8(PIC2 + 1, VECTOR_TIMER + 8);
    out8(PIC2 + 1, 2), out8(PIC2 + 1, 1);
    out8(PIC1 + 1, 0xfe), out8(PIC2 + 1, 0xff);
}

void machine_putc(char c)
{
    out8(SERIAL, (uint8_t)c);
}

_Noreturn void machine_exit(unsigned status)
{
    __asm__ volatile("outl %0, %1" ::"a"(status), "Nd"((uint16_t)DEBUG_EXIT));
    for (;;) {
        __asm__ volatile("hlt");
    }
}

/* Returns the address at which to go on. */
uint64_t machine_on_trap(uint64_t vector, uint64_t error, uint64_t pc);

uint64_t machine_on_trap(uint64_t vector, uint64_t error, uint64_t pc)
{
    uint64_t address;

    if (vector == VECTOR_TIMER) {
        machine_ticks++;
        out8(PIC1, 0x20);
        return pc;
    }
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    machine_trap.count++;
    machine_trap.cause = vector << 32 | error;
    machine_trap.address = address;
    return resume;
}

static bool trapped(uint64_t before, uint64_t vector)
{
    return machine_trap.count == before + 1 && machine_trap.cause == vector
                                                                         << 32;
}

/* Runs one instruction and goes on behind it if it traps. */
#define TRY(insn, ...) \
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\tmovq %%rcx, %[resume]\n\t" insn \
                     "\n1:" \
                     : [resume] "=m"(resume)__VA_ARGS__ \
                     : "rcx", "memory")

bool machine_illegal(void)
{
    uint64_t before = machine_trap.count;

    TRY("ud2", :);
    return trapped(before, VECTOR_ILLEGAL);
}

bool machine_call(void)
{
    uint64_t before = machine_trap.count;

    TRY("int $40", :);
    return trapped(before, VECTOR_CALL);
}

uint64_t machine_nowhere(void)
{
    return 0x80000000;
}

bool machine_fault(uint64_t address)
{
    uint64_t before = machine_trap.count, value = 42;

    TRY("movq (%[address]), %[value]",
        , [value] "+r"(value) : [address] "r"(address));
    return trapped(before, VECTOR_PAGE_FAULT) && value == 42;
}

void machine_timer_start(void)
{
    out8(PIT + 3, 0x34); /* channel 0, rate generator */
    out8(PIT, TICK & 0xff), out8(PIT, TICK >> 8);
    __asm__ volatile("sti");
}

void machine_timer_stop(void)
{
    __asm__ volatile("cli");
}

size_t machine_write_function(void *where, uint16_t value)
{
    uint8_t *code = where;

    code[0] = 0xb8; /* mov $value, %eax */
    code[1] = (uint8_t)value;
    code[2] = (uint8_t)(value >> 8);
    code[3] = code[4] = 0;
    code[5] = 0xc3; /* ret */
    return 6;
}

void machine_sync_code(void *start, size_t size)
{
    /* x86 keeps instruction fetch up to date by itself. */
    __asm__ volatile("" ::"r"(start), "r"(size) : "memory");
}
