"""A program that plays an engine with a guest, following a script.

    fake_engine.py SCENARIO.json [STATS.json TIMELINE.jsonl]

The scenario is a list of steps, each an object with one key:
    {"say": TEXT}       write to the console
    {"err": TEXT}       write to stderr
    {"echo": LINES}     read lines from stdin, and write each to the console
    {"sleep": SECONDS}  do nothing
    {"burn": SECONDS}   use the CPU
    {"eat": MIB}        allocate memory and touch it
    {"stats": OBJECT}   write the file of statistics
    {"timeline": TEXT}  write to the file of the timeline
    {"exit": STATUS}    exit
    {"kill": SIGNAL}    die by the signal
    {"hang": true}      ignore SIGTERM and never end
    {"child": SECONDS}  start a child that holds the console open
    {"qmp": SCRIPT}     serve a control channel; see fake_qmp.py
    {"await": COMMAND}  wait until a client of the channel has had the command done
The text @EPOCH_MS@ in statistics stands for the present time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.testing.fake_qmp import FakeQmp  # noqa: E402

qmp: FakeQmp | None = None


def control(key: str, value: Any) -> None:
    """Do a step of the control channel, if the scenario has one."""
    global qmp
    path = os.environ.get("FAKE_CONTROL")
    if path and key == "qmp":
        qmp = FakeQmp(path, value)
    elif qmp is not None and key == "await":
        qmp.wait(value)


def play(key: str, value: Any, stats: str | None, timeline: str | None) -> None:
    """Do one step."""
    if key in ("qmp", "await"):
        control(key, value)
    elif key == "say":
        os.write(1, value.encode())
    elif key == "err":
        os.write(2, value.encode())
    elif key == "sleep":
        time.sleep(value)
    elif key == "echo":
        for _ in range(value):
            os.write(1, b"got " + sys.stdin.buffer.readline())
    elif key == "stats" and stats is not None:
        text = json.dumps(value).replace('"@EPOCH_MS@"', str(time.time() * 1000))
        Path(stats).write_text(text)
    elif key == "timeline" and timeline is not None:
        with Path(timeline).open("a") as file:
            file.write(value)
    elif key == "burn":
        end = time.process_time() + value
        while time.process_time() < end:
            pass
    elif key == "exit":
        sys.exit(value)
    elif key == "kill":
        os.kill(os.getpid(), value)
    elif key == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(3600)
    elif key == "child":
        subprocess.Popen(["sleep", str(value)])
    elif key == "eat":
        block = bytearray(value * 1024 * 1024)
        block[::4096] = b"x" * len(block[::4096])


def main() -> None:
    """Play the scenario named on the command line."""
    stats, timeline = sys.argv[2:4] if len(sys.argv) > 3 else (None, None)
    for step in json.loads(Path(sys.argv[1]).read_text()):
        for key, value in step.items():
            play(key, value, stats, timeline)


if __name__ == "__main__":
    main()
