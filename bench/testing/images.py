"""Images as the tests need them, right and wrong, written without any tool."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.guests import cpio
from bench.harness.products import obtain

Packing = Callable[[bytes], bytes]
OCI = "application/vnd.oci.image"


def entry(
    name: str,
    data: bytes = b"",
    kind: bytes = tarfile.REGTYPE,
    link: str = "",
    **facts: Any,
) -> tuple[tarfile.TarInfo, bytes]:
    """A member of a layer; `facts` are attributes of TarInfo."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data)
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in facts.items():
        setattr(info, key, value)
    return info, data


def folder(name: str, **facts: Any) -> tuple[tarfile.TarInfo, bytes]:
    """A folder."""
    return entry(name, kind=tarfile.DIRTYPE, **facts)


def symlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    """A symbolic link."""
    return entry(name, kind=tarfile.SYMTYPE, link=target)


def hardlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    """One more name of a file."""
    return entry(name, kind=tarfile.LNKTYPE, link=target)


def layer(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A layer that is not packed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zstd(data: bytes) -> bytes:
    """Pack by zstd."""
    argv = ["zstd", "--quiet", "--stdout"]
    return subprocess.run(argv, input=data, capture_output=True, check=True).stdout


def gz(data: bytes) -> bytes:
    """Pack by gzip."""
    return gzip.compress(data, mtime=0)


def plain(data: bytes) -> bytes:
    """Do not pack."""
    return data


def digest(data: bytes) -> str:
    """sha256:HEX."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def config_of(
    layers: Sequence[bytes], arch: str = "riscv64", **config: Any
) -> dict[str, Any]:
    """An image's config; `config` is what is run."""
    return {
        "architecture": arch,
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in layers]},
    }


def oci(
    layers: Sequence[bytes],
    packing: Packing = gz,
    arch: str = "riscv64",
    name: str = "",
    **config: Any,
) -> dict[str, bytes]:
    """The files of an OCI layout with one image."""
    files: dict[str, bytes] = {}
    described = add_image(files, layers, packing, arch, **config)
    if name:
        described["annotations"] = {"org.opencontainers.image.ref.name": name}
    return finish(files, [described])


def add_image(
    files: dict[str, bytes],
    layers: Sequence[bytes],
    packing: Packing = gz,
    arch: str = "riscv64",
    **config: Any,
) -> dict[str, Any]:
    """Add an image to a layout; gives the descriptor for the index."""
    packed = [packing(one) for one in layers]
    text = json.dumps(config_of(layers, arch, **config)).encode()
    manifest = {
        "schemaVersion": 2,
        "config": blob(files, text, f"{OCI}.config.v1+json"),
        "layers": [blob(files, one, f"{OCI}.layer.v1.tar") for one in packed],
    }
    data = json.dumps(manifest).encode()
    return blob(files, data, f"{OCI}.manifest.v1+json")


def blob(files: dict[str, bytes], data: bytes, kind: str) -> dict[str, Any]:
    """Add a blob; gives its descriptor."""
    files[f"blobs/{digest(data).replace(':', '/')}"] = data
    return {"mediaType": kind, "digest": digest(data), "size": len(data)}


def finish(
    files: dict[str, bytes], manifests: Sequence[Mapping[str, Any]]
) -> dict[str, bytes]:
    """Add the index."""
    index = {"schemaVersion": 2, "manifests": list(manifests)}
    files["index.json"] = json.dumps(index).encode()
    files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    return files


def docker(
    layers: Sequence[bytes], arch: str = "riscv64", **config: Any
) -> dict[str, bytes]:
    """The files that docker save wrote before version 25."""
    text = json.dumps(config_of(layers, arch, **config)).encode()
    name = f"{hashlib.sha256(text).hexdigest()}.json"
    paths = [f"{n}/layer.tar" for n, _ in enumerate(layers)]
    manifest = [{"Config": name, "RepoTags": ["test:latest"], "Layers": paths}]
    files = {name: text, "manifest.json": json.dumps(manifest).encode()}
    return files | dict(zip(paths, layers, strict=True))


def as_folder(files: Mapping[str, bytes], path: Path) -> Path:
    """Write a layout to a folder."""
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def as_tar(files: Mapping[str, bytes], path: Path) -> Path:
    """Write a layout to an archive."""
    path.write_bytes(layer(*(entry(name, data) for name, data in files.items())))
    return path


def busybox_of(guest: str) -> bytes:
    """The busybox of a guest's own initramfs."""
    product = obtain([f"guest-{guest}"], Console(stderr=True))[f"guest-{guest}"]
    initrd = (product / "initrd").read_bytes()
    return next(e.data for e in cpio.unpack(initrd) if e.name == "bin/busybox")


def busybox_image(
    busybox: bytes, arch: str = "riscv64", **config: Any
) -> dict[str, bytes]:
    """An image with busybox, a user `web`, and two layers, the upper packed by zstd.

    The lower layer is as mmdebstrap writes a root: names begin with a dot, /bin is a
    link, /dev has nodes, and one of the programs is a hard link.
    """
    passwd = b"root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/srv:/bin/sh\n"
    applets = ("id", "cat", "env", "pwd", "ls")
    null = entry("./dev/null", kind=tarfile.CHRTYPE, devmajor=1, devminor=3)
    lower = layer(
        folder("./dev"),
        null,
        symlink("./dev/fd", "/proc/self/fd"),
        symlink("./bin", "usr/bin"),
        folder("./usr"),
        folder("./usr/bin"),
        entry("./usr/bin/busybox", busybox, mode=0o755),
        hardlink("./usr/bin/sh", "./usr/bin/busybox"),
        *(symlink(f"./usr/bin/{name}", "busybox") for name in applets),
        entry("./etc/passwd", passwd),
        entry("./etc/group", b"root:x:0:\nweb:x:33:\n"),
        entry("./etc/layer", b"lower\n"),
        entry("./gone", b"x"),
    )
    upper = layer(entry(".wh.gone"), entry("etc/layer", b"upper\n"))
    files: dict[str, bytes] = {}
    packings = iter([gz, zstd])
    one = add_image(
        files, [lower, upper], lambda data: next(packings)(data), arch, **config
    )
    return finish(files, [one])
