"""What a person sees while a command lands files and computes tables: a bar on a terminal, lines where they asked."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestration.resources import STEPS
from warehouse.landing.progress import LANDED
from warehouse.schemas import CATALOGUE

Detail = Literal["quiet", "normal", "verbose"]
"""Nothing, a bar where somebody looks at a terminal, or a line a file and a table with the seconds it took."""


class _Bar(logging.Handler):
    """Moves a progress bar at every table, and says which file is read meanwhile."""

    def __init__(self, progress: Progress, title: str) -> None:
        super().__init__()
        self._progress = progress
        self._task = progress.add_task(title, total=len(CATALOGUE))

    def emit(self, record: logging.LogRecord) -> None:
        """Name the file that is being read, or the step that is done; a warning stays above the bar."""
        if record.levelno >= logging.WARNING:
            self._progress.console.print(record.getMessage(), markup=False, highlight=False, soft_wrap=True)
            return
        is_step = record.name == STEPS.name
        self._progress.update(self._task, advance=1 if is_step else 0, description=record.getMessage())


class _Warnings(logging.Handler):
    """What an operator is told whether they look or not: what was damaged, and is built again."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a warning, and nothing else."""
        if record.levelno >= logging.WARNING:
            sys.stderr.write(f"{record.getMessage()}\n")


class _Lines(logging.Handler):
    """A line for each file that is read and each table that is computed, with the seconds since the line before."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._before: Final = [time.monotonic()]

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line."""
        now = time.monotonic()
        seconds, self._before[0] = now - self._before[0], now
        sys.stderr.write(f"{self._title} {record.getMessage()} ({seconds:.1f} s)\n")


@contextmanager
def steps_shown(title: str, detail: Detail = "normal") -> Iterator[None]:
    """Show the steps as they are done."""
    console = Console(stderr=True)
    is_drawn = console.is_terminal and detail == "normal"
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    drawn = Progress(*columns, console=console, disable=not is_drawn, transient=True, redirect_stdout=False)
    with drawn as progress:
        handler = _Bar(progress, title) if is_drawn else _Lines(title) if detail == "verbose" else _Warnings()
        for logger in (STEPS, LANDED):
            logger.setLevel(logging.INFO)
            logger.propagate = False
            logger.addHandler(handler)
        try:
            yield
        finally:
            for logger in (STEPS, LANDED):
                logger.removeHandler(handler)
