"""The numbers of page 2."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

TOTALS = "decisions.recommended_totals"


def decision_numbers(night: Night) -> Iterator[Number]:
    """How many decisions are asked for, what they cost and save together by joint draws, and how past ones fared."""
    tonight = f"as_of = {literal(night.as_of)}"
    number = partial(Number, "decisions")
    yield number("decisions", "Decisions asked for", "decisions", TOTALS, "sum(decisions)", "decisions",
                 f"{tonight} AND decisions > 0")  # fmt: skip
    yield number("one_off", "Cost once of all decisions, median", night.currency, TOTALS, "sum(one_off_usd_p50)",
                 "one_off_usd_p50", f"{tonight} AND decisions > 0")  # fmt: skip
    for p in (10, 50, 90):
        yield number(f"saving_p{p}", f"Saving a month of all decisions, P{p}", night.currency,
                     TOTALS, f"sum(monthly_saving_usd_p{p})", f"monthly_saving_usd_p{p}",
                     tonight)  # fmt: skip
    for name, title, rows in (
        ("all", "Past recommendations", ""),
        ("inside", "Past recommendations that saved between P10 and P90", "is_within"),
        ("settled", "Past recommendations that were followed and are settled", "is_within IS NOT NULL"),
    ):
        yield number(f"track_{name}", title, "recommendations", "decisions.track_record", "count(*)", "all", rows)
