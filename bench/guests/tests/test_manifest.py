"""A good guest.json is read, a broken one is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.guests import catalogue, manifest

SPEC = catalogue.GUESTS[0]


@pytest.fixture
def product(tmp_path: Path) -> Path:
    (tmp_path / "kernel").write_bytes(b"kernel")
    (tmp_path / "initrd").write_bytes(b"initramfs")
    manifest.write(SPEC, tmp_path, "6.12.1-test")
    return tmp_path


def test_reads_what_was_written(product: Path) -> None:
    guest = manifest.load(product)
    assert guest.name == SPEC.name
    assert guest.append == SPEC.append
    assert guest.kernel_version == "6.12.1-test"
    assert [(f.role, f.size) for f in guest.files] == [("kernel", 6), ("initrd", 9)]
    assert (guest.cpu, guest.smp, guest.firmware) == (None, 1, None)
    assert guest.markers[0].phase == "firmware"
    guest.verify()


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda raw: raw.pop("append"), "append is not a text"),
        (lambda raw: raw.update(memory_mib="256"), "memory_mib is not"),
        (lambda raw: raw.update(memory_mib=True), "memory_mib is not"),
        (lambda raw: raw.update(memory_mib=0), "memory_mib is not"),
        (lambda raw: raw.update(schema=1), "has schema 1, not 2"),
        (lambda raw: raw.pop("cpu"), "cpu is not a text"),
        (lambda raw: raw.update(arguments=[1]), "not a list of texts"),
        (lambda raw: raw.update(files={}), "not an object of files by role"),
        (lambda raw: raw.update(files={"disk": {}}), "not an object of files by role"),
        (
            lambda raw: raw["files"]["kernel"].update(sha256="abc"),
            "kernel has not a SHA",
        ),
        (lambda raw: raw["files"]["initrd"].update(bytes=0), "initrd has no bytes"),
        (lambda raw: raw.update(markers=[]), "not a list of markers"),
        (lambda raw: raw.update(markers=["x"]), "known phases"),
        (
            lambda raw: raw.update(markers=[{"phase": "lunch", "match": "x"}]),
            "known phases",
        ),
        (
            lambda raw: raw.update(markers=[{"phase": "init", "match": "("}]),
            "valid regexes",
        ),
        (
            lambda raw: raw.update(markers=[{"phase": "init", "match": 5}]),
            "valid regexes",
        ),
        (
            lambda raw: raw.update(markers=[{"phase": "init"}]),
            "valid regexes",
        ),
    ],
)
def test_broken_field(product: Path, change: Change, complaint: str) -> None:
    path = product / manifest.FILE_NAME
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))
    check_refused(product, complaint)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not JSON"),
        ('{"schema": 1,', "is not JSON"),
        ("[]", "is not an object"),
        ("\ufffd\x00", "is not JSON"),
    ],
)
def test_broken_file(product: Path, text: str, complaint: str) -> None:
    (product / manifest.FILE_NAME).write_text(text)
    check_refused(product, complaint)


def test_file_of_undecodable_bytes(product: Path) -> None:
    (product / manifest.FILE_NAME).write_bytes(b"\xff\xfe{}")
    check_refused(product, "is not JSON")


def test_missing_file(product: Path) -> None:
    (product / manifest.FILE_NAME).unlink()
    check_refused(product, "cannot be read")


def test_missing_kernel(product: Path) -> None:
    (product / "kernel").unlink()
    check_refused(product, "kernel is missing")


def test_truncated_initrd(product: Path) -> None:
    (product / "initrd").write_bytes(b"init")
    check_refused(product, "initrd has 4 bytes, not 9")


def test_changed_kernel_of_the_same_size(product: Path) -> None:
    (product / "kernel").write_bytes(b"colonel"[:6])
    with pytest.raises(catalogue.GuestError, match="kernel was changed"):
        manifest.load(product).verify()


def check_refused(product: Path, complaint: str) -> None:
    with pytest.raises(catalogue.GuestError, match=complaint) as caught:
        manifest.load(product)
    message = str(caught.value)
    assert "\n" not in message
    assert str(product) in message
    assert message.endswith("remove that directory and run again")


def test_unknown_names_are_refused_with_the_valid_ones() -> None:
    with pytest.raises(catalogue.GuestError, match="riscv64-tiny, riscv64-deb"):
        catalogue.find_guest("riscv64")
    with pytest.raises(catalogue.GuestError, match="none, sha256, gzip, sh"):
        catalogue.find_workload("idle")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("none", "none"),
        ("sha256:mib=8", "sha256:mib=8"),
        ("sha256:rounds=9,mib=4", "sha256:rounds=9"),
        ("churn:rounds=4,seconds=0", "churn"),
        ("mechanisms:ms=300,pattern=all", "mechanisms"),
        ("stress-ng:method=fft,stressor=cpu", "stress-ng:method=fft"),
        ("mechanisms:pattern=call-16,ms=5", "mechanisms:pattern=call-16,ms=5"),
    ],
)
def test_workload_specs_have_one_form(text: str, spec: str) -> None:
    assert catalogue.workload_spec(text) == spec


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("idle", "no workload is called 'idle': the workloads are none, "),
        ("none:mib=4", "workload none has no parameter 'mib': it has none"),
        ("sha256:size=4", "has no parameter 'size': it has mib, rounds"),
        ("sha256:mib=65", "give 1 to 64 MiB"),
        ("sha256:mib", "mib='' will not do"),
        ("churn:rounds=-1", "give 1 to 1000000 rounds"),
        ("mechanisms:pattern=x", "pattern='x' will not do: give one of all, block-1, "),
        ("mechanisms:pattern=", "pattern='' will not do"),
        ("stress-ng:stressor=fork", "give one of all, quick, atomic, "),
        ("stress-ng:method=a b", "give a word of small letters"),
        ("stress-ng:method=-x", "give a word of small letters"),
    ],
)
def test_bad_workload_specs(text: str, complaint: str) -> None:
    with pytest.raises(catalogue.GuestError, match=complaint):
        catalogue.workload_spec(text)


def test_kernel_words_of_a_workload() -> None:
    assert catalogue.kernel_words("sha256:mib=8,rounds=3") == [
        "tierlab.workload=sha256",
        "tierlab.mib=8",
        "tierlab.rounds=3",
    ]
