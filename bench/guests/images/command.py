"""What runs in a root: arguments, environment, folder and user.

They come from an image's config, as `docker run` takes them. A command that the user
gives replaces the image's entrypoint and command, both.

The guest's program `enter` (userland/src/enter.c) reads what pack() makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.guests.disk.refusal import BadRoot, shown

SHELL = ("/bin/sh",)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MAX_ID = 2**32 - 2
# What `enter` has room for, and how many arguments and variables.
MAX_BYTES = 128 * 1024
MAX_WORDS = 4096
MAX_GROUPS = 64


@dataclass(frozen=True)
class Accounts:
    """/etc/passwd and /etc/group of a root; empty if there are none."""

    passwd: str = ""
    group: str = ""

    def user(self, name: str) -> tuple[str, int, int, str] | None:
        """Name, uid, gid and home of a user by name or number; None if unknown."""
        for line in self.passwd.splitlines():
            fields = line.split(":")
            if len(fields) < 6 or not (_is_id(fields[2]) and _is_id(fields[3])):
                continue
            if name == fields[0] or (_is_id(name) and int(name) == int(fields[2])):
                return fields[0], int(fields[2]), int(fields[3]), fields[5]
        return None

    def gid(self, name: str) -> int | None:
        """The number of a group by its name."""
        for fields in self._groups():
            if name == fields[0]:
                return int(fields[2])
        return None

    def groups_of(self, user: str) -> tuple[int, ...]:
        """The groups that list the user."""
        found = [int(f[2]) for f in self._groups() if user in f[3].split(",")]
        return tuple(dict.fromkeys(found))[:MAX_GROUPS]

    def _groups(self) -> list[list[str]]:
        lines = (line.split(":") for line in self.group.splitlines())
        return [f for f in lines if len(f) >= 4 and _is_id(f[2])]


@dataclass(frozen=True)
class Command:
    """A command, fully resolved."""

    argv: tuple[str, ...]
    env: tuple[str, ...] = ()
    folder: str = "/"
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()

    def pack(self) -> bytes:
        """The command as words that each end with a zero byte."""
        numbers = [self.uid, self.gid, len(self.groups), *self.groups]
        numbers += [len(self.argv), len(self.env)]
        words = [*map(str, numbers), self.folder, *self.argv, *self.env]
        return b"".join(w.encode("utf-8", "surrogateescape") + b"\0" for w in words)


def command(
    config: Mapping[str, Any],
    accounts: Accounts,
    given: Sequence[str] = (),
    *,
    interactive: bool = False,
) -> Command:
    """The command of an image's config, or the given one with the rest of the config.

    Without any, an interactive run gets a shell; BadRoot otherwise.
    """
    argv = tuple(given) or (*_words(config, "Entrypoint"), *_words(config, "Cmd"))
    if not argv and interactive:
        argv = SHELL
    if not argv:
        why = "it has no command to run"
        raise BadRoot(why, "give one at the end: -- COMMAND, or --interactive")
    uid, gid, groups, home = _user(config, accounts)
    env = {"PATH": _PATH, "HOME": home, "TERM": "vt100"}
    for word in _words(config, "Env"):
        name, equals, value = word.partition("=")
        if equals and name:
            env[name] = value
    folder = config.get("WorkingDir") or "/"
    if not isinstance(folder, str):
        raise BadRoot("its WorkingDir is no text", "save the image again")
    folder = folder if folder.startswith("/") else f"/{folder}"
    variables = tuple(f"{name}={value}" for name, value in env.items())
    found = Command(argv, variables, folder, uid, gid, groups)
    _check(found)
    return found


def _check(found: Command) -> None:
    words = [*found.argv, *found.env, found.folder]
    if any("\0" in word for word in words):
        raise BadRoot("its command has a zero byte in it", "give another: -- COMMAND")
    if not found.argv[0]:
        raise BadRoot("its command has no name", "give another: -- COMMAND")
    if len(words) > MAX_WORDS or len(found.pack()) > MAX_BYTES:
        why = f"its command and environment have more than {MAX_BYTES} bytes"
        raise BadRoot(f"{why} or {MAX_WORDS} words", "give another: -- COMMAND")


def _words(config: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = config.get(key)
    if value is None:
        return ()
    if isinstance(value, str) and key != "Env":
        return (*SHELL, "-c", value)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadRoot(f"its {key} is no list of texts", "save the image again")
    return tuple(value)


def _user(
    config: Mapping[str, Any], accounts: Accounts
) -> tuple[int, int, tuple[int, ...], str]:
    """uid, gid, further groups and home of USER, USER:GROUP, in names or numbers."""
    text = config.get("User") or "0"
    if not isinstance(text, str):
        raise BadRoot("its User is no text", "save the image again")
    name, _, group = text.partition(":")
    name = name or "0"
    known = accounts.user(name)
    if known is None and not _is_id(name):
        why = f"its user {shown(name)} is not in its /etc/passwd"
        raise BadRoot(why, "give the image a number as its user")
    login, uid, gid, home = known or ("", int(name), 0, "/")
    if not group:
        return uid, gid, accounts.groups_of(login) if login else (), home or "/"
    named = int(group) if _is_id(group) else accounts.gid(group)
    if named is None:
        why = f"its group {shown(group)} is not in its /etc/group"
        raise BadRoot(why, "give the image a number as its group")
    return uid, named, (), home or "/"


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text[:11]) <= _MAX_ID
