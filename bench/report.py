"""How long the report takes, and how much memory: `python -m bench.report [models]`, warm and in one process."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

from bench.report_company import SEVEN, Company
from bench.report_tables import company_tables
from templates import render


def large(models: int) -> Company:
    """A company of so many models, the seven over and over."""
    lives = tuple(replace(SEVEN[place % len(SEVEN)], name=f"model-{place:05d}") for place in range(models))
    return Company(lives=lives)


def measure(company: Company) -> dict[str, float]:
    """Seconds of clock and processor, megabytes at the peak, and the sizes of what came out."""
    identified = {"built_at": datetime(2026, 11, 22, 4, 0, tzinfo=UTC), "identity": "a" * 64, "revision": 1}
    started = time.perf_counter()
    tables = company_tables(company)
    made = time.perf_counter()
    render.pdf(tables, attachments={}, **identified)  # type: ignore[arg-type]
    first, used = time.perf_counter(), time.process_time()
    written = render.pdf(tables, attachments={}, **identified)  # type: ignore[arg-type]
    second, processor = time.perf_counter(), time.process_time() - used
    page = render.html(tables, **identified)  # type: ignore[arg-type]
    return {
        "tables s": made - started,
        "pdf, first s": first - made,
        "pdf, warm s": second - first,
        "pdf, warm processor s": processor,
        "pdf MB": len(written) / 1e6,
        "html MB": len(page) / 1e6,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    wanted = Company() if len(sys.argv) == 1 else large(int(sys.argv[1]))
    for name, value in measure(wanted).items():
        print(f"{name:24}{value:10.2f}")
