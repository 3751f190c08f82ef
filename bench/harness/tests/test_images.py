"""--image and --root: what the commands accept, and what they refuse in one line."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.base.errors import USAGE, TierlabError
from bench.cli.main import main
from bench.guests.guest import Guest
from bench.guests.names import find_guest
from bench.harness.run import images
from bench.harness.run.images import ChosenRoot, default_guest, given_root
from bench.testing.images import add_image, as_folder, entry, finish, layer, oci

LAYER = layer(entry("bin/true", b"x", mode=0o755))
GUEST = "riscv64-debian"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and nothing to install."""
    monkeypatch.setenv("TIERLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(images, "install", lambda groups, console: None)
    return tmp_path / "cache"


def image(path: Path, arch: str = "riscv64") -> Path:
    return as_folder(oci([LAYER], arch=arch, Cmd=["true"]), path)


def several(path: Path) -> ChosenRoot:
    """An image for aarch64 and x86_64."""
    files: dict[str, bytes] = {}
    both = [add_image(files, [LAYER], arch=a, Cmd=["true"]) for a in ("arm64", "amd64")]
    return ChosenRoot("--image", as_folder(finish(files, both), path))


@pytest.mark.parametrize(
    "words, why",
    [
        ([GUEST, "--image", "x", "--root", "y"], "exclude each other"),
        ([GUEST, "--", "true"], "needs --image or --root"),
        ([GUEST, "--image", "x", "--"], "no command behind --"),
        ([GUEST, "--image", "gone.tar"], "cannot read it"),
        ([GUEST, "--root", "gone"], "it cannot be read"),
        ([GUEST, "--root", "layout/index.json"], "it is no folder"),
        ([GUEST, "--workload", "image"], "runs the command of an image"),
        ([GUEST, "--workload", "terminal"], "runs the command of an image"),
        ([GUEST, "--image", "layout", "--workload", "lua"], "brings a root of its own"),
        (
            ["riscv64-tiny", "--image", "layout"],
            "has no overlayfs; name riscv64-debian",
        ),
        (["x86_64-tiny-microvm", "--root", "."], "no overlayfs; name x86_64-debian"),
        (["aarch64-raspi3ap", "--image", "layout"], "no place for the disk of a root"),
        (["aarch64-debian", "--image", "layout"], "architecture is riscv64"),
        (["i386-debian", "--image", "layout"], "riscv64, and not 386"),
        ([], "Missing argument 'GUEST'"),
    ],
)
def test_refusals(
    words: list[str],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    image(tmp_path / "layout")
    monkeypatch.chdir(tmp_path)
    assert main(["boot", *words]) == USAGE
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("tierlab: ") and why in last, last


def test_a_guest_by_the_images_architecture(tmp_path: Path) -> None:
    assert default_guest(several(tmp_path / "x")) == "aarch64-debian"


def test_guests_that_an_image_fits(tmp_path: Path) -> None:
    root = several(tmp_path / "x")
    named = [find_guest(f"{a}-debian") for a in ("riscv64", "x86_64", "aarch64")]
    assert root.fitting(named) == named[1:]
    with pytest.raises(TierlabError, match="and not riscv64"):
        root.fitting(named[:1])


@pytest.mark.parametrize(
    "text, label",
    [
        ("alpine.tar", "alpine"),
        ("alpine-3.20.tar.gz", "alpine-3.20"),
        ("my image.oci", "my-image"),
        ("x,name=app:latest", "app-latest"),
    ],
)
def test_label(text: str, label: str, tmp_path: Path) -> None:
    (tmp_path / text.partition(",")[0]).touch()
    root = given_root(str(tmp_path / text), None, None)
    assert root is not None and root.named(GUEST) == f"{GUEST}+{label}"


def test_a_guest_with_a_root(tmp_path: Path, guest: Guest) -> None:
    root = ChosenRoot("--image", image(tmp_path / "layout"), words=("sh", "-c", "x"))
    entry_of = find_guest(GUEST)
    found = root.on(entry_of, guest)
    assert found.name == f"{guest.name}+layout"
    assert found.root is not None
    assert found.root.as_json() == {
        "option": "--image",
        "file": "layout",
        "digest": found.root.digest,
        "command": ["sh", "-c", "x"],
    }
    before, after = guest.file("initrd"), found.file("initrd")
    assert before is not None and after is not None
    data = after.path.read_bytes()
    assert data.startswith(before.path.read_bytes())
    assert b"etc/command" in data and b"sh\0-c\0x\0" in data
    # a user's disk stays the first
    user = SimpleNamespace()
    words = found.root.disk.kernel_words((user, found.root.disk))  # type: ignore
    assert words == ["tierlab.root=vda:ext4"]
