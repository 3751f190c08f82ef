"""Runs one engine process: pipes, time limit, clean death, resource figures.

The engine gets a session of its own: Ctrl-C at the terminal reaches this process
only, and a kill reaches the engine's whole process group.  The engine always has
pipes for stdin, stdout and stderr; in an interactive boot this process relays.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from select import PIPE_BUF

from bench.base.errors import TierlabError
from bench.base.interrupt import Deferred
from bench.harness.process.sampler import Sampler

READ_SIZE = 64 * 1024
# Time after SIGTERM in which an engine may write or hand on its statistics.
TERM_GRACE_S = 5.0
# How often to look for the process's end if the kernel has no pidfd.
POLL_S = 0.02
# An unfinished line is a prompt if nothing follows for this time.
QUIET_MS = 100.0
RSS_NOTE = "wait4 ru_maxrss: the largest single process of the engine's tree"

Sink = Callable[[bytes, float], None]


@dataclass(frozen=True)
class Ended:
    """How the process ended, and the resources that it used."""

    status: int | None
    signal: int | None
    killed: str | None
    spawn_epoch_ms: float
    wall_ms: float
    user_ms: float
    system_ms: float
    peak_rss_mib: float


@dataclass
class Limits:
    """When to end the process before it ends by itself.

    `deadline_s` counts from process start.  `asked` may be set by a sink at
    any time: the reason, and the moment (ms since start) from which it holds.
    """

    deadline_s: float | None = None
    asked: tuple[str, float] | None = None

    def due(self, now_ms: float) -> str | None:
        """The reason to kill now, if there is one."""
        if self.asked is not None and now_ms >= self.asked[1]:
            return self.asked[0]
        if self.deadline_s is not None and now_ms >= self.deadline_s * 1000:
            return "timeout"
        return None

    def wait_s(self, now_ms: float) -> float | None:
        """How long the caller can wait before a limit needs attention."""
        ends = [] if self.asked is None else [self.asked[1]]
        if self.deadline_s is not None:
            ends.append(self.deadline_s * 1000)
        return max(0.0, (min(ends) - now_ms) / 1000) if ends else None


class EngineProcess:
    """One engine process from start to end; use run() once."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        on_output: Sink,
        on_error: Sink,
        on_quiet: Callable[[float], None] | None = None,
        limits: Limits,
        input_fd: int | None = None,
        hold_input: bool = False,
        types: bool = False,
        signals: Deferred | None = None,
        sampler: Sampler | None = None,
    ) -> None:
        self._sampler = sampler
        self._on_output = on_output
        self._on_error = on_error
        self._on_quiet = on_quiet
        self._last_output_ms: float | None = None  # None: on_quiet has been called
        self._limits = limits
        self._input_fd = input_fd
        self._hold_input = hold_input
        self._signals = signals
        self._pending = b""
        # Functions that other threads want called, and the eventfd that wakes the loop.
        self._calls: deque[Callable[[], None]] = deque()
        self._calling = threading.Lock()
        self._wake: int | None = os.eventfd(0, os.EFD_CLOEXEC)
        self._killed: str | None = None
        self._kill_at_ms = 0.0
        # poll, because epoll refuses regular files, and the input may be one.
        self._select = selectors.PollSelector()
        self._epoch_ms = time.time() * 1000
        self._start = time.monotonic()
        self._child = _spawn(argv, env, piped_input=input_fd is not None or types)

    @property
    def pid(self) -> int:
        """The engine's process."""
        return self._child.pid

    def run(self) -> Ended:
        """Relay until the process ends; on any way out the process is dead."""
        pidfd = _pidfd(self._child.pid)
        try:
            self._watch(pidfd)
            while not self._step(pidfd):
                pass
        except BaseException:
            self._kill_group()
            raise
        finally:
            ended = self._reap()
            self._select.close()
            for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
                if pipe is not None:
                    pipe.close()
            if pidfd is not None:
                os.close(pidfd)
            self._stop_calls()
        return ended

    def call(self, function: Callable[[], None]) -> None:
        """Call a function in the loop, unless the loop ended.  From any thread."""
        with self._calling:
            if self._wake is not None:
                self._calls.append(function)
                os.eventfd_write(self._wake, 1)

    def release_input(self) -> None:
        """Start to relay input that was held back."""
        if self._hold_input:
            self._hold_input = False
            self._listen()

    def send(self, data: bytes) -> None:
        """Type a line; it is short enough for the pipe to take it at once."""
        pipe = self._child.stdin
        assert pipe is not None and len(data) <= PIPE_BUF
        try:
            os.write(pipe.fileno(), data)
        except OSError:
            return  # the process has ended; the loop will notice that

    def now_ms(self) -> float:
        """Time since the process was started.  From any thread."""
        return (time.monotonic() - self._start) * 1000

    def _watch(self, pidfd: int | None) -> None:
        assert self._child.stdout is not None and self._child.stderr is not None
        self._select.register(self._child.stdout, selectors.EVENT_READ, self._on_output)
        self._select.register(self._child.stderr, selectors.EVENT_READ, self._on_error)
        assert self._wake is not None
        self._select.register(self._wake, selectors.EVENT_READ, None)
        if pidfd is not None:
            self._select.register(pidfd, selectors.EVENT_READ, None)
        if self._signals is not None:
            self._select.register(self._signals, selectors.EVENT_READ, None)
        if not self._hold_input:
            self._listen()

    def _step(self, pidfd: int | None) -> bool:
        """One round; true when the process has ended and is drained."""
        now = self.now_ms()
        self._enforce(now)
        wait = self._wait_s(now)
        if self._last_output_ms is not None:
            quiet = max(0.0, self._last_output_ms + QUIET_MS - now) / 1000
            wait = quiet if wait is None else min(wait, quiet)
        if self._sampler is not None:
            self._sampler.poll(self._child.pid, now)
            due = self._sampler.wait_ms(now) / 1000
            wait = due if wait is None else min(wait, due)
        if pidfd is None:
            wait = POLL_S if wait is None else min(wait, POLL_S)
        ended = pidfd is None and _has_exited(self._child.pid)
        for key, _ in self._select.select(0 if ended else wait):
            if key.fileobj == pidfd:
                ended = True
            elif key.fileobj == self._wake:
                self._do_calls()
            elif self._signals is not None and key.fileobj is self._signals:
                self._signals.check()
            elif key.fileobj == self._input_fd:
                self._take_input()
            elif key.fileobj is self._child.stdin:
                self._send_input()
            else:
                self._read(key)
        self._tell_quiet(now)
        if ended:
            self._drain()
        return ended

    def _tell_quiet(self, now_ms: float) -> None:
        # The caller takes the time before select() and calls this afterwards. Otherwise
        # output that has arrived but was not read yet would count as silence.
        last = self._last_output_ms
        if last is not None and now_ms >= last + QUIET_MS:
            self._last_output_ms = None
            if self._on_quiet is not None:
                self._on_quiet(last)

    def _do_calls(self) -> None:
        assert self._wake is not None
        os.eventfd_read(self._wake)
        while self._calls:
            self._calls.popleft()()

    def _stop_calls(self) -> None:
        with self._calling:
            assert self._wake is not None
            os.close(self._wake)
            self._wake = None

    def _read(self, key: selectors.SelectorKey) -> bool:
        data = os.read(key.fd, READ_SIZE)
        if not data:
            self._select.unregister(key.fileobj)
            return False
        now = self.now_ms()
        if key.data == self._on_output:
            self._last_output_ms = now
        key.data(data, now)
        return True

    def _drain(self) -> None:
        """Read what the pipes still hold, without waiting for more."""
        keys = [k for k in self._select.get_map().values() if k.data is not None]
        for key in keys:
            os.set_blocking(key.fd, False)
            try:
                while self._read(key):
                    pass
            except BlockingIOError:
                continue

    def _listen(self) -> None:
        if self._input_fd is not None:
            self._select.register(self._input_fd, selectors.EVENT_READ, None)

    def _take_input(self) -> None:
        """Read a piece of input, and no more before the engine took it.

        A blocking write would stop the relay of the console, for which the engine may
        be waiting.
        """
        pipe = self._child.stdin
        assert self._input_fd is not None and pipe is not None
        self._select.unregister(self._input_fd)
        self._pending = os.read(self._input_fd, 1024)
        if self._pending:
            os.set_blocking(pipe.fileno(), False)
            self._select.register(pipe, selectors.EVENT_WRITE, None)
        else:
            pipe.close()

    def _send_input(self) -> None:
        pipe = self._child.stdin
        assert pipe is not None
        try:
            self._pending = self._pending[os.write(pipe.fileno(), self._pending) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._select.unregister(pipe)
            return
        if not self._pending:
            self._select.unregister(pipe)
            self._listen()

    def _wait_s(self, now_ms: float) -> float | None:
        if self._killed is None:
            return self._limits.wait_s(now_ms)
        return max(0.1, (self._kill_at_ms - now_ms) / 1000)

    def _enforce(self, now_ms: float) -> None:
        if self._killed is None:
            reason = self._limits.due(now_ms)
            if reason is not None:
                self._killed = reason
                self._kill_at_ms = now_ms + TERM_GRACE_S * 1000
                # Signal only the engine's own process, which ends its children after it
                # has collected their data.
                os.kill(self._child.pid, signal.SIGTERM)
        elif now_ms >= self._kill_at_ms:
            self._kill_group()

    def _kill_group(self) -> None:
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def _reap(self) -> Ended:
        """Kill what is left of the group, then collect the leader.

        The leader is still a zombie here, so its group id cannot have been
        given to anybody else.
        """
        os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT)
        wall = self.now_ms()
        self._kill_group()
        _, status, usage = os.wait4(self._child.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self._child.returncode = code
        return Ended(
            status=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            killed=self._killed,
            spawn_epoch_ms=round(self._epoch_ms, 3),
            wall_ms=round(wall, 3),
            user_ms=round(usage.ru_utime * 1000, 3),
            system_ms=round(usage.ru_stime * 1000, 3),
            peak_rss_mib=round(usage.ru_maxrss / 1024, 1),
        )


def _spawn(
    argv: Sequence[str], env: Mapping[str, str], *, piped_input: bool
) -> subprocess.Popen[bytes]:
    guard = shutil.which("setpriv")
    # If this process is killed, the kernel ends the engine as well.
    prefix = [guard, "--pdeathsig", "KILL", "--"] if guard else []
    try:
        return subprocess.Popen(
            [*prefix, *argv],
            env={**os.environ, **env},
            stdin=subprocess.PIPE if piped_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        raise TierlabError(
            f"{argv[0]} cannot be started", error.strerror or str(error)
        ) from error


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _has_exited(pid: int) -> bool:
    flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
    return os.waitid(os.P_PID, pid, flags) is not None
