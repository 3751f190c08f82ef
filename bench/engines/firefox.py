"""Firefox, from Debian's package: SpiderMonkey."""

from __future__ import annotations

import re

from bench.engines.browser import BrowserEngine

_PREFERENCE = re.compile(r"[A-Za-z][\w.-]*=.*", re.ASCII)


class FirefoxEngine(BrowserEngine):
    """Flags are preferences, NAME=VALUE as in about:config."""

    name = "firefox"
    meaning = "QEMU as WebAssembly in a page, in Firefox without a window"
    program = "firefox-esr"
    package = "firefox-esr"
    flag_form = "a preference as NAME=VALUE"
    # `engines --probe` finds 10,900 modules of one function: SpiderMonkey has 2 GiB
    # for code, in pieces of 64 KiB, and each module takes three pieces.
    budgets = {"max-modules": 8000}

    def is_flag(self, flag: str) -> bool:
        """Whether the flag has the form NAME=VALUE."""
        return _PREFERENCE.fullmatch(flag) is not None
