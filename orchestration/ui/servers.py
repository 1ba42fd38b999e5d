"""The two processes that `trisect ui` starts: Dagster's web app behind the guard, and Dagster's daemon.

Each runs Dagster's own command, found by its published name, and ends with the process that started it.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from orchestration.settings import PROJECT_VARIABLE, load, variable
from orchestration.ui.guard import Guard, loopback_origins
from orchestration.ui.published_files import PublishedFiles

DEFINITIONS: Final = ("-m", "orchestration.definitions")
APP_FACTORY: Final = "create_app_from_workspace_process_context"
_PR_SET_PDEATHSIG: Final = 1


def web(port: int, served_as: Sequence[str]) -> None:
    """Serve the web app on loopback; `served_as` are origins that a proxy in front of it gives it.

    Raises:
        RuntimeError: when this release of Dagster makes its app elsewhere, so that the guard would not stand before it.
    """
    webserver = import_module("dagster_webserver.cli")
    make = getattr(webserver, APP_FACTORY, None)
    if make is None:
        raise RuntimeError(f"dagster_webserver.cli has no {APP_FACTORY}: the guard cannot stand before this release")
    origins = loopback_origins(port) | set(served_as)
    published = load(Path(variable(PROJECT_VARIABLE))).published

    def guarded(*arguments: Any, **named: Any) -> Guard:  # noqa: ANN401 - whatever Dagster makes its app from
        return Guard(PublishedFiles(make(*arguments, **named), published), origins)

    setattr(webserver, APP_FACTORY, guarded)
    _command("dagster-webserver", "-h", "127.0.0.1", "-p", str(port), *DEFINITIONS)


def daemon() -> None:
    """Run the daemon."""
    _command("dagster-daemon", "run", *DEFINITIONS)


def _command(name: str, *arguments: str) -> None:
    [entry] = entry_points(group="console_scripts", name=name)
    sys.argv = [name, *arguments]
    main: Callable[[], None] = entry.load()
    main()


def _end_with_parent() -> None:
    """Ask Linux to end this process when the one that started it is gone, whatever ended that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    _end_with_parent()
    kind, *arguments = sys.argv[1:]
    if kind == "web":
        web(int(arguments[0]), arguments[1:])
    else:
        daemon()
