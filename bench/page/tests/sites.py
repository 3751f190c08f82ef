"""Pages for tests, made of fake guests and fake programs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.engines.base import BootRequest
from bench.guests import catalogue, manifest
from bench.guests.devices.disk import Disk
from bench.guests.devices.network import Network
from bench.guests.devices.share import Share
from bench.guests.guest import Guest
from bench.guests.names import WAIT
from bench.harness.snapshots.file import write_snapshot
from bench.harness.snapshots.save_resume import machine_facts
from bench.page.folders import pack
from bench.page.site import Contents, SiteBuilder
from bench.page.snapshots import offered
from bench.testing.fakes import SHARED

FAKE_MACHINE = Path(__file__).with_name("fake_machine.mjs")
GUESTS = ("riscv64-tiny", "x86_64-tiny")
QEMU = "10.0.0"
# The size of a saved machine's stream that fake_machine.mjs expects.
STREAM_BYTES = 5000

NUMBER = {
    "type": "u64",
    "min": 1,
    "max": 1000,
    "range": "a whole number from 1 to 1000",
}

TIERS: dict[str, Any] = {
    "schema": 1,
    "default": "threshold:n=100",
    "policies": [
        {"name": "never", "summary": "compile nothing", "params": []},
        {
            "name": "threshold",
            "summary": "compile at n",
            "source": "a paper",
            "params": [
                {
                    "name": "n",
                    "unit": "executions",
                    "default": 100,
                    "meaning": "when",
                    **NUMBER,
                }
            ],
            "common": {"max-modules": 500},
        },
        {
            "name": "profile",
            "summary": "wants a file",
            "params": [{"name": "from", "type": "text", "default": ""}],
        },
        {
            "name": "odd",
            "summary": "wants words",
            "params": [{"name": "words", "type": "text", "default": ""}],
        },
    ],
    "common": [
        {
            "name": "max-modules",
            "unit": "modules",
            "default": 900,
            "meaning": "alive",
            **NUMBER,
            "max": 100_000,
        },
        {
            "name": "evict",
            "type": "enum",
            "unit": "",
            "default": "clock",
            "choices": ["clock", "flush-all"],
            "range": "one of clock, flush-all",
            "meaning": "who goes",
        },
    ],
}


def make_guest(directory: Path, name: str) -> Guest:
    """A guest of the catalogue whose files cannot boot."""
    directory.mkdir(parents=True)
    (directory / "kernel").write_bytes(b"kernel" * 5000)
    (directory / "initrd").write_bytes(b"initrd" * 5000)
    manifest.write(catalogue.find_guest(name), directory, "6.12.0-fake")
    return manifest.load(directory)


def make_program(directory: Path, arch: str) -> Path:
    """A fake of the product with QEMU."""
    (directory / "share").mkdir(parents=True)
    (directory / f"qemu-system-{arch}.js").write_text("export default 0;\n")
    (directory / f"qemu-system-{arch}.wasm").write_bytes(b"\0asm\1\0\0\0" * 4000)
    (directory / "share" / "firmware.bin").write_bytes(b"firmware" * 500)
    (directory / "versions.json").write_text('{"qemu": "%s"}' % QEMU)
    (directory / ".manifest.json").write_text("{}")
    return directory


def make_libraries(directory: Path) -> Path:
    """A fake of the product with the page's libraries."""
    directory.mkdir(parents=True)
    (directory / "xterm.mjs").write_text("export {};\n")
    (directory / "versions.json").write_text('{"@xterm/xterm": "6.0.0"}')
    return directory


def make_contents(
    scratch: Path,
    libraries: Path | None = None,
    modules: Mapping[str, Path] | None = None,
    shares: tuple[Share, ...] = (),
    network: Network | None = None,
    saved: tuple[str, ...] = (),
    disks: tuple[Disk, ...] = (),
) -> Contents:
    """The contents of a page of fakes."""
    guests = tuple(make_guest(scratch / name, name) for name in GUESTS)
    machines = [make_snapshot(scratch / f"{name}.snap", guests[0]) for name in saved]
    return Contents(
        guests=guests,
        programs={
            g.arch: make_program(scratch / f"qemu-{g.arch}", g.arch) for g in guests
        },
        libraries=libraries or make_libraries(scratch / "libraries"),
        tiers=TIERS,
        provenance={"git": {**SHARED["git"], "commit": "0123456789abcdef"}},
        folders=tuple(map(pack, shares)),
        disks=disks,
        network=network,
        machines=tuple(offered(machines)),
        modules=modules or {},
    )


def make_snapshot(path: Path, of: Guest, **changed: Any) -> Path:
    """A file of a saved machine at its prompt, with a fake stream."""
    request = BootRequest(of, workload=WAIT, memory_mib=300, smp=2, seed=7)
    facts = replace(
        machine_facts(request, QEMU),
        marker="prompt",
        phases=["init", "prompt"],
        engine="node",
        saved="2026-01-02T03:04:05Z",
        console={"text": "the last line\n"},
    )
    stream = path.with_suffix(".stream")
    stream.write_bytes(bytes(STREAM_BYTES))
    write_snapshot(path, replace(facts, **changed), stream)
    return path


def make_shares(directory: Path) -> tuple[Share, Share]:
    """A folder that guests may write to, and a read-only folder."""
    one, two = directory / "my docs", directory / "fixed"
    (one / "sub").mkdir(parents=True)
    (one / "hello").write_text("hello\n")
    (one / "sub" / "grüße").write_bytes(bytes(range(256)) * 40)
    (one / "sub" / "prog").write_text("#!/bin/sh\n")
    (one / "sub" / "prog").chmod(0o755)
    (one / "link").symlink_to("sub/prog")
    two.mkdir()
    (two / "only").write_text("x")
    return Share(one, "docs"), Share(two, "fixed", readonly=True)


def make_site(scratch: Path, contents: Contents | None = None) -> Path:
    """The directory of a page of fakes."""
    out = scratch / "site"
    out.mkdir(parents=True)
    SiteBuilder(out, scratch / "cache").build(contents or make_contents(scratch))
    return out


def built(site: Path) -> dict[str, Any]:
    """The lists that the builder put into the service worker."""
    text = (site / "sw.js").read_text()
    found = re.search(r"^const BUILT = .*\((\{.*\})\)\);$", text, re.MULTILINE)
    assert found is not None
    lists: dict[str, Any] = json.loads(found[1])
    return lists
