"""Files of saved machines: written files are read, all other files are refused."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from bench.base.errors import TierlabError
from bench.engines.base import BootRequest
from bench.guests.guest import Guest
from bench.harness.snapshots.file import (
    MAGIC,
    VERSION,
    Facts,
    Snapshot,
    check_machine,
    read_snapshot,
    write_snapshot,
)
from bench.harness.snapshots.save_resume import machine_facts

STREAM = bytes(range(256)) * 5000 + b"the end"


@pytest.fixture
def facts(guest: Guest) -> Facts:
    request = BootRequest(guest, workload="wait", tier="never", smp=2)
    facts = machine_facts(request, "10.0.13")
    return replace(facts, marker="prompt", phases=["init", "prompt"], engine="node")


@pytest.fixture
def saved(tmp_path: Path, facts: Facts) -> Snapshot:
    stream = tmp_path / "stream"
    stream.write_bytes(STREAM)
    return write_snapshot(tmp_path / "a.snap", facts, stream)


def refused(path: Path, target: Path) -> str:
    """The line with which a file is refused, when read or when unpacked."""
    with pytest.raises(TierlabError) as error:
        read_snapshot(path).unpack(target)
    assert "\n" not in error.value.line() and str(path) in error.value.line()
    return error.value.line()


def test_what_is_written_is_read(tmp_path: Path, saved: Snapshot, facts: Facts) -> None:
    again = read_snapshot(saved.path)
    assert again == saved
    assert again.facts.packed_bytes < len(STREAM) // 10
    packed = ("packed_bytes", "packed_sha256", "stream_bytes")
    same = {k: v for k, v in asdict(again.facts).items() if k not in packed}
    assert same == {k: v for k, v in asdict(facts).items() if k not in packed}
    again.unpack(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == STREAM
    left = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert left == {"a.snap", "stream", "again"}


@pytest.mark.parametrize("where", [0.0, 0.001, 0.1, 0.5, 0.9, 0.9999])
def test_a_file_that_is_cut_off(tmp_path: Path, saved: Snapshot, where: float) -> None:
    data = saved.path.read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(data[: int(len(data) * where)])
    assert "saved machine" in refused(path, tmp_path / "x") or "damaged" in refused(
        path, tmp_path / "x"
    )


def test_every_byte_of_the_stream_counts(tmp_path: Path, saved: Snapshot) -> None:
    data = bytearray(saved.path.read_bytes())
    path = tmp_path / "changed"
    # gzip ignores the time and the system in its header, but the digest covers both.
    for at in (4, 9, 20, saved.facts.packed_bytes // 2, saved.facts.packed_bytes - 1):
        changed = bytearray(data)
        changed[saved.offset + at] ^= 0x10
        path.write_bytes(changed)
        assert "is damaged" in refused(path, tmp_path / "x")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "not a saved machine"),
        (b"PK\x03\x04" * 10, "not a saved machine"),
        (struct.pack("<8sII", MAGIC, VERSION + 1, 2) + b"{}", "version 2"),
        (struct.pack("<8sII", MAGIC, VERSION, 2) + b"{}", "description"),
        (struct.pack("<8sII", MAGIC, VERSION, 2) + b"[]", "description"),
        (struct.pack("<8sII", MAGIC, VERSION, 4) + b"\xff\xfe{}", "description"),
        (struct.pack("<8sII", MAGIC, VERSION, 2**32 - 1) + b"{}", "description"),
    ],
)
def test_other_files(tmp_path: Path, head: bytes, words: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(head)
    assert words in refused(path, tmp_path / "x")


def refused_fact(tmp_path: Path, saved: Snapshot, name: str, value: Any) -> str:
    """Why a file is refused whose fact `name` has this value."""
    text = json.dumps({**asdict(saved.facts), name: value}).encode()
    path = tmp_path / "kind"
    path.write_bytes(struct.pack("<8sII", MAGIC, VERSION, len(text)) + text)
    return refused(path, tmp_path / "x")


@pytest.mark.parametrize("name", ["memory_mib", "files", "phases", "packed_bytes"])
@pytest.mark.parametrize("value", [None, "text", 1.5])
def test_facts_of_another_kind(
    tmp_path: Path, saved: Snapshot, name: str, value: Any
) -> None:
    assert "description" in refused_fact(tmp_path, saved, name, value)


@pytest.mark.parametrize("value", ["2300000", 1.5, 0, -1, 2**32])
def test_a_frequency_that_cannot_be(
    tmp_path: Path, saved: Snapshot, value: Any
) -> None:
    assert "description" in refused_fact(tmp_path, saved, "tsc_khz", value)


def test_an_older_file_does_not_say_its_frequency(
    tmp_path: Path, saved: Snapshot
) -> None:
    facts = asdict(saved.facts)
    del facts["tsc_khz"]
    text = json.dumps(facts).encode()
    path = tmp_path / "older"
    stream = saved.path.read_bytes()[saved.offset :]
    path.write_bytes(struct.pack("<8sII", MAGIC, VERSION, len(text)) + text + stream)
    older = read_snapshot(path)
    assert older.facts == replace(saved.facts, tsc_khz=None)
    older.unpack(tmp_path / "again")


def test_a_directory_and_nothing(tmp_path: Path) -> None:
    assert "cannot read" in refused(tmp_path, tmp_path / "x")
    assert "cannot read" in refused(tmp_path / "none", tmp_path / "x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"guest": "another"}, "holds guest"),
        ({"qemu": "10.1.0"}, "saved by QEMU 10.0.13, this is 10.1.0"),
        ({"files": []}, "other files"),
        ({"machine": {}}, "other machine"),
        ({"memory_mib": 512}, "other memory of fake64-tiny (64, not 512)"),
        ({"smp": 1}, "other number of CPUs of fake64-tiny (2, not 1)"),
        ({"icount": 3}, "other icount"),
        ({"devices": [{"kind": "disk"}]}, "other devices"),
    ],
)
def test_another_machine_is_refused(
    saved: Snapshot, facts: Facts, change: dict[str, Any], words: str
) -> None:
    check_machine(saved, facts)
    with pytest.raises(TierlabError, match="save it again") as error:
        check_machine(saved, replace(facts, **change))
    assert words in error.value.line()


def test_how_it_was_saved_does_not_matter(saved: Snapshot, facts: Facts) -> None:
    other: dict[str, Any] = {
        "engine": "native",
        "tier": "-",
        "seed": 9,
        "marker": "",
        "phases": [],
    }
    for key, value in other.items():
        assert asdict(saved.facts)[key] != value, key
    check_machine(saved, replace(facts, workload="none", **other))


def test_no_room(tmp_path: Path, saved: Snapshot, facts: Facts) -> None:
    with pytest.raises(TierlabError, match="cannot write"):
        write_snapshot(tmp_path / "none" / "a.snap", facts, tmp_path / "stream")
