"""How recipes treat packages, kernels and configurations."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest

from bench.build import Context, SetupError
from bench.guests import catalogue, image, kernel, modules
from bench.guests import packages as apt
from bench.guests import recipe, sources
from bench.guests.names import EVERY_MACHINE

IMAGE = (
    b"MZ".ljust(0x38, b"\0")
    + b"RSC\x05 code Linux version 6.12.9+deb13-riscv64 (debian) more"
)


def test_every_guest_has_its_step_and_all_needs_exist() -> None:
    names = [step.name for step in recipe.STEPS]
    assert len(names) == len(set(names))
    for spec in catalogue.GUESTS:
        assert spec.product in names
    for step in recipe.STEPS:
        assert set(step.needs) <= set(names)


def test_every_file_of_a_step_exists() -> None:
    root = Path(__file__).parents[3]
    for step in recipe.STEPS:
        for pattern in step.files:
            assert list(root.glob(pattern)), pattern


def test_image_is_taken_plain_or_gzipped() -> None:
    assert image.bootable(IMAGE, "riscv64") == IMAGE
    assert image.bootable(gzip.compress(IMAGE), "riscv64") == IMAGE
    assert image.release(IMAGE) == "6.12.9+deb13-riscv64"


def test_bzimage_says_its_version_in_its_header() -> None:
    data = bytearray(0x400)
    data[0x202:0x206] = b"HdrS"
    data[0x20E:0x210] = (0x100).to_bytes(2, "little")
    data[0x300:0x320] = b"6.1.0-50-686 (debian-kernel@x) #".ljust(0x20)
    for arch in ("x86_64", "i386"):
        assert image.bootable(bytes(data), arch) == bytes(data)
    assert image.release(bytes(data)) == "6.1.0-50-686"


@pytest.mark.parametrize(
    ("data", "arch", "complaint"),
    [
        (b"", "riscv64", "no riscv64 Image"),
        (b"\x7fELF\x02".ljust(100), "riscv64", "no riscv64 Image"),
        (b"\x7fELF\x01".ljust(100), "x86_64", "no bzImage or 64-bit ELF file"),
        (IMAGE, "aarch64", "no arm64 Image"),
        (gzip.compress(IMAGE)[:-9], "riscv64", "gzip data are damaged"),
    ],
)
def test_other_images_are_refused(data: bytes, arch: str, complaint: str) -> None:
    with pytest.raises(image.ImageError, match=complaint):
        image.bootable(data, arch)


def test_image_without_version() -> None:
    with pytest.raises(image.ImageError, match="no Linux version"):
        image.release(IMAGE[:0x40])


def test_modules_come_after_what_they_need() -> None:
    needs = {"a": ["b", "c"], "b": ["d"], "c": ["d", "b"], "d": []}
    assert modules.load_order("a", needs.__getitem__) == ["d", "b", "c", "a"]


def test_every_kernel_is_of_an_architecture_and_in_use() -> None:
    used = {spec.kernel or spec.name for spec in catalogue.GUESTS}
    made = {source.name: source.arch for source in sources.PACKAGED}
    made |= {source.name: source.arch for source in sources.TINY}
    assert used == set(made)
    for spec in catalogue.GUESTS:
        assert made[spec.kernel or spec.name] == spec.userland


def test_config_lines_that_kconfig_refused() -> None:
    wanted = "# comment\n\nCONFIG_A=y\nCONFIG_B=y\nCONFIG_C=8\n"
    config = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=80\n"
    assert kernel.refused_lines(wanted, config) == ["CONFIG_B=y", "CONFIG_C=8"]


def test_first_dependency() -> None:
    package = apt.Package(
        "meta", "1", "0" * 64, "base | x, linux-image-6.12.9-a (= 6.12.9-1)"
    )
    found = apt.first_dependency(package, r"linux-image-[0-9].*")
    assert found == "linux-image-6.12.9-a"
    with pytest.raises(SetupError):
        apt.first_dependency(package, r"linux-image-[7-9].*")


@pytest.fixture
def deb(tmp_path: Path) -> Path:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("needs dpkg-deb")
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        "Package: p\nVersion: 1\nArchitecture: riscv64\n"
        "Maintainer: Tierlab <t@example.org>\nDescription: test\n"
    )
    (tree / "boot").mkdir()
    (tree / "boot/vmlinux-6").write_bytes(IMAGE)
    path = tmp_path / "p_1_riscv64.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", str(tree), str(path)],
        check=True,
        capture_output=True,
    )
    return path


def test_extract(deb: Path) -> None:
    assert apt.extract(deb, r"boot/vmlinu[xz]-.*") == IMAGE


def test_extract_of_what_is_not_there(deb: Path) -> None:
    with pytest.raises(SetupError, match="no file in it"):
        apt.extract(deb, r"boot/Image")


def test_extract_of_a_damaged_package(deb: Path) -> None:
    deb.write_bytes(deb.read_bytes()[:200])
    with pytest.raises(SetupError):
        apt.extract(deb, r"boot/vmlinu[xz]-.*")


class FakeContext:
    """The part of a Context that ForeignApt uses; `run` plays apt-get."""

    def __init__(self, cache: Path, delivers: bytes) -> None:
        self.cache = cache
        self.delivers = delivers
        self.downloads = 0

    def run(self, argv: list[str], cwd: Path | None = None) -> None:
        assert argv[0] == "apt-get"
        if argv[-2] == "download":
            assert cwd is not None
            self.downloads += 1
            (cwd / "p_1_riscv64.deb").write_bytes(self.delivers)


def wanted(data: bytes) -> apt.Package:
    return apt.Package("p", "1", hashlib.sha256(data).hexdigest(), "")


def test_download_is_kept_and_a_damaged_one_replaced(tmp_path: Path) -> None:
    ctx = FakeContext(tmp_path, b"package")
    with apt.foreign_apt(cast("Context", ctx), "riscv64") as tool:
        path = tool.download(wanted(b"package"))
        assert tool.download(wanted(b"package")) == path
        assert ctx.downloads == 1
        path.write_bytes(b"pack")
        assert tool.download(wanted(b"package")).read_bytes() == b"package"
        assert ctx.downloads == 2


def test_download_of_a_wrong_file_is_refused(tmp_path: Path) -> None:
    ctx = cast("Context", FakeContext(tmp_path, b"forged"))
    with (
        apt.foreign_apt(ctx, "riscv64") as tool,
        pytest.raises(SetupError, match="checksum"),
    ):
        tool.download(wanted(b"package"))
    assert not list(tmp_path.rglob("*.deb"))


def test_package_of_no_source_tells_why_the_lists_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = FakeContext(tmp_path, b"")

    def failing(argv: list[str], cwd: Path | None = None) -> None:
        raise SetupError("x failed", "no network", "see log")

    monkeypatch.setattr(ctx, "run", failing)
    with (
        apt.foreign_apt(cast("Context", ctx), "riscv64") as tool,
        pytest.raises(SetupError, match="no network"),
    ):
        tool.package("busybox-static")


def test_tests_know_a_guest_of_every_machine() -> None:
    def machines(names: set[str]) -> set[tuple[str, str]]:
        return {(g.arch, g.machine) for g in catalogue.GUESTS if g.name in names}

    assert machines(set(EVERY_MACHINE)) == machines({g.name for g in catalogue.GUESTS})
