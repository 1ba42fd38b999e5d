"""A child process that does one piece of work after the other, each within a time and a memory, and no network.

The child is started once and kept: starting Python and its libraries costs more than reading a small file. One that
exceeds a limit, hangs or crashes is killed; the next piece of work starts another.
"""

from __future__ import annotations

import atexit
import math
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Literal

from warehouse.isolation import frames

KEPT: Final = 512_000_000
"""A child that holds more bytes when it has answered is ended: the next piece of work begins with a small one."""
START_S: Final = 600
"""How long a child may take to start on a machine that is busy."""
PATROL_MS: Final = 100
"""How often a child that works is looked at."""
BOOT: Final = (
    "import sys; sys.path[:] = sys.argv[2:]; import importlib; "
    "from warehouse.isolation.confinement import serve; serve(importlib.import_module(sys.argv[1]).work)"
)
HANDED_DOWN: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LC_", "PYTHON", "POLARS_", "LD_")
"""What the child gets of the environment, by the names or how they begin: no secret stands there."""
ENDED_FOR_MEMORY: Final = (signal.SIGABRT, signal.SIGKILL)
"""How a process ends that cannot get memory: by itself, or by the system."""

Limit = Literal["memory", "time", "crash"]


class LimitExceededError(Exception):
    """The work took more than it may, or brought its process down; `signal_name` says how that ended."""

    def __init__(self, limit: Limit, amount: float, signal_name: str = "") -> None:
        super().__init__(f"{limit}: {amount:g} {signal_name}")
        self.limit = limit
        self.amount = amount
        self.signal_name = signal_name


class LimitedProcess:
    """A process that runs `work` of a module for each request: bytes in, bytes out."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._child: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        atexit.register(self.stop)

    def start(self) -> None:
        """Start the child where there is none, and do not wait for it."""
        if self._child is None:
            self._is_ready = False
            kept = {name: value for name, value in os.environ.items() if name.startswith(HANDED_DOWN)}
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-c", BOOT, self._module, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=kept,
                bufsize=0,
            )

    def await_start(self, memory: int = KEPT) -> None:
        """Start the child where there is none, and wait until it can be asked."""
        self.start()
        child = self._child
        if child is not None and child.stdout is not None and not self._is_ready:
            self._bytes(child, child.stdout, frames.HEADER.size, time.monotonic() + START_S, memory)
            self._is_ready = True

    def ask(self, request: bytes, seconds: float, memory: int, written: int) -> bytes:
        """The answer to a request; the time begins when the child has started.

        Args:
            request: What `work` of the module gets.
            seconds: How long it may take.
            memory: Bytes that the child may hold.
            written: Bytes that one file may have that it writes.

        Raises:
            LimitExceededError: when it takes more, or brings the child down; the child is gone then.
        """
        self.start()
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            raise LimitExceededError("crash", 0)  # pragma: no cover - the pipes were asked for
        try:
            self.await_start(memory)
            until = time.monotonic() + seconds
            with suppress(BrokenPipeError):
                frames.write(child.stdin, frames.Limits(seconds, memory, written).packed() + request)
            header = self._bytes(child, child.stdout, frames.HEADER.size, until, memory)
            answer = bytes(self._bytes(child, child.stdout, frames.HEADER.unpack(header)[0], until, memory))
            if _held(child.pid) > KEPT:
                self.stop()
        except _OverError as over:
            self.stop()
            amount = seconds if over.limit == "time" else memory
            raise LimitExceededError(over.limit, amount) from None
        except EOFError:
            code = child.wait()
            self.stop()
            ended = signal.Signals(-code) if code < 0 else None
            is_memory = ended in ENDED_FOR_MEMORY or code == frames.OUT_OF_MEMORY
            is_time = ended == signal.SIGXCPU
            limit: Limit = "memory" if is_memory else "time" if is_time else "crash"
            amount = {"memory": memory, "time": seconds, "crash": float(code)}[limit]
            raise LimitExceededError(limit, amount, ended.name if ended else "") from None
        return answer

    @property
    def pid(self) -> int | None:
        """The child's number, where there is one."""
        return self._child.pid if self._child is not None else None

    def stop(self) -> None:
        """End the child."""
        if self._child is None:
            return
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._child.wait()
        self._child = None

    def _bytes(
        self, child: subprocess.Popen[bytes], pipe: IO[bytes], size: int, until: float, memory: int
    ) -> bytearray:
        """So many bytes of the answer; while they do not come the child is looked at."""
        received, poll = bytearray(), select.poll()
        poll.register(pipe, select.POLLIN)
        while len(received) < size:
            if not poll.poll(PATROL_MS):
                if time.monotonic() > until:
                    raise _OverError("time")
                if _held(child.pid) > memory:
                    raise _OverError("memory")
                continue
            piece = os.read(pipe.fileno(), min(size - len(received), 1 << 20))
            if not piece:
                raise EOFError
            received += piece
        return received


class _OverError(Exception):
    """The child takes more than it may."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit)
        self.limit: Limit = limit


def _held(pid: int) -> int:
    """Bytes of memory that a process has for itself: what it maps of files can be had again."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * resource.getpagesize()


def bytes_of(amount: str) -> int:
    """A size as the settings write it.

    Example:
        >>> bytes_of("1.5GB"), bytes_of("2 KiB")
        (1500000000, 2048)
    """
    number = amount.rstrip(" KMGTiB")
    unit = amount.removeprefix(number).strip()
    scale: Sequence[str] = ("B", "K", "M", "G", "T")
    step = 1024.0 if "i" in unit else 1000.0
    return round(float(number) * math.pow(step, scale.index(unit[0])))
