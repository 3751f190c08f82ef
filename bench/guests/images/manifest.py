"""Which image of a layout: index, manifest, config, layers.

Two layouts are read: OCI's (index.json, blobs/), which docker save writes as well since
version 25, and the older one of docker save (manifest.json, a folder for each layer).
Where both are, OCI's is taken, because its digests check all files.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.guests.disk.limits import MAX_LAYERS
from bench.guests.disk.refusal import BadRoot, shown
from bench.guests.images.files import Files
from bench.guests.images.layers import Layer
from bench.guests.images.refusal import OtherArchitecture

# Go's names for our architectures.
PLATFORMS = {
    "riscv64": "riscv64",
    "aarch64": "arm64",
    "x86_64": "amd64",
    "i386": "386",
}
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_INDEX, _DOCKER = "index.json", "manifest.json"
# An index may name others, and so on.
_MAX_DEPTH = 4
_MAX_ENTRIES = 1000
_NAME = "org.opencontainers.image.ref.name"
_FULL_NAME = "io.containerd.image.name"
_AGAIN = "save the image again"


@dataclass(frozen=True)
class Found:
    """An image that the layout has for one architecture."""

    # Of the config; with the layers' digests in it, it tells all contents.
    digest: str
    config: Mapping[str, Any]
    layers: tuple[Layer, ...]
    names: tuple[str, ...]

    @property
    def platform(self) -> str:
        """Go's name for the architecture."""
        return str(self.config.get("architecture"))


@dataclass(frozen=True)
class _Candidate:
    """An image that the layout names; its config is not read yet."""

    manifest: Mapping[str, Any] | None
    digest: str
    names: tuple[str, ...]
    # As the index has it; "" if the index does not say.
    platform: str = ""


def find(files: Files, platforms: Iterable[str], name: str = "") -> Found:
    """The image for the first of these platforms that the layout has one for.

    `name` chooses among several images of one platform.
    """
    wanted = list(platforms)
    found, others = [], set()
    for candidate in _candidates(files):
        if name and not any(map(_named(name), candidate.names)):
            others |= set(candidate.names)
            continue
        if candidate.platform and candidate.platform not in wanted:
            others.add(candidate.platform)
            continue
        image = _image(files, candidate)
        if image.platform in wanted:
            found.append(image)
        else:
            others.add(image.platform)
    if not found:
        raise _none(wanted, others, name)
    found.sort(key=lambda image: wanted.index(image.platform))
    first = [one for one in found if one.platform == found[0].platform]
    if len({one.digest for one in first}) > 1:
        names = ", ".join(sorted({n for one in first for n in one.names}))
        why = f"it has {len(first)} images for {first[0].platform}"
        if names:
            why += f" ({shown(names)})"
        raise BadRoot(why, "choose one: FILE,name=NAME")
    return first[0]


def _named(wanted: str) -> Any:
    def fits(name: str) -> bool:
        last = name.rpartition("/")[2]
        return wanted in (name, last, last.partition(":")[0])

    return fits


def _none(wanted: list[str], others: set[str], name: str) -> BadRoot:
    ours = ", ".join(wanted)
    if name:
        there = shown(", ".join(sorted(others)) or "none")
        return BadRoot(f"no image for {ours} is called {name}", f"it has: {there}")
    if not others:
        return BadRoot("it has no image", "give another")
    theirs = shown(", ".join(sorted(others)))
    return OtherArchitecture(
        f"its architecture is {theirs}, and not {ours}",
        "name a guest of that architecture, or get the image for this one",
    )


def _candidates(files: Files) -> Iterator[_Candidate]:
    if files.size(_INDEX) is not None:
        index = _object(files.text(_INDEX), _INDEX)
        yield from _of_index(files, index, (), _MAX_DEPTH)
    elif files.size(_DOCKER) is not None:
        for entry in _objects(_json(files.text(_DOCKER), _DOCKER), _DOCKER):
            yield _Candidate(entry, "", _texts(entry.get("RepoTags"), "RepoTags"))
    elif files.size("repositories") is not None:
        why = "it was saved by a Docker before 1.10, without manifest.json"
        raise BadRoot(why, "load it and save it again")
    elif any(files.size(name) is not None for name in _ROOT_FILES):
        why = "it is a root, and no image of one: it has no index.json or manifest.json"
        raise BadRoot(why, "unpack it to a folder and give --root FOLDER")
    else:
        why = "it is no image: it has neither index.json nor manifest.json"
        raise BadRoot(why, "give an OCI layout, or what docker save wrote")


_ROOT_FILES = ("etc/passwd", "bin/busybox", "etc/os-release", "usr/lib/os-release")


def _of_index(
    files: Files, index: Mapping[str, Any], names: tuple[str, ...], depth: int
) -> Iterator[_Candidate]:
    """The images of an index, and of those that it names."""
    if not depth:
        raise BadRoot("its indexes name each other in a cycle, or too deeply", _AGAIN)
    entries = _objects(index.get("manifests"), "manifests")
    for entry in entries:
        annotations = _mapping(entry.get("annotations") or {}, "annotations")
        own = [annotations.get(_FULL_NAME), annotations.get(_NAME)]
        called = tuple(n for n in own if isinstance(n, str) and n) or names
        platform = _mapping(entry.get("platform") or {}, "platform")
        arch = platform.get("architecture") or ""
        if "vnd.docker.reference.type" in annotations or arch == "unknown":
            continue  # facts of how an image was built
        kind = str(entry.get("mediaType", ""))
        if platform.get("os", "linux") != "linux":
            continue
        if "index" not in kind and "manifest.list" not in kind:
            digest = _digest(entry, "a manifest")
            yield _Candidate(None, digest, called, str(arch))
            continue
        inner = _object(_blob(files, _digest(entry, "an index")), "an index")
        yield from _of_index(files, inner, called, depth - 1)


def _image(files: Files, candidate: _Candidate) -> Found:
    if candidate.manifest is not None:
        return _of_docker(files, candidate)
    manifest = _object(_blob(files, candidate.digest), "the manifest")
    if "layers" not in manifest or "config" not in manifest:
        raise BadRoot("its manifest is none of a container image")
    entry = _mapping(manifest["config"], "config")
    digest = _digest(entry, "the config")
    config = _object(_blob(files, digest), "the config")
    descriptors = _objects(manifest["layers"], "layers")
    diff_ids = _diff_ids(config, len(descriptors))
    layers = []
    for descriptor, diff_id in zip(descriptors, diff_ids, strict=True):
        layer = _digest(descriptor, "a layer")
        size = descriptor.get("size")
        stated = size if isinstance(size, int) else None
        layers.append(Layer(_path(layer), layer, stated, diff_id))
    return Found(digest, config, tuple(layers), candidate.names)


def _of_docker(files: Files, candidate: _Candidate) -> Found:
    assert candidate.manifest is not None
    name = candidate.manifest.get("Config")
    if not isinstance(name, str):
        raise BadRoot(f"{_DOCKER} names no Config", _AGAIN)
    text = files.text(name)
    digest = hashlib.sha256(text).hexdigest()
    stated = re.search(r"(?:^|/)([0-9a-f]{64})(?:\.json)?$", name)
    if stated and stated[1] != digest:
        raise BadRoot(f"{shown(name)} is damaged: its digest is {digest}", _AGAIN)
    config = _object(text, name)
    paths = _texts(candidate.manifest.get("Layers"), "Layers")
    diff_ids = _diff_ids(config, len(paths))
    layers = [Layer(p, None, None, d) for p, d in zip(paths, diff_ids, strict=True)]
    return Found(f"sha256:{digest}", config, tuple(layers), candidate.names)


def _diff_ids(config: Mapping[str, Any], count: int) -> list[str]:
    if config.get("os", "linux") != "linux":
        raise BadRoot(f"it is an image of {shown(str(config['os']))}, and not of Linux")
    if not isinstance(config.get("architecture"), str):
        raise BadRoot("its config names no architecture: it is no container image")
    rootfs = _mapping(config.get("rootfs"), "rootfs")
    found = list(_texts(rootfs.get("diff_ids"), "diff_ids"))
    if len(found) != count:
        raise BadRoot(f"it has {count} layers, and {len(found)} by its config", _AGAIN)
    if count > MAX_LAYERS:
        raise BadRoot(f"it has more than {MAX_LAYERS} layers")
    for one in found:
        if not _DIGEST.fullmatch(one):
            raise BadRoot(f"{shown(one)} is no SHA-256 digest", _AGAIN)
    return found


def _digest(descriptor: Mapping[str, Any], what: str) -> str:
    digest = descriptor.get("digest")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise BadRoot(f"{what} has no SHA-256 digest ({shown(str(digest))})", _AGAIN)
    return digest


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _blob(files: Files, digest: str) -> bytes:
    """A small file of the layout, checked."""
    text = files.text(_path(digest))
    found = f"sha256:{hashlib.sha256(text).hexdigest()}"
    if found != digest:
        raise BadRoot(f"{_path(digest)} is damaged: its digest is {found}", _AGAIN)
    return text


def _json(text: bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRoot(f"{shown(what)} is no JSON", _AGAIN) from error


def _object(text: bytes, what: str) -> Mapping[str, Any]:
    return _mapping(_json(text, what), what)


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRoot(f"{shown(what)} is no JSON object", _AGAIN)
    return value


def _objects(value: Any, what: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or len(value) > _MAX_ENTRIES:
        raise BadRoot(f"{shown(what)} is no list of at most {_MAX_ENTRIES}", _AGAIN)
    return [_mapping(one, what) for one in value]


def _texts(value: Any, what: str) -> tuple[str, ...]:
    value = [] if value is None else value
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadRoot(f"{what} is no list of texts", _AGAIN)
    return tuple(value)
