"""Roots of Debian packages, from a small archive that apt really reads."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bench.build import Context, SetupError
from bench.guests import packages
from bench.guests.catalogue import PROGRAMS
from bench.guests.disk import tree
from bench.guests.packages import ForeignApt, described, to_unpack
from bench.guests.roots import debian, programs
from bench.guests.roots.debian import DebianRoot
from bench.guests.sources import ARCHITECTURES

RISCV64 = ARCHITECTURES["riscv64"]


def build(folder: Path, name: str, depends: str, files: dict[str, str]) -> str:
    """A package of riscv64 in the folder; gives its stanza of the index."""
    root = folder / name
    for path, text in {
        "DEBIAN/control": f"Package: {name}\nVersion: 1.5\nArchitecture: riscv64\n"
        f"Maintainer: a <a@example.org>\nDescription: {name}\n"
        + (f"Depends: {depends}\n" if depends else ""),
        **files,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        (root / path).chmod(0o755)
    deb = folder / f"{name}_1.5_riscv64.deb"
    argv = ["dpkg-deb", "--root-owner-group", "--build", str(root), str(deb)]
    subprocess.run(argv, check=True, capture_output=True)
    data = deb.read_bytes()
    control = (root / "DEBIAN/control").read_text()
    return (
        f"{control}Filename: ./{deb.name}\nSize: {len(data)}\n"
        f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n"
    )


class LocalApt(ForeignApt):
    """apt that knows one folder of packages only."""

    def __init__(self, ctx: Context, folder: Path) -> None:
        super().__init__(ctx, "riscv64")
        (folder / "sources.list").write_text(f"deb [trusted=yes] file:{folder} ./\n")
        self._list = folder / "sources.list"

    def _options(self) -> Iterator[str]:
        yield from super()._options()
        yield from ("-o", f"Dir::Etc::sourcelist={self._list}")
        yield from ("-o", "Dir::Etc::sourceparts=-")


def context(folder: Path) -> Context:
    """A context of a step in an empty folder."""

    def run(
        argv: list[str], cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> None:
        done = subprocess.run(
            argv, cwd=cwd, env=env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SetupError(f"{argv[0]} failed", done.stderr)

    for name in ("out", "work", "cache"):
        (folder / name).mkdir()
    places = {name: folder / name for name in ("out", "work", "cache")}
    return cast(Context, SimpleNamespace(run=run, **places))


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return context(tmp_path)


@pytest.fixture
def apt(ctx: Context, tmp_path: Path) -> LocalApt:
    archive = tmp_path / "archive"
    archive.mkdir()
    stanzas = [
        build(
            archive,
            "tool",
            "library (>= 1), missing | helper, scripts",
            {
                "usr/bin/tool": "#!tool",
                "lib/riscv64/tool.so": "so",
                "usr/share/doc/tool/copyright": "words",
                "usr/share/tool/needless/x": "words",
                "DEBIAN/postinst": "#!/bin/sh\ntouch /tmp/never\n",
            },
        ),
        build(archive, "library", "", {"usr/lib/library.so": "library"}),
        build(archive, "helper", "", {"usr/bin/helper": "helper"}),
        build(archive, "scripts", "other", {"usr/bin/script": "script"}),
        build(archive, "other", "", {"usr/bin/other": "other"}),
        build(archive, "broken", "nothing-has-this", {"usr/bin/broken": "broken"}),
    ]
    (archive / "Packages").write_text("".join(stanzas))
    local = LocalApt(ctx, archive)
    local.update()
    return local


def test_a_closure_has_all_that_a_package_needs(apt: LocalApt) -> None:
    found = apt.closure(["tool"])
    names = [package.name for package in found]
    assert set(names) == {"tool", "library", "helper", "scripts", "other"}
    assert names.index("library") < names.index("tool")
    assert {package.version for package in found} == {"1.5"}


def test_a_closure_without_some(apt: LocalApt) -> None:
    found = apt.closure(["tool"], ["scripts", "other"])
    assert {package.name for package in found} == {"tool", "library", "helper"}


@pytest.mark.parametrize("name", ["broken", "unknown"])
def test_what_cannot_be_resolved_is_refused(apt: LocalApt, name: str) -> None:
    with pytest.raises(SetupError, match=f"resolve {name} of riscv64"):
        apt.closure([name])


def test_a_root_of_packages(
    apt: LocalApt, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def local(*_: object) -> Iterator[ForeignApt]:
        yield apt

    monkeypatch.setattr(debian, "foreign_apt", local)
    own = {"tierlab/tool/round": tree.file(b"#!/bin/sh\n", 0o755)}
    root = DebianRoot(
        "tool", ("tool",), ("other",), ("usr/share/tool/*",), {"usr/bin/cc": "tool"}
    )
    debian.make(ctx, RISCV64, root, own)
    image = programs.image(ctx.out, "riscv64", "tool")
    first = image.read_bytes()
    debian.make(ctx, RISCV64, root, own)
    assert image.read_bytes() == first

    def debugfs(request: str) -> str:
        argv = ["debugfs", "-R", request, str(image)]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    assert debugfs("cat /usr/bin/tool") == "#!tool"
    # the package has it in /lib, which is a link
    assert debugfs("cat /usr/lib/riscv64/tool.so") == "so"
    assert 'dest: "usr/lib"' in debugfs("stat /lib")
    assert 'dest: "tool"' in debugfs("stat /usr/bin/cc")
    assert debugfs("cat /tierlab/tool/round") == "#!/bin/sh\n"
    assert "root:x:0:0" in debugfs("cat /etc/passwd")
    for left_out in (
        "/usr/bin/other",
        "/usr/share/doc/tool",
        "/usr/share/tool/needless",
    ):
        assert "Inode" not in debugfs(f"stat {left_out}"), left_out
    versions = json.loads((ctx.out / debian.VERSIONS).read_text())
    assert versions["tool"] == "1.5" and "other" not in versions
    assert not Path("/tmp/never").exists()


def test_files_times_are_the_same_on_each_disk(tmp_path: Path) -> None:
    disks = []
    for time in (1, 1_700_000_000):
        info = tarfile.TarInfo("usr/bin/tool")
        info.mtime = time
        with tarfile.open(tmp_path / f"{time}.tar", "w") as out:
            out.addfile(info)
        unpacked = [tmp_path / f"{time}.tar"]
        disk = tmp_path / f"{time}.img"
        debian.make_disk(debian.merged(unpacked), unpacked, disk, "tool")
        disks.append(disk.read_bytes())
    assert disks[0] == disks[1]


def test_packages_that_do_not_fit_are_refused_in_one_line(
    apt: LocalApt, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def local(*_: object) -> Iterator[ForeignApt]:
        yield apt

    monkeypatch.setattr(debian, "foreign_apt", local)
    own = {"usr/bin/tool/below": tree.file(b"x")}
    with pytest.raises(SetupError, match="do not fit together") as caught:
        debian.make(ctx, RISCV64, DebianRoot("tool", ("tool",)), own)
    assert "leads through a file" in caught.value.line()
    assert "\n" not in caught.value.line()
    assert not list(ctx.out.iterdir())


def test_names_of_a_simulation() -> None:
    said = "NOTE: x\nInst a (1 Debian [riscv64])\nInst b:all (2 Debian [all])\nConf a\n"
    assert to_unpack(said) == ["a", "b"]


def test_a_package_without_a_checksum_is_none() -> None:
    assert described("Package: a\nVersion: 1\n\nPackage: b\nSHA256: 12\n") == [
        packages.Package("b", "", "12", "")
    ]


def test_each_root_has_its_programs() -> None:
    sources = Path(__file__).parents[2] / "userland/programs"
    for name in PROGRAMS:
        own = programs.own_files(sources, name)
        for program in PROGRAMS[name]:
            entry = own[f"tierlab/{program}/round"]
            assert entry.mode == 0o755
            assert own[f"tierlab/{program}/want"].size
