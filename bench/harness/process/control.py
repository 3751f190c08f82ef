"""Talks to a running QEMU: its control channel, QMP over a Unix socket.

The protocol has one JSON object a line (QEMU's docs/interop/qmp-spec.rst). QEMU sends
a greeting, then an answer to each command, with events in between.
"""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from pathlib import Path
from typing import Any

# Time until QEMU listens; other processes may hold QEMU up for a while.
CONNECT_S = 120.0
ANSWER_S = 120.0
RETRY_S = 0.01
# The bytes that sun_path has room for, less its terminator.
MAX_PATH = 107


class ControlError(Exception):
    """QEMU refused a command, or has ended; the message is one line."""


class Control:
    """One session with QEMU; commands are answered one at a time."""

    def __init__(self, path: Path, timeout_s: float = CONNECT_S) -> None:
        self._socket = _connect(path, timeout_s)
        self._socket.settimeout(ANSWER_S)
        self._lines = self._socket.makefile("rb")
        self._events: deque[dict[str, Any]] = deque()
        if "QMP" not in self._receive():
            raise ControlError("QEMU's control channel does not speak QMP")
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """Execute a command; gives what it returns."""
        text = json.dumps({"execute": command, "arguments": arguments})
        try:
            self._socket.sendall(text.encode() + b"\n")
        except OSError as error:
            raise _gone(error) from error
        while True:
            answer = self._receive()
            if "event" in answer:
                self._events.append(answer)
            elif "error" in answer:
                said = str(answer["error"].get("desc", answer["error"]))
                raise ControlError(f"QEMU refused {command}: {_one_line(said)}")
            else:
                return answer.get("return")

    def event(self, name: str, timeout_s: float) -> dict[str, Any]:
        """The data of the next event of that name; other events are dropped."""
        deadline = time.monotonic() + timeout_s
        while True:
            while self._events:
                event = self._events.popleft()
                if event["event"] == name:
                    data = event.get("data", {})
                    return data if isinstance(data, dict) else {}
            left = deadline - time.monotonic()
            if left <= 0:
                raise ControlError(f"QEMU did not say {name} for {timeout_s:g} s")
            self._socket.settimeout(left)
            try:
                answer = self._receive()
            finally:
                self._socket.settimeout(ANSWER_S)
            if "event" in answer:
                self._events.append(answer)

    def quit(self) -> None:
        """End QEMU, which may be gone before it answers."""
        try:
            self.execute("quit")
        except ControlError:
            return

    def close(self) -> None:
        """End the session; QEMU goes on."""
        self._lines.close()
        self._socket.close()

    def _receive(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except OSError as error:
            raise _gone(error) from error
        if not line:
            raise ControlError("QEMU ended")
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise ControlError("QEMU's control channel is not JSON") from error
        return answer if isinstance(answer, dict) else {}


def _connect(path: Path, timeout_s: float) -> socket.socket:
    if len(str(path)) > MAX_PATH:
        raise ControlError(f"{path} is too long for a socket: choose a short TMPDIR")
    deadline = time.monotonic() + timeout_s
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            connection.close()
            if time.monotonic() >= deadline:
                raise _gone(error) from error
            time.sleep(RETRY_S)
        else:
            return connection


def _gone(error: OSError) -> ControlError:
    why = "it does not answer" if isinstance(error, TimeoutError) else "it ended"
    return ControlError(f"QEMU cannot be controlled: {why}")


def _one_line(text: str) -> str:
    return " ".join(text.split())
