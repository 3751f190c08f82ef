"""Facts about a kernel image that can be read without booting it."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

_GZIP_MAGIC = b"\x1f\x8b\x08"
# The place where a bzImage has the offset of its version text, and the base of that
# (Documentation/arch/x86/boot.rst).
_VERSION_AT = 0x20E
_VERSION_BASE = 0x200


class ImageError(ValueError):
    """The image is not one that QEMU's -kernel boots."""


@dataclass(frozen=True)
class _Format:
    name: str
    at: int
    magic: bytes

    def fits(self, image: bytes) -> bool:
        return image[self.at : self.at + len(self.magic)] == self.magic


_BZIMAGE = _Format("bzImage", 0x202, b"HdrS")
_FORMATS = {
    "riscv64": (_Format("riscv64 Image", 0x38, b"RSC\x05"),),
    "aarch64": (_Format("arm64 Image", 0x38, b"ARM\x64"),),
    # QEMU enters an ELF file by PVH
    "x86_64": (_BZIMAGE, _Format("64-bit ELF file", 0, b"\x7fELF\x02")),
    "i386": (_BZIMAGE,),
}


def bootable(image: bytes, arch: str) -> bytes:
    """`image` in a form that QEMU's -kernel takes on machines of `arch`.

    Debian 13 packs Images plain; QEMU does not unpack gzip on riscv64.
    """
    if image.startswith(_GZIP_MAGIC):
        try:
            image = zlib.decompress(image, wbits=31)
        except zlib.error as error:
            raise ImageError(f"its gzip data are damaged ({error})") from error
    formats = _FORMATS[arch]
    if not any(known.fits(image) for known in formats):
        names = " or ".join(known.name for known in formats)
        raise ImageError(f"it is no {names}")
    return image


def release(image: bytes) -> str:
    """The version in the "Linux version" line that the kernel will print."""
    if _BZIMAGE.fits(image):
        at = int.from_bytes(image[_VERSION_AT : _VERSION_AT + 2], "little")
        found = re.match(rb"([0-9][!-~]*) \(", image[at + _VERSION_BASE :][:200])
    else:
        found = re.search(rb"Linux version ([0-9][!-~]*) \(", image)
    if found is None:
        raise ImageError("it has no Linux version line")
    return found[1].decode("ascii")
