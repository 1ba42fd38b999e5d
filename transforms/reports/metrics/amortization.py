"""The numbers of page 6."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from transforms.reports.metrics.metric import Number
from transforms.reports.metrics.report_facts import Night

_number = partial(Number, "amortization")
SCHEDULE = "economics.amortization"


def amortization_numbers(night: Night) -> Iterator[Number]:
    """The balance, and the roll-forward that leads to it."""
    month = night.this_month
    for number_id, title, column in (
        ("carried", "Unamortised training", "closing_usd"),
        ("carried_opening", "Opening balance", "opening_usd"),
        ("carried_additions", "Additions", "additions_usd"),
        ("carried_amortized", "Amortised", "amortized_usd"),
        ("carried_written_off", "Written off", "written_off_usd"),
    ):
        yield _number(number_id, title, night.currency, SCHEDULE, f"sum({column})", column, month)
    yield _number("stranded", "Would be written off when models retire", night.currency, "reports.runoffs",
                  "sum(stranded_usd)", "stranded_usd")  # fmt: skip
