"""Where things are kept outside the checkout."""

from __future__ import annotations

import os
from pathlib import Path


def find_cache() -> Path:
    """$TIERLAB_CACHE, else the user's cache directory."""
    own = os.environ.get("TIERLAB_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "tierlab"
