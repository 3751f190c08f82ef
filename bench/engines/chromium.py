"""Chromium, from Debian's package: V8 as in Node, in a browser."""

from __future__ import annotations

from bench.engines.browser import BrowserEngine


class ChromiumEngine(BrowserEngine):
    """Flags are Chromium's switches; V8's flags go into --js-flags=."""

    name = "chromium"
    meaning = "QEMU as WebAssembly in a page, in Chromium without a window"
    program = "chromium"
    package = "chromium"
    flag_form = "--SWITCH or --js-flags=--V8-FLAG"

    def is_flag(self, flag: str) -> bool:
        """Chromium takes every word that begins like a switch, known or not."""
        return flag.startswith("--") and len(flag) > 2
