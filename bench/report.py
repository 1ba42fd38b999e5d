"""How long the report takes, and how much memory: `python -m bench.report [models]`, warm and in one process.

Nineteen twentieths of the time is the layout library's. What it has laid out holds handles of its text library and the
number of all pages, and the night stands at the foot of each, so no sheet can be kept for the next night. What could be
kept, the values and the markup of a sheet, is the small rest that is printed apart.
"""

from __future__ import annotations

import io
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pikepdf

from bench.report_company import SEVEN, Company
from bench.report_tables import company_tables
from templates import render
from templates.pages.document import document
from templates.pages.night import Night
from templates.pages.page_frame import Identity

IDENTIFIED: Final[dict[str, Any]] = {
    "built_at": datetime(2026, 11, 22, 4, 0, tzinfo=UTC), "identity": "a" * 64, "revision": 1,
}  # fmt: skip
TEN_PAGES_S: Final = 3.0
WHOLE_S: Final = 15.0
PEAK_MB: Final = 600.0


def large(models: int) -> Company:
    """A company of so many models, the seven over and over."""
    lives = tuple(replace(SEVEN[place % len(SEVEN)], name=f"model-{place:05d}") for place in range(models))
    return Company(lives=lives)


def clocked(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What some work gives, with its seconds of clock and of processor."""
    started, used = time.perf_counter(), time.process_time()
    given = work()
    return given, time.perf_counter() - started, time.process_time() - used


def measure(company: Company) -> dict[str, float]:
    """Seconds of clock and processor by part, megabytes at the peak, and the sizes of what came out."""
    tables = company_tables(company)
    identity = Identity(IDENTIFIED["identity"], 1, IDENTIFIED["built_at"])
    _, first, _ = clocked(lambda: render.pdf(tables, attachments={}, **IDENTIFIED))
    written, warm, processor = clocked(lambda: render.pdf(tables, attachments={}, **IDENTIFIED))
    page, _, composed = clocked(lambda: render.html(tables, **IDENTIFIED))
    _, _, values = clocked(lambda: document(Night(tables), identity))
    with pikepdf.open(io.BytesIO(written)) as paper:
        sheets = len(paper.pages)
    return {
        "pages": sheets,
        "pdf, first s": first,
        "pdf, warm s": warm,
        "pdf, warm processor s": processor,
        "of that values s": values,
        "of that markup s": composed - values,
        "of that layout and file s": processor - composed,
        "ten pages, warm s": warm / sheets * 10,
        "ten pages, processor s": processor / sheets * 10,
        "pdf MB": len(written) / 1e6,
        "html MB": len(page) / 1e6,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def verdicts(found: dict[str, float]) -> list[str]:
    """What was measured against what it should be; a busy machine shows in the clock, not in the processor."""
    limits = {"ten pages, processor s": TEN_PAGES_S, "pdf, warm s": WHOLE_S, "peak MB": PEAK_MB}
    return [
        f"{name:28}{found[name]:10.2f}  of {limit:g}: {'kept' if found[name] <= limit else 'missed'}"
        for name, limit in limits.items()
    ]


if __name__ == "__main__":
    measured = measure(Company() if len(sys.argv) == 1 else large(int(sys.argv[1])))
    for name, value in measured.items():
        print(f"{name:28}{value:10.2f}")
    print(*verdicts(measured), sep="\n")
