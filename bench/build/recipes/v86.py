"""v86 from its npm package, with the firmware that the package leaves out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from bench.build import Context, SetupError, Step
from bench.build.upstream import installed

PACKAGE = "v86"
VERSION = "0.5.462"
INTEGRITY = (
    "sha512-aKPX7DdzqAKFRv2omDkqSju0uEzlOxzo+II82J5UT7+tZNsboA6kyaNq9NKAnxvo9hzpJ8dQ"
    "j7vcvcz0J7I2QA=="
)
PRODUCT = "v86"
LIBRARY, PROGRAM, BIOS, VERSIONS = "libv86.mjs", "v86.wasm", "bios.bin", "versions.json"

# v86 puts the BIOS at the end of the first MiB. This BIOS has 128 KiB, which leaves
# room for option ROMs; bios-256k.bin would fill that room.
FIRMWARE = Path("/usr/share/seabios/bios.bin")
FIRMWARE_PACKAGE = "seabios"


def _v86(ctx: Context) -> None:
    tarball = ctx.npm_fetch(PACKAGE, VERSION, INTEGRITY)
    ctx.run(["tar", "-xf", str(tarball), "-C", str(ctx.work)])
    package = ctx.work / "package"
    for name in (LIBRARY, PROGRAM):
        shutil.copyfile(package / "build" / name, ctx.out / name)
    shutil.copyfile(package / "LICENSE", ctx.out / "LICENSE")
    if not FIRMWARE.is_file():
        raise SetupError(
            f"{FIRMWARE} is missing",
            f"the package {FIRMWARE_PACKAGE} is not installed",
            f"install {FIRMWARE_PACKAGE} and run again",
        )
    shutil.copyfile(FIRMWARE, ctx.out / BIOS)
    # This version names the commit of the package; the registry's does not.
    full = json.loads((package / "package.json").read_text())["version"]
    versions = {"v86": full, "firmware": installed(FIRMWARE_PACKAGE)}
    (ctx.out / VERSIONS).write_text(json.dumps(versions, indent=2) + "\n")


STEPS: list[Step] = [
    Step(
        name=PRODUCT,
        title=f"v86 {VERSION}",
        files=("bench/build/recipes/v86.py",),
        values=(installed(FIRMWARE_PACKAGE),),
        needs=(),
        action=_v86,
        minutes=0.1,
        packages=("npm",),
    ),
]
