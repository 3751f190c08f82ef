"""The engines there are.  A new one is one module and one line here."""

from __future__ import annotations

from bench.base.errors import unknown
from bench.engines.base import Engine
from bench.engines.chromium import ChromiumEngine
from bench.engines.firefox import FirefoxEngine
from bench.engines.native import NativeEngine
from bench.engines.node import NodeEngine
from bench.engines.v86 import V86Engine

_ALL: tuple[Engine, ...] = (
    NodeEngine(),
    ChromiumEngine(),
    FirefoxEngine(),
    NativeEngine(),
    V86Engine(),
)

ENGINES: dict[str, Engine] = {engine.name: engine for engine in _ALL}


def find_engine(name: str, where: str = "") -> Engine:
    """The engine of that name, or a usage error that lists them."""
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES, where)
    return ENGINES[name]
