"""What can be found out about a kernel image without booting it."""

from __future__ import annotations

import re
import zlib

_RISCV_MAGIC = b"RSC\x05"
_RISCV_MAGIC_AT = 0x38
_GZIP_MAGIC = b"\x1f\x8b\x08"


class ImageError(ValueError):
    """The image is nothing that QEMU's -kernel boots."""


def bootable(image: bytes) -> bytes:
    """`image` as riscv64 QEMU's -kernel takes it: a plain Image.

    Debian 13 packs it plain; QEMU does not unpack gzip on this machine.
    """
    if image.startswith(_GZIP_MAGIC):
        try:
            image = zlib.decompress(image, wbits=31)
        except zlib.error as error:
            raise ImageError(f"its gzip data are damaged ({error})") from error
    magic = image[_RISCV_MAGIC_AT : _RISCV_MAGIC_AT + len(_RISCV_MAGIC)]
    if magic != _RISCV_MAGIC:
        raise ImageError("it is not a riscv64 Image")
    return image


def release(image: bytes) -> str:
    """The version in the "Linux version" line that the kernel will print."""
    found = re.search(rb"Linux version ([0-9][!-~]*) \(", image)
    if found is None:
        raise ImageError("it has no Linux version line")
    return found[1].decode("ascii")
