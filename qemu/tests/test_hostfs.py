"""The host's files from inside Wasm, without QEMU: hostfs-check.c in Node."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from bench.base.places import ROOT
from bench.harness.products import obtain
from qemu.tests.linked import link

pytestmark = pytest.mark.skipif(
    shutil.which("emcc") is None, reason="outside the reference environment"
)

RUNNER = ROOT / "bench/engines/node/live.mjs"
RUN = """
import { livePart } from '%s';
const settings = {};
const options = livePart.options;
options['--live'](settings, process.argv[2] + '/image');
options['--live-read'](settings, process.argv[2] + '/fixed');
options['--live'](settings, process.argv[2] + '/folder');
livePart.before(settings);
const { default: create } = await import('./check.mjs');
await create({ arguments: [process.argv[2]], onExit: (s) => process.exit(s) });
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The check, linked as QEMU is."""
    out = tmp_path_factory.mktemp("hostfs")
    link("hostfs-check.c", out)
    (out / "run.mjs").write_text(RUN % RUNNER)
    return out


def test_files_of_the_host(program: Path, tmp_path: Path) -> None:
    image, folder = tmp_path / "image", tmp_path / "folder"
    with image.open("wb") as file:
        file.truncate(6 << 30)
    (tmp_path / "fixed").write_text("fixed")
    (tmp_path / "secret").write_text("secret")
    folder.mkdir()
    node = obtain(["node"], Console(stderr=True))["node"] / "bin" / "node"
    done = subprocess.run(
        [str(node), "run.mjs", str(tmp_path)],
        cwd=program,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("all is well\n", "", 0)
    with image.open("rb") as file:
        file.seek(5 << 30)
        assert file.read(6) == b"hello\0"
    assert image.stat().st_blocks * 512 < 1 << 20
    assert sorted(os.listdir(os.fsencode(folder))) == [b"hard", b"out", b"sub"]
    assert stat.S_IMODE((folder / "sub").stat().st_mode) == 0o700
    assert (folder / "hard").stat().st_nlink == 2
    assert os.readlink(folder / "out") == "../secret"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "fixed", "folder", "image", "secret",
    ]  # fmt: skip
