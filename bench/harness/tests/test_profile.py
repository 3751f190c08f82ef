"""Profiles: made from a result, found again, refused without counted executions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.base.errors import TierlabError
from bench.cli.main import main
from bench.engines.base import BootRequest
from bench.guests.guest import Guest
from bench.harness.run.boot import Boot
from bench.harness.run.policies import check_policy
from bench.harness.run.profile import profile_text, seed_path
from bench.harness.run.tb_rows import pack_tbs
from bench.testing import fakes
from bench.testing.fakes import GUEST, FakeEngine

RESULT: dict[str, Any] = {"stats": {"tbs": pack_tbs(fakes.EXECUTED)}}
TEXT = "tierlab-profile 1\n00000000000000aa 12\n00000000000000bb 3\n"


def test_executions_of_equal_code_are_added() -> None:
    assert profile_text(RESULT, "r") == TEXT


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"stats": {"present": False}}, "r has no rows of TBs"),
        ({"stats": {"tbs": {"columns": ["hash"], "data": "!"}}}, "r: damaged per-TB"),
    ],
)
def test_a_result_without_rows_is_refused(result: dict[str, Any], words: str) -> None:
    with pytest.raises(TierlabError, match=words):
        profile_text(result, "r")


def test_other_code_has_another_profile(guest: Guest, fake: FakeEngine) -> None:
    boot = Boot(fake, BootRequest(guest, workload="sha256:mib=8"), {}, None)
    path = seed_path(Path("d"), boot)
    assert path.name.startswith("fake64-tiny-sha256_mib=8-")
    other = replace(boot.request, guest=replace(guest, files=guest.files[:1]))
    assert seed_path(Path("d"), replace(boot, request=other)) != path


def test_the_policys_file_is_placed_in_the_engines_file_system(tmp_path: Path) -> None:
    tiers = fakes.make_tiers(tmp_path / "tiers")
    seeded = check_policy(tiers, "profile:n=7")
    assert seeded.spec == "profile:from=/profiles/earlier-boot,n=7"
    assert seeded.wants_seed
    own = tmp_path / "mine.profile"
    own.write_text(TEXT)
    named = check_policy(tiers, f"profile:n=7,from={own}")
    assert named.spec == "profile:from=/profiles/mine.profile,n=7"
    assert not named.wants_seed and named.profile == own
    assert not check_policy(tiers, "never").wants_seed


@pytest.mark.usefixtures("products")
def test_boot_makes_the_profile_once(
    fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stats = {**fakes.STATS, "tbs": fakes.EXECUTED}
    fake.scenarios = {"": fakes.GOOD, "never": [{"stats": stats}, *fakes.GOOD[1:]]}
    arguments = ["boot", GUEST, "--engine", "fake", "--tier", "profile"]
    assert main([*arguments, "--json", "r.json"]) == 0
    assert main(arguments) == 0
    tiers = [r.tier for r in fake.requests]
    assert tiers == ["never", *2 * ["profile:from=/profiles/earlier-boot"]]
    (path,) = Path("results/profiles").glob("*.profile")
    assert fake.requests[1].profile == fake.requests[2].profile == path
    assert path.read_text() == TEXT
    digest = json.loads(Path("r.json").read_text())["config"]["profile_sha256"]
    assert len(digest) == 64


def test_profile_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result, out = tmp_path / "r.json", tmp_path / "p"
    result.write_text(json.dumps(RESULT))
    assert main(["profile", str(result), "-o", str(out)]) == 0
    assert out.read_text() == TEXT
    assert "2 different TBs" in capfd.readouterr().out
    result.write_text("{")
    assert main(["profile", str(result), "-o", str(out)]) == 2
    assert "is not JSON" in capfd.readouterr().err
    result.write_text("{}")
    assert main(["profile", str(result), "-o", str(out)]) == 1


def test_a_spec_is_shown_without_defaults(tmp_path: Path) -> None:
    tiers = fakes.make_tiers(tmp_path / "tiers")
    assert check_policy(tiers, "threshold").facts["short"] == "threshold"
    assert check_policy(tiers, "threshold:n=5").facts["short"] == "threshold:n=5"
