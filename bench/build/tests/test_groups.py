"""Groups of packages are installed when a product or a command needs them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.base.places import ROOT
from bench.build import SetupError
from bench.build.groups import missing_packages, read_groups
from bench.build.recipes import STEPS
from bench.build.tests.conftest import Bench

LISTED = """\
# always
one   # a remark

# group: tools
# what they are for
two
three
# group: more
four
"""

# The state is a file with a line for each package that is installed.
DPKG_QUERY = """\
#!/bin/sh
for word; do
    if grep -qx "$word" "$STATE"; then echo "installed $word"; fi
done
"""
APT_GET = """\
#!/bin/sh
echo "$1" >>"$STATE.calls"
case $1 in
update) touch "$STATE.lists" ;;
install)
    if ! [ -e "$STATE.lists" ]; then echo "E: no lists" >&2; exit 100; fi
    for word; do case $word in -* | install) ;; *) echo "$word" >>"$STATE" ;; esac; done
    ;;
esac
"""


@pytest.fixture
def state(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is installed, with programs that change it in the place of apt."""
    (bench.root / "packages.txt").write_text(LISTED)
    programs = tmp_path / "programs"
    programs.mkdir()
    scripts = {"dpkg-query": DPKG_QUERY, "apt-get": APT_GET, "dpkg": "#!/bin/sh\n"}
    for name, text in scripts.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    path = tmp_path / "state"
    path.write_text("one\ntwo\n")
    monkeypatch.setenv("STATE", str(path))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return path


def calls(state: Path) -> list[str]:
    path = state.with_name("state.calls")
    return path.read_text().split() if path.exists() else []


def test_a_list_with_groups(bench: Bench, state: Path) -> None:
    groups = read_groups(bench.root)
    assert groups == {"tools": ["two", "three"], "more": ["four"]}
    assert missing_packages(bench.root, ["tools", "more"]) == ["three", "four"]
    assert missing_packages(bench.root, []) == []


def test_a_step_gets_its_packages_and_reads_lists_if_it_must(
    bench: Bench, state: Path
) -> None:
    steps = [bench.step("a", packages=("tools",)), bench.step("b")]
    bench.store(*steps).ensure(["a", "b"])
    assert state.read_text().split() == ["one", "two", "three"]
    assert calls(state) == ["install", "update", "install"]
    again = bench.step("a", packages=("tools", "more"), values=("2",))
    bench.store(again).ensure(["a"])
    assert calls(state)[3:] == ["install"]


def test_what_uses_a_product_is_installed_although_it_is_there(
    bench: Bench, state: Path
) -> None:
    bench.store(bench.step("a")).ensure(["a"])
    assert calls(state) == []
    bench.store(bench.step("a", uses=("more",))).ensure(["a"])
    assert "four" in state.read_text().split()
    assert bench.built == ["a"]
    before = calls(state)
    bench.store(bench.step("a", uses=("more",))).ensure(["a"])
    assert calls(state) == before


def test_a_command_asks_for_a_group(bench: Bench, state: Path) -> None:
    state.with_name("state.lists").touch()
    bench.store().install(["tools", "more"])
    assert state.read_text().split() == ["one", "two", "four", "three"]
    assert "packages: more, tools" in bench.said.getvalue()


def test_who_may_not_install_is_told(
    bench: Bench, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="packages are missing: three; run .* as root"):
        bench.store().install(["tools"])
    assert calls(state) == []


def test_packages_that_cannot_be_had(bench: Bench, state: Path) -> None:
    script = Path(os.environ["PATH"].partition(":")[0]) / "apt-get"
    script.write_text("#!/bin/sh\necho 'E: Could not resolve' >&2\nexit 100\n")
    with pytest.raises(SetupError, match="three cannot be installed: .*resolve"):
        bench.store().install(["tools"])


def test_every_group_that_is_asked_for_is_listed() -> None:
    asked = {group for step in STEPS for group in (*step.packages, *step.uses)}
    groups = read_groups(ROOT)
    assert asked <= set(groups)
    assert all(groups.values())
