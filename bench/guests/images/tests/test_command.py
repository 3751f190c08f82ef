"""What runs follows from the config as in container runtimes."""

from __future__ import annotations

from typing import Any

import pytest

from bench.guests.disk.refusal import BadRoot
from bench.guests.images.command import MAX_BYTES, Accounts, command

ACCOUNTS = Accounts(
    "root:x:0:0:root:/root:/bin/sh\n"
    "broken line\n"
    "web:x:33:34::/srv/web:/bin/false\n",
    "root:x:0:\nwebs:x:34:\nlog:x:4:web,other\nadm:x:5:other\nbroken\n",
)


def test_entrypoint_precedes_the_command() -> None:
    config = {"Entrypoint": ["/entry", "a"], "Cmd": ["b c", ""]}
    assert command(config, ACCOUNTS).argv == ("/entry", "a", "b c", "")
    assert command({"Cmd": ["x"]}, ACCOUNTS).argv == ("x",)
    assert command({"Cmd": "x y"}, ACCOUNTS).argv == ("/bin/sh", "-c", "x y")


def test_a_given_command_replaces_both() -> None:
    config = {"Entrypoint": ["/entry"], "Cmd": ["b"], "Env": ["A=1"]}
    found = command(config, ACCOUNTS, ["sh", "-c", "exit 7"])
    assert found.argv == ("sh", "-c", "exit 7")
    assert "A=1" in found.env


def test_without_a_command_only_an_interactive_run_has_one() -> None:
    assert command({}, ACCOUNTS, interactive=True).argv == ("/bin/sh",)
    with pytest.raises(BadRoot, match="no command"):
        command({}, ACCOUNTS)


def test_environment_has_what_every_program_expects() -> None:
    found = command({"Cmd": ["x"], "Env": ["TERM=dumb", "E=a=b", "bad"]}, ACCOUNTS)
    env = dict(word.split("=", 1) for word in found.env)
    assert env["TERM"] == "dumb" and env["E"] == "a=b" and env["HOME"] == "/root"
    assert env["PATH"].startswith("/usr/local/sbin:") and "bad" not in env


@pytest.mark.parametrize(
    "user, uid, gid, groups, home",
    [
        ("", 0, 0, (), "/root"),
        ("root", 0, 0, (), "/root"),
        ("web", 33, 34, (4,), "/srv/web"),
        ("33", 33, 34, (4,), "/srv/web"),
        ("web:log", 33, 4, (), "/srv/web"),
        ("1000", 1000, 0, (), "/"),
        ("1000:1001", 1000, 1001, (), "/"),
        (":34", 0, 34, (), "/root"),
    ],
)
def test_user(
    user: str, uid: int, gid: int, groups: tuple[int, ...], home: str
) -> None:
    found = command({"Cmd": ["x"], "User": user}, ACCOUNTS)
    assert (found.uid, found.gid, found.groups) == (uid, gid, groups)
    assert f"HOME={home}" in found.env


@pytest.mark.parametrize(
    "config, why",
    [
        ({"Cmd": 1}, "Cmd is no list"),
        ({"Cmd": ["a", 1]}, "Cmd is no list"),
        ({"Cmd": ["a"], "Env": "A=1"}, "Env is no list"),
        ({"Cmd": ["a"], "User": "nobody"}, "user nobody is not"),
        ({"Cmd": ["a"], "User": "0:nogroup"}, "group nogroup is not"),
        ({"Cmd": ["a"], "User": 5}, "User is no text"),
        ({"Cmd": ["a"], "User": "9" * 30}, "is not in its"),
        ({"Cmd": ["a"], "WorkingDir": 5}, "WorkingDir is no text"),
        ({"Cmd": ["a\0b"]}, "zero byte"),
        ({"Cmd": [""]}, "no name"),
        ({"Cmd": ["a"], "Env": ["A=" + "x" * MAX_BYTES]}, "more than"),
    ],
)
def test_refuses(config: dict[str, Any], why: str) -> None:
    with pytest.raises(BadRoot, match=why):
        command(config, ACCOUNTS)


def test_packed_words_are_counted() -> None:
    config = {"Cmd": ["a", ""], "Env": ["PATH=p", "HOME=h", "TERM=t"], "User": "web"}
    packed = command(config | {"WorkingDir": "w"}, ACCOUNTS).pack()
    words = packed.decode().split("\0")
    assert words == [
        *("33", "34", "1", "4", "2", "3", "/w"),
        *("a", "", "PATH=p", "HOME=h", "TERM=t", ""),
    ]
