"""Files in memory against the kernel's: memfs-*.c, natively."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bench.base.places import ROOT
from bench.build.recipes import qemu as recipe

HERE = Path(__file__).resolve().parent
POSIX = ROOT / recipe.POSIX
CALLS = "20000"
# What memfs-alloc.c replaces.
ALLOCATOR = ("malloc", "calloc", "realloc", "strdup", "free")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The check, with sanitizers."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    out = tmp_path_factory.mktemp("memfs") / "check"
    sources = [*sorted(HERE.glob("memfs-*.c")), *sorted(POSIX.glob("memfs*.c"))]
    argv = ["cc", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"]
    argv += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    argv += [f"-Wl,--wrap={name}" for name in ALLOCATOR]
    argv += [f"-I{POSIX}", "-pthread", *map(str, sources), "-o", str(out)]
    subprocess.run(argv, check=True)
    return out


@pytest.mark.parametrize("seed", range(1, 7))
def test_calls_answer_as_the_kernels(program: Path, tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    done = subprocess.run(
        [str(program), str(folder), str(seed), CALLS],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("all is well\n", "", 0)
