"""Targets in suite files: those of our own suites, and refusals of wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.load import run_from_json
from analysis.summary import PEER, summarise
from analysis.targets import Target, Verdict, verdicts
from analysis.tests.samples import result
from bench.base.errors import USAGE, TierlabError
from bench.harness.suites.suite import find_suite, named_suites, read_suite


def told(
    suite: str, results: list[dict[str, Any]], idle_share: float | None = None
) -> dict[str, Verdict]:
    """The verdicts on a suite's targets that have a value, by the target's name."""
    rows = summarise(run_from_json(r) for r in results)
    found = verdicts(read_suite(find_suite(suite)).targets, rows, idle_share)
    return {v.target.figure: v for v in found if v.value is not None}


def met(found: dict[str, Verdict]) -> dict[str, bool | None]:
    return {figure: verdict.met for figure, verdict in found.items()}


def test_targets_are_met_or_missed() -> None:
    counters = {"translate_ns": 30_000_000, "tbs_translated": 1000}
    results = [
        *(result("native", "-", ms) for ms in (900.0, 1000.0, 1100.0)),
        *(result("node", "never", ms, counters=counters) for ms in (4900.0, 5000.0)),
        result("node", "threshold:n=10", 3000.0, rss=2000.0),
        result("node", "threshold:n=10", 3000.0, failure="timeout"),
        result("node", "threshold:n=10", None, failure="panic"),
        # Without a successful run, this row is no candidate for `best policy`.
        result("node", "always", None, failure="panic"),
    ]
    found = told("policies", results, 0.031)
    assert met(found) == {
        "riscv64-debian boot against native, threshold": True,
        "riscv64-debian boot against native, never": True,
        "translation per TB": False,
        "engine start to first guest instruction": True,
        "peak resident memory": False,
        "idle guest, part of one core": True,
    }
    assert found["translation per TB"].line() == (
        "translation per TB <= 15 us: 30.00 us, missed (riscv64-debian, never, node)"
    )


def test_other_guests_are_not_meant() -> None:
    other = result("node", "threshold:n=1", guest="riscv64-tiny")
    assert not any("boot" in figure for figure in told("policies", [other]))
    assert told("policies", [result("native", "-")]) == {}


def test_the_best_policy_is_held_against_the_best_threshold() -> None:
    results = [
        result("native", "-", 1000.0),
        result("node", "threshold:n=50", 4000.0),
        result("node", "threshold:n=1500", 3000.0),
        # A row with a budget of its own is no plain threshold policy.
        result("node", "threshold:n=9,max-modules=5", 2000.0),
        result("node", "batch:n=50", 2400.0),
        result("node", "profile:from=/profiles/x", 2300.0),
    ]
    found = told("policies", results)
    best = found["riscv64-debian boot against the best threshold, best policy"]
    assert (best.value, best.met) == (0.8, True)
    assert "batch:n=50" in best.source
    native = found["riscv64-debian boot against native, best policy"]
    assert (native.value, native.met) == (2.4, True)
    profile = found["riscv64-debian boot against native, profile"]
    assert (profile.value, profile.met) == (2.3, False)


def test_occupancy_is_that_of_the_best_batch() -> None:
    few = {"tbs_compiled": 400, "modules_installed": 100}
    many = {"tbs_compiled": 480, "modules_installed": 20}
    results = [
        result("node", "batch:n=1", counters=few),
        result("node", "batch:n=50", counters=many),
        result("node", "flock:n=1", counters={**many, "modules_installed": 1}),
    ]
    occupancy = told("policies", results)["TBs a module, best batch"]
    assert (occupancy.value, occupancy.met) == (24.0, True)
    assert occupancy.line().startswith("TBs a module, best batch >= 24: 24.00, met")


def test_the_steady_state_of_regions() -> None:
    work = "sha256:mib=8,rounds=4"
    results = [
        result("native", "-", workload=work, rounds=[500, 500, 500, 500]),
        result("node", "threshold:n=9", workload=work, rounds=[9, 9, 2000, 2000]),
        result("node", "region", workload=work, rounds=[5000, 5000, 900, 1100]),
    ]
    found = told("sha256", results)
    figure = "riscv64-debian sha256, steady state, regions, against "
    assert found[f"{figure}native"].value == 2.0
    assert found[f"{figure}the best threshold"].value == 0.5
    assert met(found) == dict.fromkeys(found, True) and len(found) == 2


def test_a_peer_is_compared_with_and_is_not_ours() -> None:
    def run(engine: str, tier: str, boot: float, work: float, last: float) -> Any:
        return result(
            engine,
            tier,
            boot,
            guest="i386-debian",
            workload="sha256",
            work_ms=work,
            rounds=[400.0, last, last],
            # The limit of memory does not apply to the peer, however much it uses.
            rss=3000.0 if engine == PEER else 500.0,
        )

    results = [
        run(PEER, "-", 9000.0, 900.0, 300.0),
        run("node", "never", 20000.0, 5000.0, 2000.0),
        run("node", "region", 8100.0, 540.0, 90.0),
    ]
    found = told("v86", results)
    values = {figure: (v.value, v.met) for figure, v in found.items()}
    assert values == {
        "i386-debian boot against v86, best policy": (0.9, True),
        "i386-debian sha256 against v86, best policy": (0.6, False),
        "i386-debian sha256, steady state, against v86, best policy": (0.3, True),
    }
    memory = told("policies", results)["peak resident memory"]
    assert (memory.value, memory.met) == (500.0, True)


WITH_TARGETS = [
    name for name, path in named_suites().items() if read_suite(path).targets
]


def test_some_suites_have_targets() -> None:
    assert WITH_TARGETS == ["policies", "sha256", "v86"]


@pytest.mark.parametrize("name", WITH_TARGETS)
def test_our_targets_are_about_what_their_suite_boots(name: str) -> None:
    suite = read_suite(find_suite(name))
    for target in suite.targets:
        assert set(target.guests) <= set(suite.guests), target.figure
        assert set(target.engines) <= set(suite.engines), target.figure
    figures = [target.figure for target in suite.targets]
    assert len(set(figures)) == len(figures)
    assert suite.idle == any(t.column == "idle_share" for t in suite.targets)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "suite.toml"
    path.write_text(text)
    return path


def test_a_target_has_defaults(tmp_path: Path) -> None:
    text = '[[targets]]\nfigure = "f"\ncolumn = "modules"\nat_least = 2\n'
    assert read_suite(write(tmp_path, text)).targets == (
        Target("f", "modules", 2.0, at_least=True),
    )


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("targets = 1", "targets", "write [[targets]]"),
        ("targets = ['x']", "targets", "write [[targets]]"),
        ("[[targets]]\nfigur = 'f'", "targets:1", "valid: figure, column"),
        ("[[targets]]\nfigure = 'f'", "targets:1", "at_most or at_least"),
        ("[[targets]]\nat_most = 1\nat_least = 1", "targets:1", "at_most or at_least"),
        ("[[targets]]\nat_most = 1", "targets:1:column", "give a text"),
        (
            "[[targets]]\ncolumn = 'bot_ms'\nat_most = 1",
            "targets:1:column",
            "unknown column 'bot_ms'; valid: boot_ms, ",
        ),
        (
            "[[targets]]\ncolumn = 'boot_ms'\nat_most = 1\nfigure = ''",
            "targets:1:figure",
            "give a text",
        ),
        (
            "[[targets]]\ncolumn = 'boot_ms'\nat_most = true\nfigure = 'f'",
            "targets:1:at_most",
            "give a number",
        ),
        (
            "[[targets]]\ncolumn = 'boot_ms'\nat_most = 1\nfigure = 'f'\nrow = 'any'",
            "targets:1:row",
            "valid: best, worst",
        ),
        (
            "[[targets]]\ncolumn = 'boot_ms'\nat_most = 1\nfigure = 'f'\ntiers = []",
            "targets:1:tiers",
            "at least one name",
        ),
    ],
)
def test_a_bad_target_is_refused_by_its_key(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(TierlabError) as caught:
        read_suite(path)
    assert caught.value.status == USAGE
    line = caught.value.line()
    assert line.startswith(f"{path}:{place}: ") and words in line
