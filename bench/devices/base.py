"""What can be plugged into a guest for one boot, and how engines see its files.

A kind of device is one module here: its Device, its options of the command
line, and one line in KINDS (bench/devices/__init__.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

AnyCommand = TypeVar("AnyCommand", bound=Callable[..., Any])


class Places(Protocol):
    """How the engine's QEMU sees the host, for one boot.

    Asking is what makes it so: the engine collects what was asked for.
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
        """The path for a file that QEMU writes; the host has it at the end."""

    def live(self, host: Path, inside: str) -> str:
        """The same for a file or folder that is read and written in place."""

    def secret(self, name: str, value: str) -> None:
        """A variable of the engine's process, for what no command line may show."""


class Device(Protocol):
    """Something plugged in for one boot."""

    def qemu_arguments(self, arch: str, machine: str, places: Places) -> list[str]:
        """Its part of QEMU's command line; a HarnessError if it does not fit."""

    def as_json(self) -> dict[str, Any]:
        """For the result's config: at least `kind`."""


@runtime_checkable
class Served(Device, Protocol):
    """A device that needs a process beside the engine."""

    @property
    def products(self) -> tuple[str, ...]:
        """What has to be built for it."""

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
    gets the values of these parameters.  A kind is repeatable if a boot leaves
    nothing in the device that the next boot would find.
    """

    options: Mapping[str, Callable[[AnyCommand], AnyCommand]]
    make: Callable[[Mapping[str, Any]], tuple[Device, ...]]
    repeatable: bool = False
