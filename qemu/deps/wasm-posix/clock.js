/*
 * The clock of clock_gettime(), as emscripten has it, but the origin is asked for
 * once for each thread: it never changes, and in Chromium asking takes longer than
 * reading the clock, which a guest does hundreds of thousands of times in a boot.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
addToLibrary({
    $twClockOrigin: 'performance.timeOrigin',

    /* ms since 1970, the same in all threads */
    emscripten_get_now__deps: ['$twClockOrigin'],
    emscripten_get_now: () => twClockOrigin + performance.now(),
});
