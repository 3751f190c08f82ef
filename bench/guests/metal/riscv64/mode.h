/*
 * One name for each register that M mode and S mode both have.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifdef METAL_S_MODE
#define CSR(name) s##name
#define TRAP_RETURN sret
#define CAUSE_CALL 9
#define IRQ_TIMER 5
#else
#define CSR(name) m##name
#define TRAP_RETURN mret
#define CAUSE_CALL 11
#define IRQ_TIMER 7
#endif
