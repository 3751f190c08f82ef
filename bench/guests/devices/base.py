"""Devices that are plugged into a guest for one boot, and how engines see their files.

A kind of device is one module here: its Device, its options of the command
line, and one line in KINDS (bench/guests/devices/__init__.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import click

from bench.base.errors import USAGE, TierlabError

AnyCommand = TypeVar("AnyCommand", bound=Callable[..., Any])

# Where a machine takes a virtio device; "" if the machine has no place for one.
_BUSES = {"microvm": "device", "raspi3ap": ""}
_DEFAULT_BUS = "pci"


class Places(Protocol):
    """How the engine's QEMU sees the host, for one boot.

    A call has an effect: the engine provides all that was asked for.
    """

    @property
    def engine(self) -> str:
        """The engine's name."""

    def file(self, host: Path, inside: str) -> str:
        """The path that QEMU must be given for a host file that it only reads.

        `inside` is the path in an engine that has a file system of its own:
        absolute, and each used once.
        """

    def left(self, host: Path, inside: str) -> str:
        """The path for a file that QEMU writes; the engine copies it out at the end."""

    def live(
        self, host: Path, inside: str, *, writable: bool = True, kept: bool = True
    ) -> str:
        """The path for a file or folder that QEMU uses in place while it runs.

        `host` is absolute and has no links in it. What QEMU writes is lost if `kept`
        is False and the engine cannot write to the host.
        """

    def secret(self, name: str, value: str) -> None:
        """Set a variable of the engine's process: command lines show no secret."""


class Device(Protocol):
    """A device that is plugged in for one boot."""

    def qemu_arguments(self, arch: str, machine: str, places: Places) -> list[str]:
        """The device's arguments for QEMU; TierlabError if the device does not fit."""

    def as_json(self) -> dict[str, Any]:
        """For the result's config: at least `kind`."""


@dataclass(frozen=True)
class Plan:
    """What a boot is to do with devices: known before anything is built or started."""

    machine: str
    devices: tuple[Device, ...]
    # Whether the next boot must find the devices as this one found them.
    repeating: bool = False
    # Whether the machine is to be saved, and resumed at another time.
    saving: bool = False


@runtime_checkable
class Choosy(Device, Protocol):
    """A device that does not fit everywhere."""

    def check(self, plan: Plan) -> None:
        """Raise a TierlabError, a usage error, if it does not fit the plan."""


@runtime_checkable
class Announced(Device, Protocol):
    """A device that is announced to the project's own guests."""

    def kernel_words(self, devices: tuple[Device, ...]) -> list[str]:
        """Words for the kernel's command line; `devices` are all of this boot."""


@runtime_checkable
class Served(Device, Protocol):
    """A device that needs a process beside the engine."""

    @property
    def products(self) -> tuple[str, ...]:
        """The products that the process needs."""

    def served(
        self, products: Mapping[str, Path], scratch: Path
    ) -> AbstractContextManager[Device]:
        """The device to plug in, while its process runs.

        `scratch` is a directory of this boot, closed to other users.
        """


@dataclass(frozen=True)
class Kind:
    """A kind of device on the command line.

    `options` are click's decorators by the parameter that each one sets; `make`
    gets the values of these parameters.
    """

    options: Mapping[str, Callable[[AnyCommand], AnyCommand]]
    make: Callable[[Mapping[str, Any]], tuple[Device, ...]]


def repeatable(
    option: str, what: str, help_text: str, parse: Callable[[str], Device]
) -> Kind:
    """A kind whose option may be repeated.

    Each use of the option is one device, which `parse` makes from the value.
    """
    name = f"{option.removeprefix('--')}s"

    def make(given: Mapping[str, Any]) -> tuple[Device, ...]:
        return tuple(map(parse, given[name]))

    values = click.option(
        option, name, metavar=f"{what}[,...]", multiple=True, help=help_text
    )
    return Kind({name: values}, make)


def virtio_bus(machine: str, what: str, option: str) -> str:
    """The end of a virtio device's name on that machine: pci, or device.

    `what` and `option` are for the error about a machine without either.
    """
    bus = _BUSES.get(machine.partition(",")[0], _DEFAULT_BUS)
    if not bus:
        raise TierlabError(
            f"machine {machine} has no place for {what}",
            next_step=f"leave {option} out",
            status=USAGE,
        )
    return bus


def check_plan(plan: Plan) -> None:
    """Raise a usage error for the first device that does not fit."""
    for device in plan.devices:
        if isinstance(device, Choosy):
            device.check(plan)


def split_settings(
    text: str, option: str, known: tuple[str, ...]
) -> tuple[Path, dict[str, str]]:
    """Split PATH,NAME=VALUE,..., where the path may have commas as well."""
    words = text.split(",")
    settings: dict[str, str] = {}
    while len(words) > 1:
        name, equals, value = words[-1].partition("=")
        if not equals or name not in known:
            break
        if name in settings:
            raise unfit(option, f"{name}= is there twice", "leave out one")
        settings[name] = value
        words.pop()
    path = ",".join(words)
    if not path:
        raise unfit(option, "there is no file or folder", "give its path first")
    if not Path(path).exists() and len(words) > 1:
        names = ", ".join(f"{name}=" for name in known)
        raise unfit(option, f"'{words[-1]}' is no setting", f"valid: {names}")
    return Path(path), settings


def switch(option: str, settings: Mapping[str, str], name: str) -> bool:
    """The value of a setting that is on or off; without the setting: off."""
    value = settings.get(name, "off")
    if value not in ("on", "off"):
        raise unfit(option, f"{name}={value} will not do", "give on or off")
    return value == "on"


def host_path(option: str, path: Path) -> Path:
    """The path, absolute and without links, in a form that QEMU and Node take."""
    try:
        found = path.resolve(strict=True)
        str(found).encode()
    except UnicodeEncodeError as error:
        raise unfit(option, "the path is not UTF-8", "rename it") from error
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise unfit(option, f"{path}: {why}", "name one that is there") from error
    return found


def quoted(path: str) -> str:
    """A path as a value among QEMU's options, where a comma ends a value."""
    return path.replace(",", ",,")


def unfit(option: str, why: str, next_step: str) -> TierlabError:
    """The error about an option's value."""
    return TierlabError(option, why, next_step, status=USAGE)
