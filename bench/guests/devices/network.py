"""`--net`: a network card of the guest, and how far it reaches.

Frames go to the relay (bench/engines/relay): over a WebSocket from an engine that has
no sockets, over a Unix socket from QEMU itself.  So every engine's guest has
the same network, with the same limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from bench.base.errors import TierlabError
from bench.guests.devices import relay
from bench.guests.devices.base import (
    Device,
    Kind,
    Places,
    Plan,
    quoted,
    unfit,
    virtio_bus,
)

PRODUCT = "relay"
# The runner's variable for the relay's address.
ADDRESS = "TIERLAB_NETWORK"
# The socket that our QEMU takes for the runner (runner-wasm.c).
RUNNER = "runner"
# As many as the relay takes.
MAX_PORTS = 16

HELP = (
    "Plug in a network card: isolated (an address, nobody to talk to), "
    "host=PORT (127.0.0.1:PORT of this machine, at 10.0.2.2:PORT), "
    "outside (other machines); several with commas."
)


@dataclass(frozen=True)
class _Addresses:
    """Where the relay of this boot listens."""

    url: str
    stream: Path


@dataclass(frozen=True)
class Network:
    """A card, and what it reaches."""

    ports: tuple[int, ...] = ()
    outside: bool = False
    relay: _Addresses | None = None
    products = (PRODUCT,)

    @contextmanager
    def served(self, products: Mapping[str, Path], scratch: Path) -> Iterator[Device]:
        """With a relay of its own."""
        stream = scratch / "network"
        with self.relayed(products, [f"--stream={stream}"]) as url:
            yield replace(self, relay=_Addresses(url, stream))

    def relayed(
        self, products: Mapping[str, Path], more: Sequence[str] = ()
    ) -> AbstractContextManager[str]:
        """A relay that lets guests reach this; its address."""
        arguments = [*more, *(f"--host={port}" for port in self.ports)]
        arguments += ["--outside"] if self.outside else []
        program = products[PRODUCT] / "bin" / "tierlab-relay"
        return relay.running(program, arguments)

    def words(self) -> str:
        """As `--net` takes it."""
        words = [f"host={port}" for port in self.ports]
        words += ["outside"] if self.outside else []
        return ",".join(words) or "isolated"

    def check(self, plan: Plan) -> None:
        """There must be a place for it."""
        self._bus(plan.machine)

    def _bus(self, machine: str) -> str:
        return virtio_bus(machine, "a network card", "--net")

    def qemu_arguments(self, arch: str, machine: str, places: Places) -> list[str]:
        """A card of virtio, and the way to the relay."""
        assert self.relay is not None, "qemu_arguments() outside served()"
        path = quoted(str(self.relay.stream))
        if places.engine != "native":
            places.secret(ADDRESS, self.relay.url)
            path = RUNNER
        return self.card(machine, path)

    def card(self, machine: str, path: str = RUNNER) -> list[str]:
        """The card, with its other end at that path."""
        bus = self._bus(machine)
        end = f"stream,id=net0,addr.type=unix,addr.path={path}"
        # No ROM to boot from the network with.
        rom = ",romfile=" if bus == "pci" else ""
        card = f"virtio-net-{bus},netdev=net0{rom}"
        return ["-netdev", end, "-device", card]

    def as_json(self) -> dict[str, Any]:
        """What it reaches; the relay's address is nobody's business."""
        return {"kind": "net", "host": list(self.ports), "outside": self.outside}


def parse_network(text: str) -> Network:
    """`isolated`, `outside`, `host=PORT`, with commas between."""
    words = text.split(",")
    if words == ["isolated"]:
        return Network()
    ports: list[int] = []
    for word in words:
        name, equals, value = word.partition("=")
        if name == "host" and value.isdecimal() and 0 < int(value) < 65536:
            ports.append(int(value))
        elif name == "host" and equals:
            raise _unfit(f"'{value}' is no port", "give 1 to 65535")
        elif word == "isolated":
            raise _unfit("isolated is not alone", "leave out one or the other")
        elif word != "outside":
            raise _unfit(
                f"'{word}' is nothing to reach",
                "give isolated, outside or host=PORT, with commas between",
            )
    ports = sorted(set(ports))
    if len(ports) > MAX_PORTS:
        raise _unfit(f"{len(ports)} ports are too many", f"give at most {MAX_PORTS}")
    return Network(tuple(ports), "outside" in words)


def _unfit(why: str, next_step: str) -> TierlabError:
    return unfit("--net", why, next_step)


def _make(given: Mapping[str, Any]) -> tuple[Device, ...]:
    return () if given["net"] is None else (parse_network(given["net"]),)


KIND = Kind({"net": click.option("--net", metavar="REACH", help=HELP)}, _make)
