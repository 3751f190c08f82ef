"""How the guests are made: kernels, user lands, and both put together.

A guest's product is put together from a kernel's product and a user land's, so that a
change of /init builds no kernel again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from bench.build import Context, SetupError, Step
from bench.guests import (
    catalogue,
    image,
    initramfs,
    kernel,
    manifest,
    modules,
    programs,
)
from bench.guests.packages import extract, first_dependency, foreign_apt
from bench.guests.roots import programs as roots
from bench.guests.sources import (
    ARCHITECTURES,
    PACKAGED,
    TINY,
    Architecture,
    Packaged,
    Tiny,
)

_HERE = "bench/guests"
_USERLAND = f"{_HERE}/userland"
_MODULES = "modules"
_BUSYBOX = "busybox"

Action = Callable[[Context], None]


def _fetcher(packaged: Packaged) -> Action:
    def fetch(ctx: Context) -> None:
        """The kernel, device trees and modules of the newest package."""
        architecture = ARCHITECTURES[packaged.arch]
        with foreign_apt(ctx, architecture.debian, architecture.suite) as apt:
            name = first_dependency(apt.package(packaged.meta), r"linux-image-[0-9].*")
            deb = apt.download(apt.package(name))
            tree = ctx.work / "package"
            shutil.rmtree(tree, ignore_errors=True)
            ctx.run(["dpkg-deb", "--extract", str(deb), str(tree)])
        found = _one(tree, "boot/vmlinu[xz]-*", name)
        _store_kernel(ctx, found.read_bytes(), packaged.arch, name)
        for wanted in packaged.trees:
            shutil.copyfile(_one(tree, f"usr/lib/**/{wanted}", name), ctx.out / wanted)
        modules.collect(tree, packaged.modules, ctx.out / _MODULES)
        shutil.rmtree(tree)

    return fetch


def _one(tree: Path, pattern: str, package: str) -> Path:
    found = sorted(tree.glob(pattern))
    if not found:
        raise SetupError(
            f"the package {package} is not as expected",
            f"no file in it matches {pattern}",
            "report this, with the package's version",
        )
    return found[0]


def _builder(tiny: Tiny) -> Action:
    def build(ctx: Context) -> None:
        data = kernel.build_tiny(ctx, tiny)
        _store_kernel(ctx, data, tiny.arch, kernel.SOURCE_PACKAGE)

    return build


def _store_kernel(ctx: Context, data: bytes, arch: str, origin: str) -> None:
    try:
        data = image.bootable(data, arch)
        image.release(data)
    except image.ImageError as error:
        raise SetupError(
            f"the kernel of {origin} cannot be used",
            str(error),
            "report this, with the package's version",
        ) from error
    (ctx.out / "kernel").write_bytes(data)


def _userland(architecture: Architecture) -> Action:
    def make(ctx: Context) -> None:
        """busybox from its package, programs from their source."""
        with foreign_apt(ctx, architecture.debian, architecture.suite) as apt:
            deb = apt.download(apt.package("busybox-static"))
            (ctx.out / _BUSYBOX).write_bytes(extract(deb, r"(usr/)?bin/busybox"))
        programs.build(ctx, architecture)

    return make


def _assembler(spec: catalogue.GuestSpec) -> Action:
    def assemble(ctx: Context) -> None:
        made = ctx.needs[_kernel_product(spec)]
        userland = ctx.needs[ARCHITECTURES[spec.userland].product]
        shutil.copyfile(made / "kernel", ctx.out / "kernel")
        if spec.dtb:
            shutil.copyfile(made / spec.dtb, ctx.out / "dtb")
        archive = initramfs.build(
            (userland / _BUSYBOX).read_bytes(),
            _files(ctx.root / _USERLAND, tuple(initramfs.SCRIPTS)),
            spec,
            _files(userland, programs.names(ARCHITECTURES[spec.userland])),
            _files(made / _MODULES),
        )
        (ctx.out / "initrd").write_bytes(archive)
        version = image.release((made / "kernel").read_bytes())
        manifest.write(spec, ctx.out, version)
        manifest.load(ctx.out)

    return assemble


def _files(directory: Path, names: tuple[str, ...] | None = None) -> dict[str, bytes]:
    """Files by their names: those named, or all if there is the directory."""
    if names is None:
        names = tuple(p.name for p in directory.iterdir()) if directory.is_dir() else ()
    return {name: (directory / name).read_bytes() for name in names}


def _kernel_product(spec: catalogue.GuestSpec) -> str:
    return f"kernel-{spec.kernel or spec.name}"


def _packaged_step(packaged: Packaged) -> Step:
    return Step(
        name=packaged.product,
        title=f"Debian's kernel for {packaged.arch}",
        files=tuple(f"{_HERE}/{name}.py" for name in ("packages", "image", "modules")),
        values=(repr(packaged), repr(ARCHITECTURES[packaged.arch])),
        needs=(),
        action=_fetcher(packaged),
        minutes=0.7,
    )


def _tiny_step(tiny: Tiny) -> Step:
    return Step(
        name=tiny.product,
        title=f"small kernel for {tiny.arch}",
        files=(
            *kernel.configs(tiny),
            f"{_HERE}/kernel.py",
            f"{_HERE}/image.py",
        ),
        values=(repr(tiny), kernel.identity(tiny)),
        needs=(),
        action=_builder(tiny),
        minutes=5.0,
    )


def _userland_step(architecture: Architecture) -> Step:
    return Step(
        name=architecture.product,
        title=f"busybox and programs for {architecture.name}",
        files=(f"{_HERE}/packages.py", f"{_HERE}/programs.py", f"{programs.SOURCES}/*"),
        values=(repr(architecture), programs.identity(architecture)),
        needs=(),
        action=_userland(architecture),
        minutes=0.2,
    )


def _guest_step(spec: catalogue.GuestSpec) -> Step:
    parts = ("catalogue", "cpio", "guest", "initramfs", "manifest", "recipe")
    return Step(
        name=spec.product,
        title=f"guest {spec.name}",
        files=(
            *(f"{_USERLAND}/{script}" for script in initramfs.SCRIPTS),
            *(f"{_HERE}/{part}.py" for part in parts),
        ),
        values=(),
        needs=(_kernel_product(spec), ARCHITECTURES[spec.userland].product),
        action=_assembler(spec),
        minutes=0.1,
    )


STEPS: list[Step] = [
    *(_packaged_step(packaged) for packaged in PACKAGED),
    *(_tiny_step(tiny) for tiny in TINY),
    *(_userland_step(architecture) for architecture in ARCHITECTURES.values()),
    *(_guest_step(spec) for spec in catalogue.GUESTS),
    *roots.STEPS,
]
