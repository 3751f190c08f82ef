"""Fixtures: fake products in place of real ones, fake engines registered."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.engines import ENGINES
from bench.guests.guest import Guest
from bench.guests.manifest import load
from bench.harness.products import PRODUCT_PREFIX, TIERS, product_variable
from bench.testing.fakes import GUEST, FakeEngine, make_guest, make_tiers


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    """A fake guest, loaded."""
    return load(make_guest(tmp_path / "guest"))


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """A fake engine with tiers, which the command line knows as `fake`."""
    engine = FakeEngine(tmp_path)
    monkeypatch.setitem(ENGINES, engine.name, engine)
    return engine


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """A fake engine without tiers in the place of `native`."""
    directory = tmp_path / "native"
    directory.mkdir()
    engine = FakeEngine(directory, name="native", has_tiers=False)
    monkeypatch.setitem(ENGINES, engine.name, engine)
    return engine


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a directory of the test's own, because results go to the current one."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def products(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Products of the fake guest and of the policies, set by variables."""
    guest = make_guest(tmp_path / "guest-product")
    tiers = make_tiers(tmp_path / "tiers-product")
    monkeypatch.setenv(product_variable(f"guest-{GUEST}"), str(guest))
    monkeypatch.setenv(product_variable(TIERS), str(tiers))


@pytest.fixture
def nothing_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, and no product named by a variable.

    `tierlab test` names the products that it obtained by variables.
    """
    for variable in os.environ:
        if variable.startswith(PRODUCT_PREFIX):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("TIERLAB_CACHE", str(tmp_path))
