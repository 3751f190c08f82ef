/*
 * QEMU's aarch64 machine "virt": UART, interrupt controller, timer, traps.  It
 * has no test device: semihosting ends the run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

/* hw/arm/virt.c of QEMU, base_memmap. */
enum { UART = 0x09000000, GIC_DIST = 0x08000000, GIC_CPU = 0x08010000 };
enum { UART_CONTROL = 0x30 };
enum { GIC_ENABLE = 0x100, GIC_PRIORITY_MASK = 4, GIC_ACK = 12, GIC_END = 16 };
enum { IRQ_VIRTUAL_TIMER = 27 };
enum { KIND_SYNC, KIND_IRQ };
/* Classes of exceptions, bits 31:26 of ESR_EL1. */
enum { CLASS_UNKNOWN = 0, CLASS_SVC = 0x15, CLASS_DATA_ABORT = 0x25 };
enum { SYS_EXIT = 0x18, APPLICATION_EXIT = 0x20026 };

volatile MachineTrap machine_trap;
volatile unsigned machine_ticks;

static volatile uint32_t *reg(uintptr_t base, unsigned offset)
{
    return (volatile uint32_t *)(base + offset);
}

void machine_init(void)
{
    *reg(UART, UART_CONTROL) = 0x301; /* on, transmit, receive */
    *reg(GIC_DIST, 0) = 1;
    *reg(GIC_DIST, GIC_ENABLE) = 1u << IRQ_VIRTUAL_TIMER;
    *reg(GIC_CPU, GIC_PRIORITY_MASK) = 0xff;
    *reg(GIC_CPU, 0) = 1;
}

void machine_putc(char c)
{
    *reg(UART, 0) = (uint8_t)c;
}

_Noreturn void machine_exit(unsigned status)
{
    volatile uint64_t block[2] = { APPLICATION_EXIT, status };
    register uint64_t operation __asm__("x0") = SYS_EXIT;
    register volatile uint64_t *argument __asm__("x1") = block;

    for (;;) {
        __asm__ volatile("hlt #0xf000"
                         : "+r"(operation)
                         : "r"(argument)
                         : "memory");
    }
}

static void set_timer(void)
{
    uint64_t frequency;

    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    __asm__ volatile("msr cntv_tval_el0, %0" ::"r"(frequency / 500));
}

/* Returns the address at which to go on. */
uint64_t machine_on_trap(uint64_t kind, uint64_t syndrome, uint64_t address,
                         uint64_t pc);

uint64_t machine_on_trap(uint64_t kind, uint64_t syndrome, uint64_t address,
                         uint64_t pc)
{
    if (kind == KIND_IRQ) {
        uint32_t irq = *reg(GIC_CPU, GIC_ACK);

        if ((irq & 0x3ff) == IRQ_VIRTUAL_TIMER) {
            machine_ticks++;
            set_timer();
        }
        *reg(GIC_CPU, GIC_END) = irq;
        return pc;
    }
    if (kind != KIND_SYNC) {
        machine_exit(99);
    }
    machine_trap.count++;
    machine_trap.cause = syndrome;
    machine_trap.address = address;
    return syndrome >> 26 == CLASS_SVC ? pc : pc + 4;
}

static bool trapped(uint64_t before, uint64_t class)
{
    return machine_trap.count == before + 1 &&
           machine_trap.cause >> 26 == class;
}

bool machine_illegal(void)
{
    uint64_t before = machine_trap.count;

    __asm__ volatile(".inst 0" ::: "memory");
    return trapped(before, CLASS_UNKNOWN);
}

bool machine_call(void)
{
    uint64_t before = machine_trap.count;

    __asm__ volatile("svc #5" ::: "memory");
    return trapped(before, CLASS_SVC) && (machine_trap.cause & 0xffff) == 5;
}

uint64_t machine_nowhere(void)
{
    return 0x80000000;
}

bool machine_fault(uint64_t address)
{
    uint64_t before = machine_trap.count, value = 42;

    __asm__ volatile("ldr %0, [%1]" : "+r"(value) : "r"(address) : "memory");
    return trapped(before, CLASS_DATA_ABORT) && value == 42;
}

void machine_timer_start(void)
{
    set_timer();
    __asm__ volatile("msr cntv_ctl_el0, %0" ::"r"(1ul));
    __asm__ volatile("msr daifclr, #2");
}

void machine_timer_stop(void)
{
    __asm__ volatile("msr daifset, #2");
    __asm__ volatile("msr cntv_ctl_el0, %0" ::"r"(0ul));
}

size_t machine_write_function(void *where, uint16_t value)
{
    uint32_t *code = where;

    code[0] = 0x52800000 | (uint32_t)value << 5; /* mov w0, value */
    code[1] = 0xd65f03c0;                        /* ret */
    return 8;
}

void machine_sync_code(void *start, size_t size)
{
    for (char *p = start; p < (char *)start + size; p += 4) {
        __asm__ volatile("dc cvau, %0" ::"r"(p) : "memory");
    }
    __asm__ volatile("dsb ish" ::: "memory");
    for (char *p = start; p < (char *)start + size; p += 4) {
        __asm__ volatile("ic ivau, %0" ::"r"(p) : "memory");
    }
    __asm__ volatile("dsb ish\n\tisb" ::: "memory");
}
