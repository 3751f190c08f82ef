"""compare with an image or a folder as the guests' root: of options, of suites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.cli.main import main
from bench.harness.products import product_variable
from bench.harness.run import images
from bench.testing.fakes import Capture, FakeEngine, error_line, make_guest
from bench.testing.images import as_folder, entry, layer, oci

pytestmark = pytest.mark.usefixtures("elsewhere", "products", "fake")

GUEST = "riscv64-debian"
SUITE = """
image = "app"
command = ["sh", "-c", "of the suite"]
engines = ["fake"]
tiers = ["never"]
runs = 1
"""


@pytest.fixture(autouse=True)
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite in a folder beside its image; nothing is installed, nothing is built."""
    monkeypatch.setenv("TIERLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(images, "install", lambda groups, console: None)
    guest = make_guest(tmp_path / "debian", GUEST)
    monkeypatch.setenv(product_variable(f"guest-{GUEST}"), str(guest))
    root = layer(entry("bin/true", b"x", mode=0o755))
    for place in ("suites/app", "other"):
        as_folder(oci([root], Cmd=["true"]), tmp_path / place)
    path = tmp_path / "suites" / "own.toml"
    path.write_text(SUITE)
    return path


def compared(*words: str) -> dict[str, Any]:
    """The settings of the summary that `compare` wrote."""
    command = ["compare", "suites/own.toml", "--out", "out", *words]
    assert main(command) == 0
    document = json.loads(Path("out/summary.json").read_text())
    settings: dict[str, Any] = document["settings"]
    return settings


def test_a_suite_brings_image_and_command(fake: FakeEngine) -> None:
    settings = compared()
    assert settings["guests"] == [f"{GUEST}+app"]
    assert settings["workloads"] == ["image"]
    # not the folders above it
    assert (settings["image"], settings["root"]) == ("app", "")
    assert settings["command"] == ["sh", "-c", "of the suite"]
    root = fake.requests[-1].guest.root
    assert root is not None and root.command == ("sh", "-c", "of the suite")


def test_options_replace_those_of_the_suite(fake: FakeEngine) -> None:
    settings = compared("--image", "other", "--workload", "none", "--", "true", "x")
    assert settings["guests"] == [f"{GUEST}+other"]
    assert (settings["image"], settings["command"]) == ("other", ["true", "x"])
    assert settings["workloads"] == ["none"]


def test_a_folder_replaces_the_image_of_the_suite(
    tmp_path: Path, fake: FakeEngine
) -> None:
    (tmp_path / "tree/bin").mkdir(parents=True)
    settings = compared("--root", "tree")
    assert (settings["image"], settings["root"]) == ("", "tree")
    assert settings["command"] == ["sh", "-c", "of the suite"]


def test_an_image_that_is_not_there(suite: Path, capfd: Capture) -> None:
    suite.write_text(SUITE.replace("app", "gone"))
    assert main(["compare", "suites/own.toml"]) == 2
    assert "own.toml:image: there is no suites/gone" in error_line(capfd)
    assert not Path("cache").exists() and not Path("results").exists()
