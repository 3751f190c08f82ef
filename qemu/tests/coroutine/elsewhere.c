/*
 * Thread-local variables of another file than the one that uses them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
__thread int elsewhere;
