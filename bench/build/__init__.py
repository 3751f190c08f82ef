"""Products: each is made once from declared inputs, kept, and checked.

A product is a directory, declared as a Step: its inputs, the products that it needs
and the action that fills it. A Store finds what is missing or damaged and builds it.
"""

from bench.base.errors import SetupError
from bench.build.step import Context, Step

__all__ = ["Context", "SetupError", "Step"]
