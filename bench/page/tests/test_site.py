"""The page's directory has all files that it names, by digests, and no others."""

from __future__ import annotations

import gzip
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bench.engines import find_engine
from bench.harness.process.console import ConsoleParser
from bench.page import describe, headers
from bench.page.site import INDEX
from bench.page.tests.sites import (
    GUESTS,
    built,
    make_contents,
    make_guest,
    make_site,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of fakes."""
    return make_site(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def said(site: Path) -> dict[str, Any]:
    """The description that the page reads."""
    (path,) = site.glob("site-*/site.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_everything_that_is_named_is_there(site: Path, said: dict[str, Any]) -> None:
    for program in said["programs"].values():
        assert (site / program["url"]).is_file()
        assert (site / program["wasm"]).stat().st_size == program["bytes"]
    files = [f for g in said["guests"] for f in g["files"]]
    files += [f for p in said["programs"].values() for f in p["files"]]
    assert {f["path"] for f in files} >= {"/guest/kernel", "/guest/initrd"}
    for file in files:
        packed = (site / file["url"]).read_bytes()
        assert len(packed) == file["packed"]
        assert len(gzip.decompress(packed)) == file["bytes"]


def test_guests_arguments_are_those_of_every_engine(said: dict[str, Any]) -> None:
    guest = next(g for g in said["guests"] if g["name"] == GUESTS[0])
    arguments = guest["arguments"]
    for option in ("-smp", "-m", "-seed", "-append", "-kernel", "-initrd"):
        assert arguments.count(option) == 1, option
    assert arguments[arguments.index("-kernel") + 1] == "/guest/kernel"
    assert ["-nic", "none"] == arguments[arguments.index("-nic") :][:2]


def test_policy_that_wants_some_text_is_left_out(said: dict[str, Any]) -> None:
    names = [p["name"] for p in said["tiers"]["policies"]]
    assert names == ["never", "threshold", "profile"]


def test_budgets_are_those_of_the_harness(said: dict[str, Any]) -> None:
    assert said["budgets"] == {"firefox": dict(find_engine("firefox").budgets)}
    assert said["budgets"]["firefox"]["max-modules"] == 8000


def test_workloads_that_want_the_host_are_left_out(said: dict[str, Any]) -> None:
    names = {w["name"] for w in said["workloads"]}
    assert "shell" in names and "sha256" in names
    assert "wait" not in names
    needs = {w["name"]: w["needs"] for w in said["workloads"]}
    assert [needs[n] for n in ("disk", "share", "net", "sha256")] == [
        "disk", "share", "net", None,
    ]  # fmt: skip
    assert said["disks"] == [] and said["shares"] == [] and said["machines"] == []
    assert said["network"] is None


def test_markers_are_javascript(said: dict[str, Any], tmp_path: Path) -> None:
    for guest in said["guests"]:
        assert [m["phase"] for m in guest["markers"]][-1] == "workload-end"
        assert not any("?P<" in m["match"] for m in guest["markers"])
    back = make_guest(tmp_path / "guest", GUESTS[0])
    parser = ConsoleParser(back.markers)
    assert parser.feed(b"@tierlab init guest=1.5\n", 1.0)[0].phase == "init"
    assert describe.javascript(r"\A(?P<n>x)\Z") == "^(?<n>x)$"


def test_equal_contents_have_equal_names(site: Path, tmp_path: Path) -> None:
    again = make_site(tmp_path)
    names = sorted(p.relative_to(site).as_posix() for p in site.rglob("*"))
    assert names == sorted(p.relative_to(again).as_posix() for p in again.rglob("*"))


def test_changed_contents_have_another_name(site: Path, tmp_path: Path) -> None:
    contents = make_contents(tmp_path)
    wasm = contents.programs["riscv64"] / "qemu-system-riscv64.wasm"
    wasm.write_bytes(wasm.read_bytes() + b"more")
    other = make_site(tmp_path, contents)

    def named(root: Path, pattern: str) -> set[str]:
        return {path.name for path in root.glob(pattern)}

    assert named(site, "qemu-riscv64-*") != named(other, "qemu-riscv64-*")
    assert named(site, "qemu-x86_64-*") == named(other, "qemu-x86_64-*")
    assert (site / INDEX).read_bytes() != (other / INDEX).read_bytes()


def test_service_worker_knows_what_there_is(site: Path) -> None:
    lists = built(site)
    known, shell = lists["known"], lists["shell"]
    assert all((site / path).is_file() for path in known)
    assert all(headers.is_hashed(path) for path in known)
    hashed = {p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file()}
    hashed = {p for p in hashed if headers.is_hashed(p)}
    # A packed file has the name of the unpacked file, with a suffix.
    assert {p for p in hashed if p.removesuffix(".gz") not in known} <= set(known)
    assert not any(path.startswith(("guest-", "qemu-")) for path in shell)


class Markup(HTMLParser):
    """Collects inline code, which our policy forbids, and links and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.inline: list[str] = []
        self.ids: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect links, ids, and attributes that hold code or styles."""
        found = dict(attrs)
        self.inline += [name for name in found if name.startswith("on")]
        self.ids += [found["id"] or ""] if "id" in found else []
        self.inline += ["style"] if "style" in found or tag == "style" else []
        self.links += [found[n] or "" for n in ("href", "src") if n in found]
        self._script = tag == "script"

    def handle_data(self, data: str) -> None:
        """Collect scripts between tags."""
        if self._script and data.strip():
            self.inline.append(data)
        self._script = False


def test_index_is_without_inline_code_and_relative(site: Path) -> None:
    markup = Markup()
    markup.feed((site / INDEX).read_text())
    assert not markup.inline
    assert len(markup.ids) == len(set(markup.ids))
    for link in markup.links:
        assert not link.startswith("/") and "//" not in link, link
        if not link.startswith("#") and link != "./":
            assert (site / link).is_file(), link


def test_headers_file(site: Path) -> None:
    text = (site / "_headers").read_text()
    assert "Cross-Origin-Opener-Policy: same-origin" in text
    assert "script-src 'self' 'wasm-unsafe-eval';" in text
    assert "/qemu-*\n  Cache-Control: public, max-age=31536000, immutable" in text


def test_policy_allows_nothing_foreign() -> None:
    policy = headers.policy()
    assert "unsafe-inline" not in policy and "unsafe-eval'" not in policy.replace(
        "wasm-unsafe-eval'", ""
    )
    assert "http" not in policy and "*" not in policy and "data:" not in policy


def test_first_paint_is_small(site: Path) -> None:
    """Our files that a browser fetches before the user chooses a guest are small.

    The sizes are those of the compressed files.
    """
    packed = [INDEX, "icon.svg", "page.webmanifest"]
    packed += [p.relative_to(site).as_posix() for p in site.glob("app-*/**/*.*")]
    packed += [p.relative_to(site).as_posix() for p in site.glob("site-*/*")]
    size = 0
    for name in {p.removesuffix(".gz") for p in packed}:
        own = site / f"{name}.gz"
        size += (own if own.exists() else site / name).stat().st_size
    assert size < 100_000
