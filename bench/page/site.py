"""The page as a directory of files, which any server can serve.

    index.html  sw.js  _headers  icon.svg  page.webmanifest
    app-DIGEST/     our modules and style sheets
    lib-DIGEST/     the libraries' modules, loaded when a guest is started
    qemu-ARCH-DIGEST/    the program, packed firmware in share/
    guest-NAME-DIGEST/   the guest's files, packed
    share-TAG-DIGEST/    a shared folder, packed (folders.py)
    disk-NAME-DIGEST/    a disk's image in pieces (pieces.py)
    machine-NAME-DIGEST/ the state of a saved machine, packed (saved.py)
    site-DIGEST/site.json    the description of all these (describe.py)

A digest names the contents, so browsers may keep these folders for ever. All paths are
relative to index.html. Text and Wasm also exist in packed form (.gz), for servers that
send such files; guests exist in packed form only, and the page unpacks them.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.base.errors import TierlabError, disk_full
from bench.build.recipes.page import VERSIONS
from bench.guests.devices.disk import Disk
from bench.guests.devices.network import Network
from bench.guests.guest import Guest
from bench.page import describe, folders, headers, pieces
from bench.page import snapshots as saved
from bench.page.kept import KeptPieces
from bench.page.packed import Packer
from bench.page.script import without_comments

BENCH = Path(__file__).resolve().parents[1]
APP = BENCH / "page"
# Modules that the page shares with other engines, by the paths of its imports.
SHARED = ("page/app", "engines/js", "engines/web")
APP_SUFFIXES = (".mjs", ".css", ".svg")
ROOT_FILES = ("icon.svg", "page.webmanifest")
INDEX, WORKER, DESCRIPTION = "index.html", "sw.js", "site.json"
PACKED = ".gz"
# Packing gains nothing for smaller files.
PACK_FROM = 512
# gzip's level for users' files, which are packed anew for each page.
OWN_LEVEL = 6
DIGEST = 12


@dataclass(frozen=True)
class Contents:
    """The parts of a page."""

    guests: tuple[Guest, ...]
    # The products `qemu-wasm-ARCH` by architecture, and the product of the libraries.
    programs: Mapping[str, Path]
    libraries: Path
    tiers: Mapping[str, Any]
    provenance: Mapping[str, Any]
    folders: tuple[folders.Packed, ...] = ()
    disks: tuple[Disk, ...] = ()
    # Disks with root file systems: guest -> name -> disk.
    roots: Mapping[str, Mapping[str, Disk]] = field(default_factory=dict)
    network: Network | None = None
    machines: tuple[saved.Offered, ...] = ()
    # Tests replace our modules: this maps a path below bench/ to another file.
    modules: Mapping[str, Path] = field(default_factory=dict)


class SiteBuilder:
    """Fills a directory."""

    def __init__(self, out: Path, cache: Path) -> None:
        self._out = out
        self._cache = cache
        self._packer = Packer(cache)
        self._pieces = KeptPieces(cache)
        # Files whose folder is named by a digest, and folders with too many of them.
        self._listed: list[str] = []
        self._folders: list[str] = []
        # Root file systems by their images: guests of an architecture share them.
        self._roots: dict[Path, dict[str, Any]] = {}

    def build(self, contents: Contents) -> None:
        """Write the page; `out` exists and is empty."""
        app = self._tree("app", {**_app_files(), **contents.modules})
        libraries = self._tree("lib", _files(contents.libraries))
        programs = {
            arch: self._program(arch, product)
            for arch, product in sorted(contents.programs.items())
        }
        guests = [
            self._guest(guest, contents.roots.get(guest.name, {}))
            for guest in contents.guests
        ]
        versions = json.loads((contents.libraries / VERSIONS).read_text("utf-8"))
        shares = [self._share(packed) for packed in contents.folders]
        own = {guest.name: guest for guest in contents.guests}
        machines = [
            self._machine(one, own[one.snapshot.facts.guest])
            for one in contents.machines
        ]
        said = describe.describe(
            guests,
            programs,
            contents.tiers,
            contents.provenance,
            versions,
            shares,
            contents.network,
            machines,
            [self._disk(disk) for disk in contents.disks],
        )
        text = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
        site = self._tree("site", {DESCRIPTION: text})
        places = {
            "app": f"{app}/page/app",
            "lib": libraries,
            "site": f"{site}/{DESCRIPTION}",
            "policy": headers.policy(),
        }
        self._text(INDEX, _filled(APP / "app" / INDEX, places).encode())
        for name in ROOT_FILES:
            self._text(name, (APP / "app" / name).read_bytes())
        # The names of these files have no digest. The service worker contains a digest
        # of index.html, so that browsers fetch these files anew when the page changes.
        index = hashlib.sha256((self._out / INDEX).read_bytes()).hexdigest()[:DIGEST]
        shell = [p for p in self._listed if p.startswith(("app-", "lib-", "site-"))]
        built = {
            "version": index,
            "shell": [".", *ROOT_FILES, *shell],
            "known": self._listed,
            "folders": self._folders,
        }
        # The template holds the value in quotes, so that the template is JavaScript
        # that can be checked.
        values = {"built": json.dumps(built)}
        self._text(WORKER, _filled(APP / "app" / WORKER, values, "'").encode())
        (self._out / "_headers").write_text(headers.headers_file(), encoding="utf-8")
        # Without this file, GitHub Pages leave out files whose names begin with '_'.
        (self._out / ".nojekyll").write_bytes(b"")

    def _tree(self, prefix: str, files: Mapping[str, Path | bytes]) -> str:
        """Write files below a directory whose name has their digest; gives the name."""
        contents = {name: _bytes(source) for name, source in sorted(files.items())}
        name = f"{prefix}-{_digest(contents.items())}"
        for path, data in contents.items():
            self._text(f"{name}/{path}", data)
        return name

    def _text(self, path: str, data: bytes) -> None:
        target = self._out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        if len(data) >= PACK_FROM:
            packed = self._packer.data(data)
            shutil.copyfile(packed, target.with_name(target.name + PACKED))
        if headers.is_hashed(path):
            self._listed.append(path)

    def _program(self, arch: str, product: Path) -> dict[str, Any]:
        program = f"qemu-system-{arch}"
        names = (f"{program}.js", f"{program}.wasm")
        main = {name: product / name for name in names}
        share = _paths(product / "share") if (product / "share").is_dir() else {}
        parts = [*main.items(), *((f"share/{n}", p) for n, p in share.items())]
        name = f"qemu-{arch}-{_digest((n, _bytes(p)) for n, p in parts)}"
        for path, source in main.items():
            self._text(f"{name}/{path}", source.read_bytes())
        packed = self._out / name / f"{program}.wasm{PACKED}"
        return {
            "url": f"{name}/{program}.js",
            "wasm": f"{name}/{program}.wasm",
            "bytes": (product / f"{program}.wasm").stat().st_size,
            "packed": packed.stat().st_size if packed.exists() else None,
            "files": [
                self._packed(f"{name}/share/{n}", p, f"/share/{n}")
                for n, p in share.items()
            ],
            "product": product.name,
            "versions": _versions(product),
        }

    def _guest(self, guest: Guest, roots: Mapping[str, Disk]) -> dict[str, Any]:
        _, files = describe.machine(guest)
        name = f"guest-{_plain(guest.name.replace('+', '-'))}-{guest.digest[:DIGEST]}"
        told = [
            self._packed(f"{name}{inside.replace('/guest', '', 1)}", host, inside)
            for inside, host in files.items()
        ]
        disks = {name: self._program_disk(disk) for name, disk in roots.items()}
        described = describe.describe_guest(guest, told, disks)
        return {**described, "root": self._root(guest)}

    def _program_disk(self, disk: Disk) -> dict[str, Any]:
        path = disk.image.path
        if path not in self._roots:
            self._roots[path] = self._disk(disk)
        return self._roots[path]

    def _root(self, guest: Guest) -> dict[str, Any] | None:
        """The disk with the root of an image or a folder."""
        if guest.root is None:
            return None
        assert isinstance(guest.root.disk, Disk)
        option = f"{guest.root.option} {guest.root.file}"
        return {**self._disk(guest.root.disk), "root": True, "option": option}

    def _share(self, packed: folders.Packed) -> dict[str, Any]:
        share = packed.share
        parts = {"index.json": packed.index, "data": packed.data}
        name = f"share-{share.tag}-{_digest(parts.items())}"
        return {
            **share.as_json(),
            "name": share.path.name,
            "files": packed.files,
            "bytes": len(packed.data),
            "parts": [self._own(f"{name}/{n}", data) for n, data in parts.items()],
        }

    def _disk(self, disk: Disk) -> dict[str, Any]:
        source = disk.image.path
        place = self._out / "disk"
        place.mkdir()
        try:
            made = self._pieces.split(source, place)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise disk_full(f"copying {source}", self._cache) from error
            why = error.strerror or str(error)
            raise TierlabError(
                f"cannot copy {source}", why, "check the file"
            ) from error
        digest = hashlib.sha256(made.index).hexdigest()
        name = f"disk-{_plain(source.stem)}-{digest[:DIGEST]}"
        if (self._out / name).exists():
            # Another disk with the same contents and nearly the same name.
            shutil.rmtree(place)
        else:
            place.rename(self._out / name)
            self._folders.append(name)
        index = f"{name}/{pieces.INDEX}"
        part = {
            "path": index,
            "url": index,
            "bytes": len(made.index),
            "packed": made.packed_index,
            "sha256": digest,
        }
        return {
            **disk.as_json(),
            "name": source.name,
            "mount": disk.mount,
            # What a page fetches before the guest boots, and what it may fetch after.
            "parts": [part],
            "packed": made.packed,
        }

    def _machine(self, one: saved.Offered, guest: Guest) -> dict[str, Any]:
        facts = one.snapshot.facts
        path = (
            f"machine-{_plain(one.name)}-{facts.packed_sha256[:DIGEST]}/state{PACKED}"
        )
        target = self._out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(saved.packed_stream(one.snapshot))
        self._listed.append(path)
        part = {
            "url": path,
            "bytes": facts.stream_bytes,
            "packed": facts.packed_bytes,
        }
        return saved.describe(one, guest, part)

    def _own(self, path: str, data: bytes) -> dict[str, Any]:
        """Pack a file as _packed() does, but keep no user's file in the cache."""
        packed = gzip.compress(data, OWN_LEVEL, mtime=0)
        target = self._out / (path + PACKED)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(packed)
        self._listed.append(path + PACKED)
        return {
            "path": path,
            "url": path + PACKED,
            "bytes": len(data),
            "packed": len(packed),
        }

    def _packed(self, path: str, source: Path, inside: str) -> dict[str, Any]:
        """Write a file that the page unpacks; gives its description for the page."""
        packed = self._packer.file(source)
        target = self._out / (path + PACKED)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packed, target)
        self._listed.append(path + PACKED)
        return {
            "path": inside,
            "url": path + PACKED,
            "bytes": source.stat().st_size,
            "packed": packed.stat().st_size,
        }


def _app_files() -> dict[str, Path | bytes]:
    found: dict[str, Path | bytes] = {}
    for place in SHARED:
        for path in sorted((BENCH / place).rglob("*")):
            inside = path.relative_to(BENCH)
            if path.suffix not in APP_SUFFIXES or "tests" in inside.parts:
                continue
            found[inside.as_posix()] = path
            if path.suffix == ".mjs":
                script = without_comments(path.read_text(encoding="utf-8"))
                found[inside.as_posix()] = script.encode()
    return found


def _files(directory: Path) -> dict[str, Path | bytes]:
    """The files of a product in the form that _tree() takes."""
    return dict(_paths(directory))


def _paths(directory: Path) -> dict[str, Path]:
    """The files of a product, without its list of files."""
    return {
        path.relative_to(directory).as_posix(): path
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def _plain(name: str) -> str:
    """The name without characters that a host may not be able to serve."""
    return re.sub(r"[^A-Za-z0-9._-]", "", name)


def _bytes(source: Path | bytes) -> bytes:
    return source if isinstance(source, bytes) else source.read_bytes()


def _digest(contents: Iterable[tuple[str, bytes]]) -> str:
    state = hashlib.sha256()
    for name, data in contents:
        state.update(f"{name}\0{len(data)}\0".encode() + data)
    return state.hexdigest()[:DIGEST]


def _versions(product: Path) -> dict[str, str]:
    try:
        raw = json.loads((product / "versions.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in raw.items()} if isinstance(raw, dict) else {}


def _filled(template: Path, values: Mapping[str, str], quote: str = "") -> str:
    """The template with each {{name}}, in such quotes, replaced by its value.

    A {{name}} without a value is a mistake in this file.
    """
    text = template.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"{quote}{{{{{name}}}}}{quote}", value)
    if "{{" in text:
        raise TierlabError(f"{template.name} asks for something that nobody says")
    return text
