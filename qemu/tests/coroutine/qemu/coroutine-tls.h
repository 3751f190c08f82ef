/* SPDX-License-Identifier: GPL-2.0-or-later */
#define QEMU_DEFINE_STATIC_CO_TLS(type, var) \
    static __thread type co_tls_##var; \
    static __attribute__((noinline)) type get_##var(void) \
    { \
        asm volatile(""); \
        return co_tls_##var; \
    } \
    static __attribute__((noinline)) void set_##var(type v) \
    { \
        asm volatile(""); \
        co_tls_##var = v; \
    }
