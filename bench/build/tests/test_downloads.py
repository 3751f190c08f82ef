"""Downloads: checked, fetched again when damaged, refused when unknown."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bench.build import SetupError, apt, npm
from bench.build.aptsources import deb_lines, deb_src_lines
from bench.build.command import Runner
from bench.build.upstream import Upstream, read, upstream_version

GOOD = b"good contents"


def _integrity(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


class FakeRunner(Runner):
    """A stand-in for npm and apt-get, which writes the next of `answers`."""

    def __init__(self, tmp_path: Path, file: Path, *answers: bytes | None) -> None:
        super().__init__("step", tmp_path / "log", tmp_path)
        self.file = file
        self.answers = list(answers)
        self.commands: list[list[str]] = []
        self.online = True

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        log: bool = True,
    ) -> None:
        self.commands.append(list(argv))
        if argv[0] == "apt-get" and "update" in argv:
            if not self.online:
                raise SetupError("step failed", "no network", "see the log")
            return
        answer = self.answers.pop(0)
        if answer is None:
            raise SetupError("step failed", "404", "see the log")
        self.file.write_bytes(answer)


def _npm(tmp_path: Path, *answers: bytes | None) -> tuple[FakeRunner, Path]:
    file = tmp_path / "downloads" / "npm" / "node-1.0.tgz"
    file.parent.mkdir(parents=True)
    return FakeRunner(tmp_path, file, *answers), file


def test_npm_damaged_file_is_fetched_again(tmp_path: Path) -> None:
    runner, file = _npm(tmp_path, GOOD)
    file.write_bytes(GOOD[:5])
    path = npm.fetch("node", "1.0", _integrity(GOOD), tmp_path, runner)
    assert path.read_bytes() == GOOD
    npm.fetch("node", "1.0", _integrity(GOOD), tmp_path, runner)
    assert len(runner.commands) == 1


def test_npm_wrong_contents_are_refused_and_removed(tmp_path: Path) -> None:
    runner, file = _npm(tmp_path, b"bad")
    with pytest.raises(SetupError, match="node 1.0 is damaged"):
        npm.fetch("node", "1.0", _integrity(GOOD), tmp_path, runner)
    assert not file.exists()


def test_npm_without_network(tmp_path: Path) -> None:
    runner, _ = _npm(tmp_path, None)
    with pytest.raises(SetupError, match="cannot be downloaded.*check the network"):
        npm.fetch("node", "1.0", _integrity(GOOD), tmp_path, runner)


SUM = hashlib.sha256(GOOD).hexdigest()
QEMU = Upstream("qemu", "10.0", "10.1", {"10.0.13": SUM})


def _stanza(version: str, digest: str = SUM) -> str:
    name = f"qemu_{upstream_version(version)}.orig.tar.xz"
    return (
        f"Package: qemu\nVersion: {version}\nChecksums-Sha256:\n"
        f" {'0' * 64} 9 qemu_{version}.dsc\n {digest} 13 {name}\n"
        f" {'1' * 64} 7 {name}.asc\nDirectory: pool/q\n\n"
    )


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stanzas that apt-cache shows."""
    stanzas: list[str] = []
    monkeypatch.setattr(apt, "_query", lambda command: "".join(stanzas))
    return stanzas


def _apt(tmp_path: Path, version: str, *answers: bytes | None) -> FakeRunner:
    directory = tmp_path / "downloads" / "sources"
    directory.mkdir(parents=True)
    return FakeRunner(tmp_path, directory / f"qemu_{version}.orig.tar.xz", *answers)


def test_source_is_fetched_and_kept(tmp_path: Path, index: list[str]) -> None:
    index += [_stanza("1:10.0.13-1")]
    runner = _apt(tmp_path, "10.0.13", GOOD)
    assert apt.fetch_source(QEMU, tmp_path, runner).read_bytes() == GOOD
    commands = len(runner.commands)
    apt.fetch_source(QEMU, tmp_path, runner)
    assert len(runner.commands) == commands, "no network for what is known"


def test_damaged_source_is_fetched_again(tmp_path: Path, index: list[str]) -> None:
    index += [_stanza("1:10.0.13-1")]
    runner = _apt(tmp_path, "10.0.13", GOOD)
    runner.file.write_bytes(GOOD[:-1])
    assert apt.fetch_source(QEMU, tmp_path, runner).read_bytes() == GOOD


def test_newer_version_of_the_range_is_accepted(
    tmp_path: Path, index: list[str]
) -> None:
    newer = b"newer"
    digest = hashlib.sha256(newer).hexdigest()
    index += [_stanza("1:10.0.13-1"), _stanza("1:10.0.14-1", digest)]
    runner = _apt(tmp_path, "10.0.14", newer)
    path = apt.fetch_source(QEMU, tmp_path, runner)
    assert path.name == "qemu_10.0.14.orig.tar.xz"


def test_version_out_of_range_is_refused(tmp_path: Path, index: list[str]) -> None:
    index += [_stanza("1:10.1.0-1"), _stanza("1:9.2.0-1")]
    with pytest.raises(SetupError, match=r"no version from 10\.0 to below 10\.1"):
        apt.fetch_source(QEMU, tmp_path, _apt(tmp_path, "10.1.0"))


def test_source_without_network(tmp_path: Path, index: list[str]) -> None:
    runner = _apt(tmp_path, "10.0.13")
    runner.online = False
    with pytest.raises(SetupError, match="index of Debian's sources.*no network"):
        apt.fetch_source(QEMU, tmp_path, runner)


def test_index_that_fails_in_part_may_serve(tmp_path: Path, index: list[str]) -> None:
    index += [_stanza("1:10.0.13-1")]
    runner = _apt(tmp_path, "10.0.13", GOOD)
    runner.online = False
    assert apt.fetch_source(QEMU, tmp_path, runner).read_bytes() == GOOD


def test_other_sum_for_a_known_version_is_refused(
    tmp_path: Path, index: list[str]
) -> None:
    index += [_stanza("1:10.0.13-1", "2" * 64)]
    with pytest.raises(SetupError, match="is not accepted"):
        apt.fetch_source(QEMU, tmp_path, _apt(tmp_path, "10.0.13"))


def test_older_entry_serves_when_the_newest_cannot_be_fetched(
    tmp_path: Path, index: list[str]
) -> None:
    index += [_stanza("1:10.0.13-1+deb13u1"), _stanza("1:10.0.13-1")]
    runner = _apt(tmp_path, "10.0.13", None, GOOD)
    assert apt.fetch_source(QEMU, tmp_path, runner).read_bytes() == GOOD
    asked = [command[-1] for command in runner.commands[1:]]
    assert asked == ["qemu=1:10.0.13-1+deb13u1", "qemu=1:10.0.13-1"]


def test_download_that_differs_from_the_index_is_refused(
    tmp_path: Path, index: list[str]
) -> None:
    index += [_stanza("1:10.0.13-1")]
    runner = _apt(tmp_path, "10.0.13", b"bad")
    with pytest.raises(SetupError, match="is damaged"):
        apt.fetch_source(QEMU, tmp_path, runner)
    assert not runner.file.exists()


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("1:10.0.13+ds-0+deb13u1", "10.0.13+ds"),
        ("2.84.4-3~deb13u5", "2.84.4"),
        ("1.0-rc1-2", "1.0-rc1"),
        ("7", "7"),
        ("1:7", "7"),
    ],
)
def test_upstream_version(version: str, upstream: str) -> None:
    assert upstream_version(version) == upstream


def test_malformed_upstream_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "UPSTREAM"
    path.write_text('[qemu]\nat_least = "1"\n')
    with pytest.raises(SetupError, match="UPSTREAM cannot be used"):
        read(path)


def test_deb_src_of_both_forms(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://a.example/debian trixie main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://b.example/debian trixie main x\n"
        "deb-src http://c.example/debian trixie main\n"
        "deb http://d.example/other bookworm main\n"
    )
    (parts / "debian.sources").write_text(
        "# comment\nTypes: deb\nURIs: http://e.example/debian\n"
        "Suites: trixie trixie-updates\nComponents: main\nSigned-By: /e.gpg\n"
        "\nEnabled: no\nTypes: deb\nURIs: http://f.example/debian\n"
        "Suites: trixie\nComponents: main\n"
    )
    assert deb_src_lines(tmp_path).splitlines() == [
        "deb-src [signed-by=/k.gpg] http://b.example/debian trixie main",
        "deb-src [signed-by=/e.gpg] http://e.example/debian trixie main",
        "deb-src [signed-by=/e.gpg] http://e.example/debian trixie-updates main",
    ]
    assert deb_lines("bookworm", tmp_path).splitlines() == [
        "deb [signed-by=/k.gpg] http://b.example/debian bookworm main",
        "deb [signed-by=/e.gpg] http://e.example/debian bookworm main",
        "deb [signed-by=/e.gpg] http://e.example/debian bookworm-updates main",
    ]


def test_repository_upstream_files_are_well_formed() -> None:
    root = Path(__file__).resolve().parents[3]
    for name in ("qemu/UPSTREAM", "qemu/deps/UPSTREAM"):
        found = read(root / name)
        assert found, name
        for upstream in found.values():
            assert upstream.sha256, upstream.package
            assert all(upstream.accepts(v) for v in upstream.sha256), upstream.package
