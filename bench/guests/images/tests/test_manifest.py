"""The right image of a layout is found, and all else is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.guests.disk.limits import MAX_TEXT
from bench.guests.disk.refusal import BadRoot
from bench.guests.images.files import opened
from bench.guests.images.manifest import Found, find
from bench.testing.images import (
    OCI,
    add_image,
    as_folder,
    as_tar,
    blob,
    docker,
    entry,
    finish,
    layer,
    oci,
    plain,
    symlink,
)

ONE = layer(entry("one", b"1"))
TWO = layer(entry("two", b"2"))
ALL = ["riscv64", "arm64", "amd64", "386"]


def found(
    files: dict[str, bytes], path: Path, wanted: list[str] | None = None, name: str = ""
) -> Found:
    with opened(as_folder(files, path / "layout"), path) as layout:
        return find(layout, wanted or ["riscv64"], name)


def refused(
    files: dict[str, bytes], path: Path, wanted: list[str] | None = None, name: str = ""
) -> str:
    with pytest.raises(BadRoot) as caught:
        found(files, path, wanted, name)
    line = caught.value.as_error("--image", "x.tar").line()
    assert "\n" not in line and len(line) < 400
    return line


def several(**arches: list[bytes]) -> dict[str, bytes]:
    """An index with an image for each architecture, which the index states."""
    files: dict[str, bytes] = {}
    described = []
    for arch, layers in arches.items():
        arch = arch.removeprefix("x")
        one = add_image(files, layers, arch=arch, Cmd=[arch])
        one["platform"] = {"os": "linux", "architecture": arch}
        described.append(one)
    return finish(files, described)


def test_finds_config_and_layers(tmp_path: Path) -> None:
    image = found(oci([ONE, TWO], Cmd=["x"]), tmp_path)
    assert image.config["config"] == {"Cmd": ["x"]}
    assert image.platform == "riscv64"
    assert len(image.layers) == 2
    assert image.layers[0].digest != image.layers[1].digest


def test_chooses_by_architecture(tmp_path: Path) -> None:
    files = several(amd64=[ONE], riscv64=[TWO], arm64=[ONE, TWO], x386=[ONE])
    for arch in ALL:
        image = found(files, tmp_path, [arch])
        assert image.config["config"]["Cmd"] == [arch]
    assert found(files, tmp_path, ALL).platform == "riscv64"


def test_reads_no_images_of_other_platforms(tmp_path: Path) -> None:
    files = several(amd64=[ONE], riscv64=[TWO])
    index = json.loads(files["index.json"])
    gone = index["manifests"][0]["digest"]
    del files[f"blobs/{gone.replace(':', '/')}"]
    assert found(files, tmp_path).platform == "riscv64"
    assert "blobs/sha256" in refused(files, tmp_path, ["amd64"])


def test_follows_indexes_and_leaves_out_attestations(tmp_path: Path) -> None:
    files: dict[str, bytes] = {}
    image = add_image(files, [ONE], Cmd=["x"])
    facts = blob(files, b'{"no": "manifest"}', f"{OCI}.manifest.v1+json")
    facts["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    facts["platform"] = {"os": "unknown", "architecture": "unknown"}
    inner = json.dumps({"manifests": [image, facts]}).encode()
    index = blob(files, inner, f"{OCI}.index.v1+json")
    index["annotations"] = {"io.containerd.image.name": "docker.io/library/x:1"}
    files = finish(files, [index])
    assert found(files, tmp_path).names == ("docker.io/library/x:1",)
    assert found(files, tmp_path, name="x").platform == "riscv64"
    assert "no image for riscv64 is called y" in refused(files, tmp_path, name="y")


def test_asks_which_of_several_images(tmp_path: Path) -> None:
    files: dict[str, bytes] = {}
    described = []
    for name in ("a:1", "b:1"):
        one = add_image(files, [ONE], Cmd=[name])
        one["annotations"] = {"org.opencontainers.image.ref.name": name}
        described.append(one)
    files = finish(files, described)
    line = refused(files, tmp_path)
    assert "2 images for riscv64 (a:1, b:1)" in line and ",name=" in line
    assert found(files, tmp_path, name="b").config["config"]["Cmd"] == ["b:1"]
    # one image under two names is one image
    assert found(finish(files, [described[0], described[0]]), tmp_path)


def test_reads_what_docker_saved_before_it_wrote_oci(tmp_path: Path) -> None:
    image = found(docker([ONE, TWO], Cmd=["x"]), tmp_path)
    assert [one.name for one in image.layers] == ["0/layer.tar", "1/layer.tar"]
    assert image.names == ("test:latest",)
    with opened(as_tar(docker([ONE]), tmp_path / "x.tar"), tmp_path) as layout:
        assert find(layout, ["riscv64"]).layers[0].size is None


def test_takes_the_oci_layout_where_both_are(tmp_path: Path) -> None:
    files = docker([ONE]) | oci([ONE], plain)
    assert found(files, tmp_path).layers[0].digest is not None


def test_refuses_other_architectures(tmp_path: Path) -> None:
    line = refused(oci([ONE], arch="amd64"), tmp_path)
    assert "its architecture is amd64, and not riscv64" in line
    files = several(amd64=[ONE], arm64=[ONE])
    assert "is amd64, arm64, and not riscv64" in refused(files, tmp_path / "2")
    assert "is s390x" in refused(docker([ONE], arch="s390x"), tmp_path / "3", ALL)


def test_refuses_what_is_no_image(tmp_path: Path) -> None:
    line = refused({"readme.txt": b"x"}, tmp_path / "1")
    assert "neither index.json nor manifest.json" in line
    assert "--root" in refused({"etc/passwd": b"x"}, tmp_path / "2")
    assert "before 1.10" in refused({"repositories": b"{}"}, tmp_path / "3")
    assert "no image" in refused({"index.json": b'{"manifests": []}'}, tmp_path / "4")
    chart = {"config": {"digest": "x"}}
    files: dict[str, bytes] = {}
    one = blob(files, json.dumps(chart).encode(), f"{OCI}.manifest.v1+json")
    assert "container image" in refused(finish(files, [one]), tmp_path / "5")


@pytest.mark.parametrize("name", ["none", "text", "empty", "fifo"])
def test_refuses_files_that_are_no_archives(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.tar"
    if name == "text":
        path.write_text("no image\n" * 200)
    elif name == "empty":
        path.touch()
    elif name == "fifo":
        path = Path("/dev/null")
    with pytest.raises(BadRoot) as caught, opened(path, tmp_path):
        pass
    assert "\n" not in caught.value.why


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"manifests": 1}',
        b'{"manifests": [1]}',
        b'{"manifests": [{}]}',
        b'{"manifests": [{"digest": "sha256:../../etc/passwd"}]}',
        b'{"manifests": [{"digest": "sha512:00"}]}',
        b'{"manifests": [{"platform": 1}]}',
        b"[" * 100_000,
    ],
)
def test_refuses_indexes_that_are_wrong(tmp_path: Path, text: bytes) -> None:
    refused(oci([ONE]) | {"index.json": text}, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"rootfs": None},
        {"rootfs": {"diff_ids": []}},
        {"rootfs": {"diff_ids": ["sha256:1"]}},
        {"rootfs": {"diff_ids": [1]}},
        {"architecture": None},
        {"os": "windows"},
    ],
)
def test_refuses_configs_that_are_wrong(tmp_path: Path, change: dict[str, Any]) -> None:
    files = docker([ONE])
    config = next(n for n in files if n.endswith(".json") and n != "manifest.json")
    text = json.dumps({**json.loads(files[config]), **change}).encode()
    manifest = [{"Config": "config", "Layers": ["0/layer.tar"]}]
    files |= {"config": text, "manifest.json": json.dumps(manifest).encode()}
    refused(files, tmp_path)


def test_refuses_blobs_that_are_damaged(tmp_path: Path) -> None:
    files = oci([ONE])
    for name in files:
        if name.startswith("blobs/") and files[name].startswith(b"{"):
            changed = files | {name: files[name] + b" "}
            assert "is damaged" in refused(changed, tmp_path / name[-8:])
    saved = docker([ONE])
    config = next(n for n in saved if n.endswith(".json") and n != "manifest.json")
    assert "is damaged" in refused(saved | {config: saved[config] + b" "}, tmp_path)


def test_refuses_indexes_in_a_cycle_or_too_deep(tmp_path: Path) -> None:
    files: dict[str, bytes] = {}
    one = add_image(files, [ONE])
    for _ in range(6):
        text = json.dumps({"manifests": [one]}).encode()
        one = blob(files, text, f"{OCI}.index.v1+json")
    assert "cycle" in refused(finish(files, [one]), tmp_path)


def test_refuses_manifests_that_would_fill_the_memory(tmp_path: Path) -> None:
    files = oci([ONE]) | {"index.json": b" " * (MAX_TEXT + 1)}
    assert "which is no manifest" in refused(files, tmp_path)


def test_a_folder_gives_no_file_outside(tmp_path: Path) -> None:
    files = oci([ONE])
    place = as_folder(files, tmp_path / "layout")
    outside = tmp_path / "outside"
    outside.write_bytes(files["index.json"])
    (place / "index.json").unlink()
    (place / "index.json").symlink_to(outside)
    with opened(place, tmp_path) as layout:
        assert layout.size("index.json") is None
        assert layout.size("../outside") is None
        with pytest.raises(BadRoot, match="neither index.json"):
            find(layout, ["riscv64"])


def test_docker_layers_stay_in_the_layout(tmp_path: Path) -> None:
    files = docker([ONE])
    (tmp_path / "secret").write_bytes(ONE)
    manifest = json.loads(files["manifest.json"])
    manifest[0]["Layers"] = ["../secret"]
    files["manifest.json"] = json.dumps(manifest).encode()
    with opened(as_folder(files, tmp_path / "layout"), tmp_path) as layout:
        assert layout.size("../secret") is None


def test_an_archives_links_stay_in_it(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(
        layer(
            symlink("index.json", "/etc/passwd"),
            symlink("a", "b"),
            symlink("b", "a"),
            symlink("d/c", "../real"),
            entry("real", b"1"),
        )
    )
    with opened(path, tmp_path) as layout:
        assert layout.size("index.json") is None
        assert layout.size("a") is None
        assert layout.text("d/c") == b"1"
