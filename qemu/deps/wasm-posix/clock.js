/*
 * The clock behind clock_gettime(), as emscripten has it, except that each
 * thread reads the clock's origin once. The origin never changes, and in
 * Chromium reading it takes longer than reading the clock, which a guest does
 * hundreds of thousands of times in a boot.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
addToLibrary({
    /** Milliseconds from 1970 to when this thread's clock began. */
    $twClockOrigin: 'performance.timeOrigin',

    emscripten_get_now__deps: ['$twClockOrigin'],
    /**
     * The time, the same in all threads.
     * @returns {number} milliseconds since 1970
     */
    emscripten_get_now: () => twClockOrigin + performance.now(),
});
