"""Products of the set-up: what they are made of, made once, kept, checked.

A recipe module, near its subject, exports `STEPS: list[Step]`; the registry
collects them. `ensure` gives directories of finished products and builds
what is missing or damaged.
"""

from bench.setup.errors import SetupError
from bench.setup.runner import ensure, present
from bench.setup.step import Context, Step

__all__ = ["Context", "SetupError", "Step", "ensure", "present"]
