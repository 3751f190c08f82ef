/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * terminal PROGRAM [ARGUMENT]...: run PROGRAM in a pseudo-terminal that is as
 * large as the terminal at the other end of the console.
 *
 * A serial line has no size. This program sends CSI ? 2048 h to ask the
 * terminal for its size. A terminal that knows mode 2048 (in-band resize
 * notifications) sends, now and after each change,
 *
 *   CSI 48 ; ROWS ; COLUMNS ; HEIGHT ; WIDTH t
 *
 * which becomes the size of the pseudo-terminal here: the kernel then tells
 * PROGRAM. Other terminals do not answer, and nothing else is different for
 * them.
 */
#include "sys.h"

enum {
    TCGETS = 0x5401,
    TCSETS = 0x5402,
    TIOCSCTTY = 0x540e,
    TIOCSWINSZ = 0x5414,
    TIOCGPTPEER = 0x5441,
    TIOCSPTLCK = 0x40045431,

    AT_CWD = -100,
    READ_WRITE = 02,
    NO_TTY = 0400,
    SIGNAL_CHILD = 17,
    NO_PROGRAM = 127,

    POLL_IN = 1,
    TRY_AGAIN = -11,
    INTERRUPTED = -4,

    /* After an Escape that is a key, nothing follows for so long. */
    WAIT_MS = 100,
    /* No key begins so; a busy host may deliver the rest of a report late. */
    REPORT_BEGINS = sizeof("\033[48;") - 1,
    REPORT_WAIT_MS = 2000,
    NUMBERS = 4,
};

struct Termios {
    uint32_t iflag, oflag, cflag, lflag;
    uint8_t line, cc[19];
};

struct WindowSize {
    uint16_t rows, columns, width, height;
};

struct PollFd {
    int fd;
    short events, revents;
};

static int master;

static void write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        long n = sys_call(SYS_WRITE, fd, (long)bytes, (long)size, 0, 0, 0);

        if (n == TRY_AGAIN || n == INTERRUPTED) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        bytes += n;
        size -= (size_t)n;
    }
}

/*
 * The bytes of a report as they come. Bytes that turn out to be no report go on
 * to PROGRAM.
 */

static char held[48];
static size_t nheld;

static void let_go(void)
{
    write_all(master, held, nheld);
    nheld = 0;
}

/* Read the numbers behind "\033[48"; is this a report, or its beginning? */
static bool parse(uint16_t numbers[NUMBERS], bool *complete)
{
    static const char start[] = "\033[48";
    size_t at = 0;
    int n = -1;

    *complete = false;
    for (; at < nheld && at < sizeof(start) - 1; at++) {
        if (held[at] != start[at]) {
            return false;
        }
    }
    for (; at < nheld; at++) {
        char c = held[at];

        if (c == ';' && n + 1 < NUMBERS) {
            numbers[++n] = 0;
        } else if (c >= '0' && c <= '9' && n >= 0) {
            numbers[n] = (uint16_t)(numbers[n] * 10 + (c - '0'));
        } else if (c == 't' && n == NUMBERS - 1) {
            *complete = true;
            return at + 1 == nheld;
        } else {
            return false;
        }
    }
    return true;
}

static void take(char c)
{
    uint16_t numbers[NUMBERS];
    bool complete;

    if (nheld == 0 && c != '\033') {
        write_all(master, &c, 1);
        return;
    }
    held[nheld++] = c;
    if (!parse(numbers, &complete) || nheld == sizeof(held)) {
        /* The last byte may begin another report. */
        nheld--;
        let_go();
        if (c == '\033') {
            held[nheld++] = c;
        } else {
            write_all(master, &c, 1);
        }
    } else if (complete) {
        struct WindowSize size = { numbers[0], numbers[1], numbers[3],
                                   numbers[2] };

        sys_call(SYS_IOCTL, master, TIOCSWINSZ, (long)&size, 0, 0, 0);
        nheld = 0;
    }
}

/* Pass bytes in both directions, until the program ends. */
static void pass_on(void)
{
    struct PollFd fds[2] = { { master, POLL_IN, 0 }, { 0, POLL_IN, 0 } };
    unsigned long nfds = 2;
    char bytes[4096];

    for (;;) {
        long ms = nheld < REPORT_BEGINS ? WAIT_MS : REPORT_WAIT_MS;
        struct {
            long seconds, ns;
        } wait = { ms / 1000, ms % 1000 * 1000000L };
        long n = sys_call(SYS_PPOLL, (long)fds, (long)nfds,
                          nheld ? (long)&wait : 0, 0, 0, 0);

        if (n == 0) {
            let_go();
        }
        if (n <= 0) {
            continue;
        }
        if (fds[0].revents) {
            n = sys_call(SYS_READ, master, (long)bytes, sizeof(bytes), 0, 0, 0);
            if (n <= 0) {
                return;
            }
            write_all(1, bytes, (size_t)n);
        }
        if (nfds > 1 && fds[1].revents) {
            n = sys_call(SYS_READ, 0, (long)bytes, sizeof(bytes), 0, 0, 0);
            if (n <= 0) {
                nfds = 1;
            }
            for (long i = 0; i < n; i++) {
                take(bytes[i]);
            }
        }
    }
}

/* Become the program, the first of a session with the pseudo-terminal. */
__attribute__((noreturn)) static void become(int terminal, char **argv,
                                             char **environment)
{
    sys_call(SYS_SETSID, 0, 0, 0, 0, 0, 0);
    sys_call(SYS_IOCTL, terminal, TIOCSCTTY, 0, 0, 0, 0);
    for (int fd = 0; fd < 3; fd++) {
        sys_call(SYS_DUP3, terminal, fd, 0, 0, 0, 0);
    }
    sys_call(SYS_CLOSE, terminal, 0, 0, 0, 0, 0);
    sys_call(SYS_CLOSE, master, 0, 0, 0, 0, 0);
    sys_call(SYS_EXECVE, (long)argv[0], (long)argv, (long)environment, 0, 0, 0);
    say("terminal: the program cannot be run\n");
    sys_exit(NO_PROGRAM);
}

int program(int argc, char **argv, const unsigned long *auxv)
{
    struct Termios before, raw;
    int unlocked = 0, status = 0;
    bool is_terminal;
    long terminal, child;

    (void)auxv;
    if (argc < 2) {
        say("usage: terminal PROGRAM [ARGUMENT]...\n");
        return 2;
    }
    master = (int)sys_call(SYS_OPENAT, AT_CWD, (long)"/dev/ptmx",
                           READ_WRITE | NO_TTY, 0, 0, 0);
    sys_call(SYS_IOCTL, master, TIOCSPTLCK, (long)&unlocked, 0, 0, 0);
    terminal =
        sys_call(SYS_IOCTL, master, TIOCGPTPEER, READ_WRITE | NO_TTY, 0, 0, 0);
    if (master < 0 || terminal < 0) {
        say("terminal: there are no pseudo-terminals\n");
        return NO_PROGRAM;
    }
    is_terminal = sys_call(SYS_IOCTL, 0, TCGETS, (long)&before, 0, 0, 0) == 0;
    child = sys_call(SYS_CLONE, SIGNAL_CHILD, 0, 0, 0, 0, 0);
    if (child == 0) {
        become((int)terminal, argv + 1, argv + argc + 1);
    }
    sys_call(SYS_CLOSE, terminal, 0, 0, 0, 0, 0);
    if (is_terminal) {
        raw = before;
        raw.iflag = raw.oflag = raw.lflag = 0;
        sys_call(SYS_IOCTL, 0, TCSETS, (long)&raw, 0, 0, 0);
        say("\033[?2048h");
    }
    pass_on();
    if (is_terminal) {
        say("\033[?2048l");
        sys_call(SYS_IOCTL, 0, TCSETS, (long)&before, 0, 0, 0);
    }
    sys_call(SYS_WAIT4, child, (long)&status, 0, 0, 0, 0);
    return status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}
