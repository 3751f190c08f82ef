/*
 * QEMU's riscv64 machine "virt": UART, test device, timer, traps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"
#include "mode.h"

/* hw/riscv/virt.c of QEMU, virt_memmap. */
enum { UART = 0x10000000, TEST = 0x100000, CLINT = 0x2000000 };
enum { TEST_FAIL = 0x3333, TEST_PASS = 0x5555 };
enum { CLINT_TIMECMP = 0x4000, CLINT_TIME = 0xbff8 };
enum { CAUSE_ILLEGAL = 2, CAUSE_LOAD_FAULT = 5 };
/* Cycles of a clock of 10 MHz. */
enum { TICK = 20000 };

#define TEXT(name) TEXT_(name)
#define TEXT_(name) #name
#define NAME(name) TEXT(CSR(name))

volatile MachineTrap machine_trap;
volatile unsigned machine_ticks;

static void write32(uintptr_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

void machine_init(void)
{
}

void machine_putc(char c)
{
    *(volatile uint8_t *)UART = (uint8_t)c;
}

_Noreturn void machine_exit(unsigned status)
{
    write32(TEST, status ? status << 16 | TEST_FAIL : TEST_PASS);
    for (;;) {
        __asm__ volatile("wfi");
    }
}

static void set_timer(bool on)
{
#ifdef METAL_S_MODE
    uint64_t now;

    __asm__ volatile("rdtime %0" : "=r"(now));
    /* SBI's extension TIME, function 0. */
    register uint64_t when __asm__("a0") = on ? now + TICK : ~0ull;
    register uint64_t function __asm__("a6") = 0;
    register uint64_t extension __asm__("a7") = 0x54494d45;
    __asm__ volatile("ecall"
                     : "+r"(when)
                     : "r"(function), "r"(extension)
                     : "a1", "memory");
#else
    uint64_t now = *(volatile uint64_t *)(CLINT + CLINT_TIME);

    *(volatile uint64_t *)(CLINT + CLINT_TIMECMP) = on ? now + TICK : ~0ull;
#endif
}

/* Returns the address at which to go on. */
uint64_t machine_on_trap(uint64_t cause, uint64_t value, uint64_t pc);

uint64_t machine_on_trap(uint64_t cause, uint64_t value, uint64_t pc)
{
    if (cause == (1ull << 63 | IRQ_TIMER)) {
        machine_ticks++;
        set_timer(true);
        return pc;
    }
    machine_trap.count++;
    machine_trap.cause = cause;
    machine_trap.address = value;
    /* Go on behind the instruction: compressed ones do not end in 11. */
    return pc + ((*(uint16_t *)pc & 3) == 3 ? 4 : 2);
}

static bool trapped(uint64_t before, uint64_t cause)
{
    return machine_trap.count == before + 1 && machine_trap.cause == cause;
}

bool machine_illegal(void)
{
    uint64_t before = machine_trap.count;

    /* Write to `cycle`, which is a read-only register. */
    __asm__ volatile("csrw 0xc00, zero" ::: "memory");
    return trapped(before, CAUSE_ILLEGAL);
}

bool machine_call(void)
{
    uint64_t before = machine_trap.count;

#ifdef METAL_S_MODE
    /* An environment call would go to the firmware. */
    __asm__ volatile("ebreak" ::: "memory");
    return trapped(before, 3);
#else
    __asm__ volatile("ecall" ::: "memory");
    return trapped(before, CAUSE_CALL);
#endif
}

uint64_t machine_nowhere(void)
{
    return 0x20000;
}

bool machine_fault(uint64_t address)
{
    uint64_t before = machine_trap.count, value = 42;

    __asm__ volatile("ld %0, 0(%1)" : "+r"(value) : "r"(address) : "memory");
    return trapped(before, CAUSE_LOAD_FAULT) && value == 42;
}

void machine_timer_start(void)
{
    set_timer(true);
    __asm__ volatile("csrs " NAME(ie) ", %0" ::"r"(1 << IRQ_TIMER));
#ifdef METAL_S_MODE
    __asm__ volatile("csrsi sstatus, 2");
#else
    __asm__ volatile("csrsi mstatus, 8");
#endif
}

void machine_timer_stop(void)
{
    __asm__ volatile("csrc " NAME(ie) ", %0" ::"r"(1 << IRQ_TIMER));
    set_timer(false);
}

size_t machine_write_function(void *where, uint16_t value)
{
    uint32_t *code = where;
    uint32_t low = value & 0xfff, high = (value + 0x800u) >> 12;

    code[0] = high << 12 | 10 << 7 | 0x37;             /* lui a0, high */
    code[1] = low << 20 | 10 << 15 | 10 << 7 | 0x1b;   /* addiw a0, a0, low */
    code[2] = 0x00008067;                              /* ret */
    return 12;
}

void machine_sync_code(void *start, size_t size)
{
    (void)start;
    (void)size;
    __asm__ volatile("fence.i" ::: "memory");
}
