"""`--net`: a network card of the guest, and how far it reaches.

QEMU sends frames to the relay (bench/engines/relay): over a WebSocket in an engine that
has no sockets, over a Unix socket natively.  So guests have the same network, with the
same limits, in every engine.
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
# The variable that tells the runner the relay's address.
ADDRESS = "TIERLAB_NETWORK"
# The socket's path by which our QEMU recognises the runner (runner-wasm.c).
RUNNER = "runner"
# The relay takes no more ports.
MAX_PORTS = 16

HELP = (
    "Plug in a network card: isolated (an address, nobody to talk to), "
    "host=PORT (127.0.0.1:PORT of this machine, at 10.0.2.2:PORT), "
    "outside (other machines); several with commas."
)


@dataclass(frozen=True)
class _Addresses:
    """The addresses at which the relay of this boot listens."""

    url: str
    stream: Path


@dataclass(frozen=True)
class Network:
    """A network card, and what the guest can reach by it."""

    ports: tuple[int, ...] = ()
    outside: bool = False
    relay: _Addresses | None = None
    products = (PRODUCT,)

    @contextmanager
    def served(self, products: Mapping[str, Path], scratch: Path) -> Iterator[Device]:
        """The card with a relay of its own, which runs as long as the boot."""
        stream = scratch / "network"
        with self.relayed(products, [f"--stream={stream}"]) as url:
            yield replace(self, relay=_Addresses(url, stream))

    def relayed(
        self, products: Mapping[str, Path], more: Sequence[str] = ()
    ) -> AbstractContextManager[str]:
        """Run a relay that lets guests reach what this card says; gives its address."""
        arguments = [*more, *(f"--host={port}" for port in self.ports)]
        arguments += ["--outside"] if self.outside else []
        program = products[PRODUCT] / "bin" / "tierlab-relay"
        return relay.running(program, arguments)

    def words(self) -> str:
        """What the card reaches, in the words of `--net`."""
        words = [f"host={port}" for port in self.ports]
        words += ["outside"] if self.outside else []
        return ",".join(words) or "isolated"

    def check(self, plan: Plan) -> None:
        """Check that the machine has a place for the card."""
        self._bus(plan.machine)

    def _bus(self, machine: str) -> str:
        return virtio_bus(machine, "a network card", "--net")

    def qemu_arguments(self, arch: str, machine: str, places: Places) -> list[str]:
        """A virtio card, and its connection to the relay."""
        assert self.relay is not None, "qemu_arguments() outside served()"
        path = quoted(str(self.relay.stream))
        if places.engine != "native":
            places.secret(ADDRESS, self.relay.url)
            path = RUNNER
        return self.card(machine, path)

    def card(self, machine: str, path: str = RUNNER) -> list[str]:
        """The card, whose other end is the Unix socket at `path`."""
        bus = self._bus(machine)
        end = f"stream,id=net0,addr.type=unix,addr.path={path}"
        # Without the ROM that boots from the network.
        rom = ",romfile=" if bus == "pci" else ""
        card = f"virtio-net-{bus},netdev=net0{rom}"
        return ["-netdev", end, "-device", card]

    def as_json(self) -> dict[str, Any]:
        """What the card reaches; a result does not tell the relay's address."""
        return {"kind": "net", "host": list(self.ports), "outside": self.outside}


def parse_network(text: str) -> Network:
    """Read `isolated`, `outside`, `host=PORT`, with commas between."""
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
