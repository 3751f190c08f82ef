"""Each check of style finds a fault of its kind, and passes a checkout without one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.base.places import ROOT
from bench.cli import style

# Each check that must find a fault, and a file with one such fault.
FAULTS = {
    "clang-format": ("a.c", "int  f( void ){return 0;}\n"),
    "C has at most": ("a.h", f"/* {'x' * 80} */\n"),
    "black": ("a.py", "x = [1,2]\n"),
    "isort": ("a.py", "import sys\nimport os\n\nprint(os, sys)\n"),
    "flake8": ("a.py", "import os\n"),
    "shellcheck": ("tierlab", "#!/bin/sh\ncat $1\n"),
    "mypy": ("bench/a.py", 'x: int = "text"\n'),
}
CLEAN = {
    "a.c": "int f(void);\n",
    "a.py": '"""Nothing."""\n',
    "bench/a.py": '"""Nothing."""\n',
    "analysis/__init__.py": "",
    "bench/__init__.py": "",
    "tierlab": '#!/bin/sh\ncat "$1"\n',
}

pytestmark = pytest.mark.skipif(
    shutil.which("clang-format") is None, reason="outside the reference environment"
)


def checkout(tmp_path: Path, files: dict[str, str]) -> Path:
    """A small checkout with this checkout's settings of the style checks."""
    root = tmp_path / "checkout"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name in ("pyproject.toml", ".flake8", ".clang-format"):
        shutil.copy(ROOT / name, root)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def findings(root: Path, title: str = "") -> dict[str, str]:
    """The findings of the checks whose titles begin with `title`."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    chosen = [check for check in style.CHECKS if check.title.startswith(title)]
    return {f.title: f.output for f in style.run_checks(environment, root, chosen)}


def test_a_clean_checkout_passes(tmp_path: Path) -> None:
    found = findings(checkout(tmp_path, CLEAN))
    assert {title: text for title, text in found.items() if text} == {}


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_found(tmp_path: Path, check: str) -> None:
    name, text = FAULTS[check]
    found = findings(checkout(tmp_path, {**CLEAN, name: text}), check)
    assert [name in output for output in found.values()] == [True]


def test_nothing_to_check_is_a_fault(tmp_path: Path) -> None:
    files = {name: text for name, text in CLEAN.items() if not name.endswith(".c")}
    found = findings(checkout(tmp_path, files), "clang-format")
    assert "there is no file to check" in found["clang-format: C is laid out"]
