"""The few modules of a Debian kernel that guests' devices need.

Debian's kernels have virtio's drivers, 9p and ext4 as modules. The initramfs has these
modules unpacked, so that the guest spends no time on that.
"""

from __future__ import annotations

import lzma
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.build import SetupError

LIST = "list"

Depends = Callable[[str], list[str]]


def collect(package: Path, wanted: Iterable[str], into: Path) -> None:
    """Fill `into` with the modules of an unpacked package that are wanted.

    The file `list` there has a line for each module: its name and all files to load
    for it, in order. A module that the package does not have is built into its
    kernel, or not needed there.
    """
    files = {_name(path): path for path in package.rglob("*.ko*")}
    into.mkdir()
    lines = []
    for module in wanted:
        if module in files:
            order = load_order(module, lambda name: _depends(files, name))
            lines.append(f"{module} {' '.join(order)}\n")
            for name in order:
                (into / f"{name}.ko").write_bytes(_plain(files[name]))
    (into / LIST).write_text("".join(lines))


def load_order(module: str, depends: Depends) -> list[str]:
    """`module` behind all that it needs, each once."""
    order: list[str] = []
    for name in depends(module):
        order += [n for n in load_order(name, depends) if n not in order]
    return [*order, module]


def _depends(files: dict[str, Path], name: str) -> list[str]:
    if name not in files:
        raise SetupError(
            f"the kernel's module {name} is not in its package",
            "another module depends on it",
            "report this, with the package's version",
        )
    command = ["modinfo", "-F", "depends", str(files[name])]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    if shown.returncode != 0:
        raise SetupError(
            f"{files[name].name} cannot be read",
            shown.stderr.strip(),
            "install kmod and run again",
        )
    return sorted(filter(None, shown.stdout.strip().split(",")))


def _name(path: Path) -> str:
    return path.name.partition(".")[0].replace("-", "_")


def _plain(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data
