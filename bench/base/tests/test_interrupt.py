"""A first signal is noted and raised at a safe place; a second one raises at once."""

from __future__ import annotations

import select
import signal

import pytest

from bench.base.interrupt import SIGNALS, Deferred, Interrupted, raising


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_waits_and_the_second_does_not(number: int) -> None:
    with Deferred() as signals:
        signals.check()
        assert select.select([signals], [], [], 0)[0] == []
        signal.raise_signal(number)
        # The signal makes the descriptor readable, and check() raises it.
        assert select.select([signals], [], [], 60)[0] == [signals]
        with pytest.raises(Interrupted) as caught:
            signals.check()
        assert caught.value.status == 128 + number
        with pytest.raises(Interrupted):
            signal.raise_signal(number)


def test_the_handlers_come_back() -> None:
    before = [signal.getsignal(n) for n in SIGNALS]
    with raising(), Deferred():
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(n) for n in SIGNALS] == before


def test_no_handler_for_exceptions_swallows_it() -> None:
    assert not issubclass(Interrupted, Exception)
