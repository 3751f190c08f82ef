/*
 * exit() from any thread. emscripten ends the thread that calls exit(), and
 * then runs the handlers of atexit() on the main thread. Locks that the ended
 * thread held stay locked, so a program gives them back in tw_before_exit().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "wasm-posix.h"

_Noreturn void __real_exit(int status);
_Noreturn void __wrap_exit(int status);

_Noreturn void __wrap_exit(int status)
{
    if (tw_before_exit) {
        tw_before_exit();
    }
    __real_exit(status);
}
