"""The kinds of devices there are.  A new one is one module and one line here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from bench.guests.devices import disk, network, share
from bench.guests.devices.base import Device, Kind

KINDS: tuple[Kind, ...] = (disk.KIND, share.KIND, network.KIND)


def device_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options of every kind to a command.

    The command gets the parameter `devices` in their place.
    """

    @functools.wraps(command)
    def with_devices(**given: Any) -> int:
        devices: list[Device] = []
        for kind in KINDS:
            devices += kind.make({name: given.pop(name) for name in kind.options})
        return command(devices=tuple(devices), **given)

    decorated: Callable[..., int] = with_devices
    for kind in reversed(KINDS):
        for option in reversed(list(kind.options.values())):
            decorated = option(decorated)
    return decorated
