"""Suite files: their keys and values, and how the harness refuses wrong ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.summary import PEER
from bench.base.errors import USAGE, TierlabError
from bench.base.places import ROOT
from bench.harness.suites.suite import (
    SUITES,
    Known,
    Suite,
    check_names,
    find_suite,
    named_suites,
    override,
    read_suite,
)

GUEST, PEER_GUEST = "riscv64-debian", "i386-debian"
ARCHES = ("aarch64-debian", "x86_64-debian")
KNOWN = Known(["riscv64-tiny", GUEST, *ARCHES, PEER_GUEST], ["node", "native", PEER])


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "suite.toml"
    path.write_text(text)
    return path


def test_a_suite_takes_the_place_of_the_defaults(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'guests = ["riscv64-tiny"]\nruns = 5\ntimeout = 12.5\n'
        'tiers = ["never", "always", "never"]\nmemory_mib = 128\nseed = 9\n',
    )
    assert read_suite(path) == Suite(
        guests=("riscv64-tiny",),
        tiers=("never", "always"),
        runs=5,
        timeout=12.5,
        memory_mib=128,
        seed=9,
    )


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("runs = 0", "runs", "from 1 to"),
        ("runs = 2.5", "runs", "whole number"),
        ("runs = true", "runs", "whole number"),
        ('guests = "riscv64-tiny"', "guests", "a list"),
        ("guests = []", "guests", "at least one"),
        ("guests = [1]", "guests", "list of names"),
        ("timeout = 0", "timeout", "more than 0"),
        ("timeout = nan", "timeout", "more than 0"),
        ("memory_mib = 1", "memory_mib", "from 32 to"),
        ("guest = ['x']", "guest", "valid: guests, image, root, tiers, engines"),
        ("smp = 9", "smp", "from 1 to 8"),
        ("icount = -1", "icount", "from 0 to 10"),
        ("chain = 'tail'", "chain", "a list"),
        ("fault = 7", "fault", "a text"),
        ('fault = "no-memery:7"', "fault", "no-memory"),
        ('fault = "no-memory"', "fault", "no-memory:7"),
        ('fault = "no-memory:0"', "fault", "no-memory:7"),
        ("idle = 0", "idle", "true or false"),
    ],
)
def test_a_bad_value_is_refused_by_its_key(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(TierlabError) as caught:
        read_suite(path)
    assert caught.value.status == USAGE
    line = caught.value.line()
    assert line.startswith(f"{path}:{place}: ")
    assert words in line and "\n" not in line


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    with pytest.raises(TierlabError) as caught:
        read_suite(write(tmp_path, "runs = = 3"))
    assert "is not TOML" in caught.value.line()


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(TierlabError) as caught:
        read_suite(tmp_path / "none.toml")
    assert caught.value.status == USAGE


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        (Suite(guests=("arm",)), "unknown guest 'arm'; valid: riscv64-tiny, "),
        (Suite(engines=("bun",)), "unknown engine 'bun'; valid: node, native"),
        (Suite(workloads=("shell",)), "unknown workload 'shell'; valid: none, "),
        (Suite(workloads=("sha256:mib=65",)), "mib='65' will not do"),
        (Suite(chain=("jump",)), "unknown chaining 'jump'; valid: dispatch, tail"),
        (Suite(counts=("all",)), "unknown counting 'all'; valid: off, sampled"),
    ],
)
def test_unknown_names_are_refused_with_the_valid_ones(
    suite: Suite, words: str
) -> None:
    with pytest.raises(TierlabError) as caught:
        check_names(suite, KNOWN)
    assert caught.value.status == USAGE
    assert words in caught.value.line()


def test_workloads_have_one_form() -> None:
    suite = Suite(workloads=("sha256:rounds=9,mib=4", "sha256:rounds=9", "none"))
    assert check_names(suite, KNOWN).workloads == ("sha256:rounds=9", "none")


@pytest.mark.parametrize("name", list(named_suites()))
def test_our_own_suites_can_be_read(name: str) -> None:
    suite = check_names(read_suite(find_suite(name)), KNOWN, name)
    assert suite.title and suite.purpose
    # Ratios need the engine in their denominator, and targets need their guest.
    guest = PEER_GUEST if PEER in suite.engines else GUEST
    assert "native" in suite.engines and guest in suite.guests


def test_the_experiments_are_told_of() -> None:
    text = (ROOT / "docs" / "experiments.md").read_text()
    for name in named_suites():
        assert f"tierlab compare {name}" in text, name


def test_a_suite_is_found_by_name_or_path(tmp_path: Path) -> None:
    assert find_suite("sweep") == SUITES / "sweep.toml"
    path = write(tmp_path, "")
    assert find_suite(str(path)) == path
    with pytest.raises(TierlabError, match="unknown suite 'swep'; valid: buffer, e"):
        find_suite("swep")


def test_the_command_line_wins() -> None:
    suite = override(Suite(runs=7), guests=("riscv64-tiny",), runs=None, seed=0)
    assert (suite.guests, suite.runs, suite.seed) == (("riscv64-tiny",), 7, 0)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ('image = "app.tar"', "image", "app.tar"),
        ('image = "app.tar,name=a"', "image", "app.tar,name=a"),
        ('root = "tree"', "root", "tree"),
    ],
)
def test_a_suite_with_a_root(tmp_path: Path, text: str, key: str, value: str) -> None:
    (tmp_path / "app.tar").touch()
    (tmp_path / "tree").mkdir()
    suite = read_suite(write(tmp_path, f'{text}\ncommand = ["sh", "-c", ""]\n'))
    # the image says for which guest it is
    assert suite == replace(
        Suite(guests=(), workloads=("image",), command=("sh", "-c", "")),
        **{key: str(tmp_path / value)},  # type: ignore[arg-type]
    )
    more = 'guests = ["riscv64-debian"]\nworkloads = ["none"]\n'
    suite = read_suite(write(tmp_path, f"{text}\n{more}"))
    assert (suite.guests, suite.workloads) == ((GUEST,), ("none",))


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('image = "none.tar"', "image", "there is no "),
        ('image = "suite.toml,name=a,name=b"', "image", "name= is there twice"),
        ('root = "suite.toml"', "root", "there is no folder "),
        ('image = "suite.toml"\nroot = "."', "image", "it excludes 'root'"),
        ("image = 1", "image", "a text"),
        ('command = ["sh"]', "command", "add 'image' or 'root'"),
        ('command = "sh"', "command", "a list: a program and its arguments"),
        ("command = []", "command", "a list: a program and its arguments"),
        ('command = ["sh", 1]', "command", "a list of texts"),
    ],
)
def test_a_root_that_is_not_there_is_refused(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(TierlabError) as caught:
        read_suite(path)
    assert caught.value.status == USAGE
    line = caught.value.line()
    assert line.startswith(f"{path}:{place}: ")
    assert words in line and "\n" not in line
