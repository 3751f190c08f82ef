"""A QEMU's control channel, with the commands that saving and resuming need.

A script is an object with any of these keys:

{"refuse": {COMMAND: WHY}}    the channel answers the command with this error
{"fail": WHY}                 the migration fails for that reason
{"gone": COMMAND}             the process ends when a client sends the command
"""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

STREAM = b"a machine's state\n" * 5000


class FakeQmp:
    """Serves one client at a time, in a thread."""

    def __init__(self, path: str, script: dict[str, Any]) -> None:
        self._script = script
        self._done: dict[str, threading.Event] = {}
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(path)
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def wait(self, command: str) -> None:
        """Wait until a client has had the command done."""
        self._event(command).wait()

    def _event(self, command: str) -> threading.Event:
        return self._done.setdefault(command, threading.Event())

    def _serve(self) -> None:
        while True:
            client, _ = self._server.accept()
            with client, client.makefile("rwb") as stream:
                self._say(stream, {"QMP": {"version": {}, "capabilities": []}})
                for line in stream:
                    self._answer(stream, json.loads(line))

    def _say(self, stream: Any, what: dict[str, Any]) -> None:
        stream.write(json.dumps(what).encode() + b"\r\n")
        stream.flush()

    def _answer(self, stream: Any, asked: dict[str, Any]) -> None:
        command, arguments = asked["execute"], asked.get("arguments", {})
        if command == self._script.get("gone"):
            os._exit(0)
        refused = self._script.get("refuse", {}).get(command)
        if refused:
            self._say(stream, {"error": {"class": "GenericError", "desc": refused}})
            return
        fails = self._script.get("fail")
        answer = {"error-desc": fails} if command == "query-migrate" else {}
        self._say(stream, {"event": "NOISE", "data": {}})
        self._say(stream, {"return": answer})
        if command in ("migrate", "migrate-incoming"):
            path = Path(arguments["uri"].removeprefix("file:"))
            if command == "migrate":
                path.write_bytes(STREAM)
            elif path.read_bytes() != STREAM:
                fails = "that is no machine"
            for status in ("setup", "active", "failed" if fails else "completed"):
                event = {"event": "MIGRATION", "data": {"status": status}}
                self._say(stream, event)
        self._event(command).set()
        if command == "quit":
            os._exit(0)
