"""Where the checkout and the cache are."""

from __future__ import annotations

import os
from pathlib import Path

# The checkout that this code belongs to.
ROOT = Path(__file__).resolve().parents[2]


def default_cache() -> Path:
    """$TIERLAB_CACHE, else the user's cache directory."""
    own = os.environ.get("TIERLAB_CACHE")
    if own:
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tierlab"
