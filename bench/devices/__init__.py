"""The kinds of devices there are.  A new one is one module and one line here."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from bench.devices import network
from bench.devices.base import Device, Kind

KINDS: tuple[Kind, ...] = (network.KIND,)


def device_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of every kind; it gets `devices` for them."""
    return _with_options(command, KINDS)


def campaign_device_options(command: Callable[..., int]) -> Callable[..., int]:
    """Those of the kinds that each boot of a comparison finds as the first did."""
    return _with_options(command, [kind for kind in KINDS if kind.repeatable])


def _with_options(
    command: Callable[..., int], kinds: Sequence[Kind]
) -> Callable[..., int]:
    @functools.wraps(command)
    def with_devices(**given: Any) -> int:
        devices: list[Device] = []
        for kind in kinds:
            devices += kind.make({name: given.pop(name) for name in kind.options})
        return command(devices=tuple(devices), **given)

    decorated: Callable[..., int] = with_devices
    for kind in reversed(kinds):
        for option in reversed(kind.options.values()):
            decorated = option(decorated)
    return decorated
