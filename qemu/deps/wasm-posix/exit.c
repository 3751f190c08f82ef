/*
 * exit() from any thread.  emscripten runs the handlers of atexit() on the main
 * thread, after the calling one is gone with the locks that it holds: whoever has
 * some gives them back in tw_before_exit().
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
