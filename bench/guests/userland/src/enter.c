/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enter ROOT FILE: become the command that FILE describes, in ROOT.
 *
 * FILE has words that each end with a zero byte, as the harness packs them
 * (bench/guests/images/command.py):
 *
 *   uid, gid, number of groups, each group, number of arguments, number of
 *   variables, working directory, each argument, each variable
 *
 * The working directory is made if ROOT has none. A command without a slash is
 * looked for in the PATH among these variables. Exit status 127: there is no
 * such command; 126: it cannot be run; 125: ROOT or FILE is not as expected.
 */
#include "sys.h"

enum {
    AT_CWD = -100,
    READ_ONLY = 0,
    NO_ENTRY = -2,
    NO_ACCESS = -13,
    NOT_A_DIRECTORY = -20,

    CANNOT_BEGIN = 125,
    CANNOT_RUN = 126,
    NOT_FOUND = 127,

    /* The limits of command.py, with room for words that numbers are. */
    MAX_BYTES = 128 * 1024 + 4096,
    MAX_WORDS = 4096,
    MAX_GROUPS = 64,
    MAX_PATH = 4096,
};

typedef struct Command {
    char *argv[MAX_WORDS + 1];
    char *env[MAX_WORDS + 1];
    char *folder;
    uint32_t groups[MAX_GROUPS];
    unsigned long uid, gid, ngroups, nargs, nenv;
} Command;

static char text[MAX_BYTES];

static bool is_equal(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

static size_t length_of(const char *word)
{
    size_t n = 0;

    while (word[n]) {
        n++;
    }
    return n;
}

__attribute__((noreturn)) static void end(const char *what, const char *why,
                                          int status)
{
    say("enter: ");
    say(what);
    say(": ");
    say(why);
    say("\n");
    sys_exit(status);
}

/* Read FILE; the number of bytes. */
static size_t load(const char *file)
{
    long fd = sys_call(SYS_OPENAT, AT_CWD, (long)file, READ_ONLY, 0, 0, 0);
    size_t size = 0;
    long n;

    if (fd < 0) {
        end(file, "cannot be opened", CANNOT_BEGIN);
    }
    while ((n = sys_call(SYS_READ, fd, (long)(text + size),
                         (long)(sizeof(text) - size), 0, 0, 0)) > 0) {
        size += (size_t)n;
    }
    sys_call(SYS_CLOSE, fd, 0, 0, 0, 0, 0);
    if (n < 0 || size == 0 || text[size - 1] != '\0') {
        end(file, "is damaged", CANNOT_BEGIN);
    }
    return size;
}

/* The next word, or NULL. */
static char *next_word(size_t *at, size_t size)
{
    char *word = text + *at;

    if (*at >= size) {
        return NULL;
    }
    *at += length_of(word) + 1;
    return word;
}

/* The next word as a number of at most `max`. */
static bool next_number(size_t *at, size_t size, unsigned long max,
                        unsigned long *value)
{
    const char *word = next_word(at, size);

    if (!word || !*word) {
        return false;
    }
    *value = 0;
    for (; *word; word++) {
        unsigned long digit = (unsigned long)(*word - '0');

        if (*word < '0' || *word > '9' || *value > (max - digit) / 10) {
            return false;
        }
        *value = *value * 10 + digit;
    }
    return true;
}

static bool next_words(size_t *at, size_t size, char **words, unsigned long n)
{
    for (unsigned long i = 0; i < n; i++) {
        words[i] = next_word(at, size);
        if (!words[i]) {
            return false;
        }
    }
    words[n] = NULL;
    return true;
}

static bool parse(Command *command, size_t size)
{
    const unsigned long max_id = 0xfffffffe;
    size_t at = 0;

    if (!next_number(&at, size, max_id, &command->uid) ||
        !next_number(&at, size, max_id, &command->gid) ||
        !next_number(&at, size, MAX_GROUPS, &command->ngroups)) {
        return false;
    }
    for (unsigned long i = 0; i < command->ngroups; i++) {
        unsigned long group;

        if (!next_number(&at, size, max_id, &group)) {
            return false;
        }
        command->groups[i] = (uint32_t)group;
    }
    if (!next_number(&at, size, MAX_WORDS, &command->nargs) ||
        !next_number(&at, size, MAX_WORDS, &command->nenv)) {
        return false;
    }
    command->folder = next_word(&at, size);
    return command->folder && command->nargs > 0 &&
           next_words(&at, size, command->argv, command->nargs) &&
           next_words(&at, size, command->env, command->nenv) && at == size;
}

/* Go to the working directory, and make what is missing of its path. */
static void go_to(char *folder)
{
    for (char *at = folder + 1; *at; at++) {
        if (*at == '/') {
            *at = '\0';
            sys_call(SYS_MKDIRAT, AT_CWD, (long)folder, 0755, 0, 0, 0);
            *at = '/';
        }
    }
    sys_call(SYS_MKDIRAT, AT_CWD, (long)folder, 0755, 0, 0, 0);
    if (sys_call(SYS_CHDIR, (long)folder, 0, 0, 0, 0, 0) < 0) {
        end(folder, "is no working directory", CANNOT_BEGIN);
    }
}

static long run(const char *path, Command *command)
{
    return sys_call(SYS_EXECVE, (long)path, (long)command->argv,
                    (long)command->env, 0, 0, 0);
}

/* Run the command from a folder of PATH; the error if there is none. */
static long run_from(const char *path, Command *command)
{
    const char *name = command->argv[0];
    size_t name_size = length_of(name) + 1;
    long error = NO_ENTRY;

    for (;;) {
        static char tried[MAX_PATH];
        size_t size = 0;

        while (path[size] && path[size] != ':') {
            size++;
        }
        if (size + 1 + name_size <= sizeof(tried)) {
            size_t at = size;
            long result;

            memcpy(tried, path, size);
            if (size > 0) {
                tried[at++] =
                    '/'; /* an empty folder is the working directory */
            }
            memcpy(tried + at, name, name_size);
            result = run(tried, command);
            if (result != NO_ENTRY && result != NOT_A_DIRECTORY) {
                if (result != NO_ACCESS) {
                    return result;
                }
                error = result;
            }
        }
        if (!path[size]) {
            return error;
        }
        path += size + 1;
    }
}

static long run_command(Command *command)
{
    for (const char *at = command->argv[0]; *at; at++) {
        if (*at == '/') {
            return run(command->argv[0], command);
        }
    }
    for (unsigned long i = 0; i < command->nenv; i++) {
        if (is_equal(command->env[i], "PATH=", 5)) {
            return run_from(command->env[i] + 5, command);
        }
    }
    return NO_ENTRY;
}

int program(int argc, char **argv, const unsigned long *auxv)
{
    static Command command;
    long error;

    (void)auxv;
    if (argc != 3) {
        say("usage: enter ROOT FILE\n");
        return CANNOT_BEGIN;
    }
    if (!parse(&command, load(argv[2]))) {
        end(argv[2], "is damaged", CANNOT_BEGIN);
    }
    if (sys_call(SYS_CHROOT, (long)argv[1], 0, 0, 0, 0, 0) < 0 ||
        sys_call(SYS_CHDIR, (long)"/", 0, 0, 0, 0, 0) < 0) {
        end(argv[1], "is no root", CANNOT_BEGIN);
    }
    go_to(command.folder);
    if (sys_call(SYS_SETGROUPS, (long)command.ngroups, (long)command.groups, 0,
                 0, 0, 0) < 0 ||
        sys_call(SYS_SETGID, (long)command.gid, 0, 0, 0, 0, 0) < 0 ||
        sys_call(SYS_SETUID, (long)command.uid, 0, 0, 0, 0, 0) < 0) {
        end(argv[2], "names a user that cannot be", CANNOT_BEGIN);
    }
    error = run_command(&command);
    if (error == NO_ENTRY || error == NOT_A_DIRECTORY) {
        end(command.argv[0],
            "there is no such command, or no interpreter for it", NOT_FOUND);
    }
    end(command.argv[0], "the command cannot be run", CANNOT_RUN);
}
