"""Where kernels and user lands come from: one entry each, recipes follow from it.

A kernel comes from a Debian package, or is made from Debian's linux-source with
tiny.config and ARCH-tiny.config.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """An instruction set that guests run, by the name of its guests."""

    name: str
    debian: str
    compiler: str  # prefix of Debian's gcc and binutils for it
    compiler_package: str
    flags: tuple[str, ...] = ()  # the compiler's options for this architecture
    suite: str = ""  # Debian suite of its packages; "" is the reference environment's

    @property
    def product(self) -> str:
        """The product with busybox and our programs."""
        return f"userland-{self.name}"


ARCHITECTURES: dict[str, Architecture] = {
    a.name: a
    for a in (
        Architecture(
            "riscv64", "riscv64", "riscv64-linux-gnu-", "gcc-riscv64-linux-gnu"
        ),
        Architecture("aarch64", "arm64", "aarch64-linux-gnu-", "gcc-aarch64-linux-gnu"),
        Architecture("x86_64", "amd64", "x86_64-linux-gnu-", "gcc"),
        # Debian 13 has no 32-bit kernel any more.
        Architecture("i386", "i386", "x86_64-linux-gnu-", "gcc", ("-m32",), "bookworm"),
    )
}


@dataclass(frozen=True)
class Packaged:
    """A kernel in a Debian package that `meta` depends on."""

    name: str
    arch: str
    meta: str
    # Modules that /init loads for devices. A module that this kernel has built in,
    # or does not know, is left out.
    modules: tuple[str, ...] = ()
    # Device trees to take out of the package, by the names of their files.
    trees: tuple[str, ...] = ()

    @property
    def product(self) -> str:
        """The product that holds it."""
        return f"kernel-{self.name}"


@dataclass(frozen=True)
class Tiny:
    """A kernel that is built with our configuration."""

    arch: str
    kbuild: str  # Kbuild's name of the architecture
    target: str  # the target of make ...
    file: str  # ... and the file that make leaves
    configs: tuple[str, ...]  # files NAME.config, put together

    @property
    def name(self) -> str:
        """The kernel's name, which is that of its first guest."""
        return f"{self.arch}-tiny"

    @property
    def product(self) -> str:
        """The product that holds it."""
        return f"kernel-{self.name}"


# ext4 asks for crc32c by name when it mounts, not as a dependency. A root file system
# on a disk that nobody writes lies under an overlay.
_VIRTIO = (
    *("virtio_blk", "virtio_net", "9pnet_virtio", "9p"),
    *("crc32c_generic", "ext4", "overlay"),
)

PACKAGED: tuple[Packaged, ...] = (
    Packaged("riscv64-debian", "riscv64", "linux-image-riscv64", _VIRTIO),
    Packaged(
        "aarch64-debian",
        "aarch64",
        "linux-image-arm64",
        # the watchdog powers a Raspberry Pi off
        (*_VIRTIO, "bcm2835_wdt"),
        ("bcm2837-rpi-3-a-plus.dtb",),
    ),
    # microvm's virtio bus is a module
    Packaged("x86_64-debian", "x86_64", "linux-image-amd64", ("virtio_mmio", *_VIRTIO)),
    # in this older kernel virtio itself is a module as well
    Packaged("i386-debian", "i386", "linux-image-686", ("virtio_pci", *_VIRTIO)),
)

TINY: tuple[Tiny, ...] = (
    Tiny(
        "riscv64", "riscv", "Image", "arch/riscv/boot/Image", ("tiny", "riscv64-tiny")
    ),
    Tiny(
        "aarch64", "arm64", "Image", "arch/arm64/boot/Image", ("tiny", "aarch64-tiny")
    ),
    # QEMU enters the ELF file by PVH, so no boot unpacks a kernel
    Tiny("x86_64", "x86", "vmlinux", "vmlinux", ("tiny", "x86_64-tiny")),
)
