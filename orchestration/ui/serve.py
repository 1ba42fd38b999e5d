"""Starts what `trisect ui` serves, and stops all of it: whoever ends this process leaves nothing running."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

ENDINGS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PATIENCE_S: Final = 20.0
POLL_S: Final = 0.25
FOREIGN: Final = "another-page.example.com"
REFUSED: Final = http.HTTPStatus.MISDIRECTED_REQUEST


class UnguardedError(RuntimeError):
    """The web app answers to a name that is not its own: it was stopped."""


def serve(port: int, served_as: Sequence[str], environment: Mapping[str, str]) -> int:
    """Serve web app and daemon until a signal or the end of either; the code of the one that ended by itself, else 0.

    Raises:
        UnguardedError: when the web app answers to a foreign name.
    """
    with _signals() as stopped, _started(environment, "web", str(port), *served_as) as web:
        is_known_guarded = False
        with _started(environment, "daemon") as daemon:
            while not stopped:
                ended = next((one.returncode for one in (web, daemon) if one.poll() is not None), None)
                if ended is not None:
                    return int(ended) or 1
                is_known_guarded = is_known_guarded or _is_guarded(port)
                time.sleep(POLL_S)
    return 0


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals that asked for the end, while they only do that."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in ENDINGS}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _started(environment: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server and all that it starts, as a group that ends together."""
    command = [sys.executable, "-m", "orchestration.ui.servers", *arguments]
    with subprocess.Popen(command, env=dict(environment), start_new_session=True, umask=0o077) as server:  # noqa: S603 - our own interpreter and module
        try:
            yield server
        finally:
            _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ask the group to end, and end it: a night within is given the time to stop cleanly."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(PATIENCE_S)
    until = time.monotonic() + PATIENCE_S
    while _lives(server.pid) and time.monotonic() < until:
        time.sleep(POLL_S)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)


def _lives(group: int) -> bool:
    """Whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _is_guarded(port: int) -> bool:
    """Whether the web app is up, and refuses a name that is not its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/server_info", headers={"Host": FOREIGN})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    if status != REFUSED:
        raise UnguardedError(f"the web app on port {port} answered {status} to the name {FOREIGN}; it was stopped")
    return True
