"""How the guests are made: kernels, the initramfs, and both put together.

A guest's product is assembled from a kernel's and the initramfs's, so that a
change of /init does not build a kernel again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

from bench.guests import catalogue, image, initramfs, kernel, manifest
from bench.guests.apt import extract, first_dependency, foreign_apt
from bench.setup import Context, SetupError, Step

_HERE = "bench/guests"


def _fetch_debian_kernel(ctx: Context) -> None:
    """The kernel that Debian's newest riscv64 kernel package holds."""
    with foreign_apt(ctx, "riscv64") as apt:
        meta = apt.package("linux-image-riscv64")
        name = first_dependency(meta, r"linux-image-[0-9].*")
        deb = apt.download(apt.package(name))
        data = extract(deb, r"boot/vmlinu[xz]-.*")
    _store_kernel(ctx, data, name)


def _build_tiny_kernel(ctx: Context) -> None:
    _store_kernel(ctx, kernel.build_tiny(ctx), kernel.SOURCE_PACKAGE)


def _store_kernel(ctx: Context, data: bytes, origin: str) -> None:
    try:
        data = image.bootable(data)
        image.release(data)
    except image.ImageError as error:
        raise SetupError(
            f"the kernel of {origin} cannot be used",
            str(error),
            "report this, with the package's version",
        ) from error
    (ctx.out / "kernel").write_bytes(data)


def _build_initramfs(ctx: Context) -> None:
    with foreign_apt(ctx, "riscv64") as apt:
        deb = apt.download(apt.package("busybox-static"))
        busybox = extract(deb, r"(usr/)?bin/busybox")
    init = (ctx.root / _HERE / "init").read_bytes()
    archive = initramfs.build(busybox, init, "riscv64", "virt")
    (ctx.out / "initrd").write_bytes(archive)


def _assembler(spec: catalogue.GuestSpec) -> Callable[[Context], None]:
    def assemble(ctx: Context) -> None:
        kernel_file = ctx.needs[_kernel_product(spec)] / "kernel"
        shutil.copyfile(kernel_file, ctx.out / "kernel")
        shutil.copyfile(
            ctx.needs[_initramfs_product(spec)] / "initrd", ctx.out / "initrd"
        )
        version = image.release(kernel_file.read_bytes())
        manifest.write(spec, ctx.out, version)
        manifest.load(ctx.out)

    return assemble


def _kernel_product(spec: catalogue.GuestSpec) -> str:
    return f"kernel-{spec.name}"


def _initramfs_product(spec: catalogue.GuestSpec) -> str:
    return f"initramfs-{spec.arch}"


def _guest_step(spec: catalogue.GuestSpec) -> Step:
    return Step(
        name=spec.product,
        title=f"guest {spec.name}",
        files=(
            f"{_HERE}/catalogue.py",
            f"{_HERE}/guest.py",
            f"{_HERE}/manifest.py",
            f"{_HERE}/recipe.py",
        ),
        values=(),
        needs=(_kernel_product(spec), _initramfs_product(spec)),
        action=_assembler(spec),
        minutes=0.1,
    )


STEPS: list[Step] = [
    Step(
        name="kernel-riscv64-debian",
        title="Debian's kernel for riscv64",
        files=(f"{_HERE}/apt.py", f"{_HERE}/image.py"),
        values=("linux-image-riscv64",),
        needs=(),
        action=_fetch_debian_kernel,
        minutes=0.5,
    ),
    Step(
        name="kernel-riscv64-tiny",
        title="small kernel for riscv64",
        files=(kernel.CONFIG, f"{_HERE}/kernel.py", f"{_HERE}/image.py"),
        values=(kernel.source_identity(),),
        needs=(),
        action=_build_tiny_kernel,
        minutes=5.0,
    ),
    Step(
        name="initramfs-riscv64",
        title="initramfs for riscv64",
        files=(
            f"{_HERE}/init",
            f"{_HERE}/apt.py",
            f"{_HERE}/cpio.py",
            f"{_HERE}/initramfs.py",
        ),
        values=("busybox-static",),
        needs=(),
        action=_build_initramfs,
        minutes=0.2,
    ),
    *(_guest_step(spec) for spec in catalogue.GUESTS),
]
