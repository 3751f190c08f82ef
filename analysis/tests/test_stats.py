"""Statistics, compared with known answers."""

from __future__ import annotations

import pytest

from analysis.stats import median, ratio


def test_nothing_has_no_median() -> None:
    assert median([]) is None
    assert ratio([], [1.0]) is None
    assert ratio([1.0], []) is None


def test_one_run_has_no_interval() -> None:
    one = median([7.0])
    assert one is not None and (one.value, one.interval) == (7.0, None)
    other = ratio([6.0], [3.0])
    assert other is not None and (other.value, other.interval) == (2.0, None)


def test_three_runs_give_their_range() -> None:
    # A resample's median is the least of three with probability 7/27.
    found = median([30.0, 10.0, 20.0])
    assert found is not None
    assert found.value == 20.0
    assert found.interval == (10.0, 30.0)


def test_equal_runs_have_an_interval_of_no_width() -> None:
    found = median([5.0] * 9)
    assert found is not None and found.interval == (5.0, 5.0)


def test_an_interval_of_many_runs_is_the_binomial_one() -> None:
    # For 0..100 the median's percentile bootstrap tends to the order
    # statistics around the middle: half-width 1.96 * sqrt(101) / 2 = 9.85.
    found = median([float(v) for v in range(101)])
    assert found is not None and found.interval is not None
    assert found.value == 50.0
    assert found.interval[0] == pytest.approx(40, abs=1)
    assert found.interval[1] == pytest.approx(60, abs=1)


def test_one_outlier_does_not_move_the_median() -> None:
    found = median([10.0, 10.1, 9.9, 10.0, 500.0])
    assert found is not None and found.value == 10.0


def test_a_ratio_is_of_the_medians() -> None:
    found = ratio([8.0, 10.0, 30.0], [4.0, 5.0, 6.0])
    assert found is not None and found.interval is not None
    assert found.value == 2.0
    low, high = found.interval
    # The ends of both ranges: 8/6 and 30/4.
    assert low == pytest.approx(8 / 6) and high == pytest.approx(30 / 4)


def test_a_ratio_to_nothing_is_none() -> None:
    assert ratio([1.0], [0.0]) is None


def test_the_same_runs_give_the_same_interval() -> None:
    values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0]
    first = median(values)
    assert first is not None and first.interval is not None
    assert median(values) == first
