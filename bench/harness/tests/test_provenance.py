"""Provenance: the state of the code that made a result."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.harness.run.provenance import git_state, host_facts


def git(checkout: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(checkout), *arguments], check=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "nobody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "nobody@localhost")
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    (tmp_path / ".gitignore").write_text("results\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_a_clean_checkout(checkout: Path) -> None:
    state = git_state(checkout)
    assert len(state["commit"]) == 40
    assert state["dirty"] is False and state["diff_sha256"] is None
    (checkout / "results").mkdir()
    (checkout / "results" / "x").write_text("x")
    assert git_state(checkout) == state


def test_every_difference_shows_in_the_digest(checkout: Path) -> None:
    seen = {git_state(checkout)["diff_sha256"]}
    for name, text in (("a", "2"), ("a", "3"), ("new", "4"), ("new", "5")):
        (checkout / name).write_text(text)
        state = git_state(checkout)
        assert state["dirty"] is True
        assert state["diff_sha256"] not in seen
        seen.add(state["diff_sha256"])
    assert git_state(checkout)["diff_sha256"] in seen


def test_no_checkout_is_no_error(tmp_path: Path) -> None:
    assert git_state(tmp_path)["commit"] is None


def test_the_host_is_described() -> None:
    facts = host_facts()
    assert facts["cpu"] and facts["cores"] >= 1
    told = Path("/proc/sys/vm/max_map_count")
    assert facts["max_map_count"] == (int(told.read_text()) if told.exists() else None)
