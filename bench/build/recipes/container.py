"""The steps of the Dockerfile, done in a fresh root file system.

No container engine is needed: mmdebstrap makes what `FROM debian:trixie-slim` gives,
and chroot does each instruction in it. The product is a report of what the steps left
there; the root file system itself is thrown away.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.build import Context, SetupError, Step

PRODUCT = "container-steps"
REPORT = "report.json"
DOCKERFILE = "Dockerfile"
_FROM = re.compile(r"debian:([a-z]+)-slim")

# What a container engine mounts. $1 is the root file system, $2 a folder to show at
# $3 ("" for none), $4 where to begin; the rest is the command.
_INSIDE = """
set -eu
root=$1 shown=$2 place=$3 begin=$4
shift 4
# Where / is no mount point, in a chroot, the launcher has made all mounts private.
mount --make-rprivate / 2>/dev/null || :
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
if [ -n "$shown" ]; then
    mkdir -p "$root$place"
    mount --bind "$shown" "$root$place"
fi
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$begin" "$@"
"""


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, its continued lines joined."""

    name: str
    value: str


@dataclass
class Container:
    """What the instructions so far have made."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"


def parse(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile, without its comments."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    found = []
    for line in filter(str.strip, joined.splitlines()):
        name, _, value = line.strip().partition(" ")
        found.append(Instruction(name.upper(), value.strip()))
    return found


def suite_of(instructions: list[Instruction]) -> str:
    """Debian's suite that the first instruction begins with."""
    first = instructions[0] if instructions else Instruction("", "")
    based = _FROM.fullmatch(first.value)
    if first.name != "FROM" or based is None:
        raise SetupError(
            f"the {DOCKERFILE} cannot be checked",
            f"it begins with '{first.name} {first.value}', not with a slim Debian",
            "begin with FROM debian:SUITE-slim",
        )
    return based.group(1)


def _do(ctx: Context, made: Container, step: Instruction) -> None:
    if step.name == "COPY":
        source, target = shlex.split(step.value)
        place = made.root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ctx.root / source, place)
    elif step.name == "RUN":
        _chroot(ctx, made, ["/bin/sh", "-c", step.value])
    elif step.name == "ENV":
        made.environment |= dict(word.split("=", 1) for word in shlex.split(step.value))
    elif step.name == "WORKDIR":
        made.folder = step.value
        (made.root / step.value.lstrip("/")).mkdir(parents=True, exist_ok=True)
    else:
        raise SetupError(
            f"the {DOCKERFILE} cannot be checked",
            f"nothing here does the instruction {step.name}",
            "teach it to bench/build/recipes/container.py",
        )


def _chroot(
    ctx: Context, made: Container, argv: list[str], shown: Path | None = None
) -> None:
    where = [str(shown or ""), made.folder if shown else "", made.folder]
    inside = ["sh", "-c", _INSIDE, "container", str(made.root), *where, *argv]
    space = ["unshare", "--mount", "--propagation", "unchanged"]
    ctx.run([*space, *inside], env=_environment(made.environment))


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """As in a container: a path, the proxies of this machine, and what ENV says."""
    proxies = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "HOME": "/root", **proxies, **own}


def _container(ctx: Context) -> None:
    instructions = parse((ctx.root / DOCKERFILE).read_text(encoding="utf-8"))
    suite = suite_of(instructions)
    made = Container(ctx.work / "root")
    shutil.rmtree(made.root, ignore_errors=True)
    ctx.run(
        ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
         "--aptopt=APT::Sandbox::User \"root\"", "--dpkgopt=force-unsafe-io",
         suite, str(made.root)]
    )  # fmt: skip
    for step in instructions[1:]:
        _do(ctx, made, step)
    # The launcher finds all that it wants, and begins.
    _chroot(ctx, made, ["./tierlab", "--help"], ctx.root)
    report = {
        "suite": suite,
        "environment": made.environment,
        "folder": made.folder,
        "packages": _installed(made.root),
    }
    (ctx.out / REPORT).write_text(json.dumps(report, indent=2) + "\n")
    shutil.rmtree(made.root)


def _installed(root: Path) -> list[str]:
    argv = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show"]
    argv.append("--showformat=${db:Status-Status} ${Package}\\n")
    shown = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    words = (line.split() for line in shown.splitlines())
    return sorted(name for status, name in words if status == "installed")


STEPS: list[Step] = [
    Step(
        name=PRODUCT,
        title="steps of the Dockerfile, in a fresh root",
        files=("bench/build/recipes/container.py", DOCKERFILE, "packages.txt"),
        values=(),
        needs=(),
        action=_container,
        minutes=5.0,
        packages=("tests",),
    ),
]
