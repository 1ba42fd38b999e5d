"""A child's work that goes wrong as it is asked to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def work(request: bytes) -> bytes:
    """Do what the request names."""
    name, *arguments = request.decode().split()
    return WORK[name](*arguments).encode()


def hang() -> str:
    while True:
        time.sleep(1)


def fill(megabytes: str) -> str:
    return str(len([os.urandom(1) * 1_000_000 for _ in range(int(megabytes))]))


def crash() -> str:
    os.kill(os.getpid(), signal.SIGSEGV)
    return "alive"


def refused(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return f"refused {error.errno}"
    return "done"


WORK: dict[str, Callable[..., str]] = {
    "echo": lambda text: text,
    "who": lambda: str(os.getpid()),
    "hang": hang,
    "fill": fill,
    "reserve": lambda size: str(len(bytearray(int(size)))),
    "crash": crash,
    "socket": lambda: refused(lambda: socket.socket().close()),
    "program": lambda: refused(lambda: subprocess.run([sys.executable, "-V"], check=True)),
    "write": lambda path, size: refused(lambda: Path(path).write_bytes(bytes(int(size)))),
    "environment": lambda name: os.environ.get(name, "none"),
}
