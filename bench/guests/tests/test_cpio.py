"""The archive has the right bytes, and GNU cpio reads it."""

from __future__ import annotations

import shutil
import stat
import subprocess

import pytest

from bench.guests import cpio

ENTRIES = [
    cpio.regular("etc/z", b"odd length"),
    cpio.directory("etc"),
    cpio.character_device("console", 5, 1),
    cpio.symlink("etc/a", "z"),
    cpio.regular("init", b"#!/bin/sh\n", 0o755),
    cpio.regular("etc/empty", b""),
]


def test_reads_back_sorted_and_complete() -> None:
    assert list(cpio.unpack(cpio.pack(ENTRIES))) == sorted(
        ENTRIES, key=lambda entry: entry.name
    )


def test_order_of_entries_does_not_matter() -> None:
    assert cpio.pack(ENTRIES) == cpio.pack(reversed(ENTRIES))


def test_owner_and_time_are_zero() -> None:
    archive = cpio.pack([cpio.regular("a", b"x")])
    fields = [int(archive[6 + 8 * i : 14 + 8 * i], 16) for i in range(13)]
    inode, mode, owner, group, links, time = fields[:6]
    assert (inode, owner, group, links, time) == (1, 0, 0, 1, 0)
    assert mode == stat.S_IFREG | 0o644


def test_length_is_whole_blocks() -> None:
    assert len(cpio.pack(ENTRIES)) % 512 == 0


@pytest.mark.skipif(shutil.which("cpio") is None, reason="needs GNU cpio")
def test_gnu_cpio_lists_it() -> None:
    listed = subprocess.run(
        ["cpio", "-itv", "--numeric-uid-gid", "--quiet"],
        input=cpio.pack(ENTRIES),
        capture_output=True,
        check=True,
    ).stdout.decode()
    lines = listed.splitlines()
    assert len(lines) == len(ENTRIES)
    assert lines[0].startswith("crw-------   1 0        0          5,   1")
    assert lines[2].endswith("etc/a -> z")


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([cpio.regular("a/b", b"")], "no directory a"),
        ([cpio.regular("a", b""), cpio.symlink("a", "b")], "twice"),
        ([cpio.regular("/a", b"")], "cannot be a name"),
        ([cpio.regular("", b"")], "cannot be a name"),
        ([cpio.regular("TRAILER!!!", b"")], "cannot be a name"),
        ([cpio.regular("a", b""), cpio.regular("a/b", b"")], "no directory a"),
    ],
)
def test_refuses(entries: list[cpio.Entry], complaint: str) -> None:
    with pytest.raises(cpio.CpioError, match=complaint):
        cpio.pack(entries)


@pytest.mark.parametrize("keep", [0, 50, 110, 300])
def test_cut_off_archive_is_an_error(keep: int) -> None:
    archive = cpio.pack(ENTRIES)[:keep]
    with pytest.raises(cpio.CpioError):
        list(cpio.unpack(archive))


def test_damaged_number_is_an_error() -> None:
    archive = bytearray(cpio.pack(ENTRIES))
    archive[6:14] = b"not hex!"
    with pytest.raises(cpio.CpioError, match="bad number"):
        list(cpio.unpack(bytes(archive)))
