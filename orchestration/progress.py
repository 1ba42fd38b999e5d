"""What a person sees while a night runs: a bar on a terminal, one line per step otherwise."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestration.resources import STEPS
from warehouse.schemas import CATALOGUE


class _Bar(logging.Handler):
    """Moves a progress bar at every step."""

    def __init__(self, progress: Progress, night: date) -> None:
        super().__init__()
        self._progress = progress
        self._task = progress.add_task(f"night {night}", total=len(CATALOGUE))

    def emit(self, record: logging.LogRecord) -> None:
        """Name the step that is done."""
        self._progress.update(self._task, advance=1, description=record.getMessage())


@contextmanager
def steps_shown(night: date) -> Iterator[None]:
    """Show the steps of the night as they are done."""
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        lines = logging.StreamHandler(sys.stderr)
        lines.setFormatter(logging.Formatter(f"{night} %(message)s"))
        handler = _Bar(progress, night) if console.is_terminal else lines
        STEPS.setLevel(logging.INFO)
        STEPS.propagate = False
        STEPS.addHandler(handler)
        try:
            yield
        finally:
            STEPS.removeHandler(handler)
