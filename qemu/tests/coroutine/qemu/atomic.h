/* SPDX-License-Identifier: GPL-2.0-or-later */
#define qatomic_set(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define qatomic_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define qatomic_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
