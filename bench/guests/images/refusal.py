"""The error about a root for another architecture."""

from __future__ import annotations

from bench.base.errors import TierlabError
from bench.guests.disk.refusal import BadRoot


class ForeignRoot(TierlabError):
    """The root of an image or a folder is of another architecture."""


class OtherArchitecture(BadRoot):
    """The root is of another architecture than the guest."""

    error = ForeignRoot
