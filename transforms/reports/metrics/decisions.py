"""The numbers of page 2."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

TOTALS = "decisions.recommended_totals"


def decision_numbers(night: Night) -> Iterator[Number]:
    """How many decisions are asked for, what they cost and save together by joint draws, and how past ones fared."""
    tonight = f"as_of = {literal(night.as_of)}"
    asked = f"{tonight} AND action <> 'hold'"
    is_one = night.tables["recommendations"].filter(pl.col("action") != "hold").height == 1
    # one decision is drawn together with nothing: its own row is all of it
    relation, rows = ("decisions.recommendations", asked) if is_one else (TOTALS, tonight)
    number = partial(Number, "decisions")
    yield number("decisions", "Decisions asked for", "decisions", TOTALS, "sum(decisions)", "decisions",
                 f"{tonight} AND decisions > 0")  # fmt: skip
    yield number("one_off", "Cost once of all decisions, median", night.currency, relation, "sum(one_off_usd_p50)",
                 "one_off_usd_p50", rows if is_one else f"{tonight} AND decisions > 0")  # fmt: skip
    for p in (10, 50, 90):
        yield number(f"saving_p{p}", f"Saving of all decisions in the next twelve months, P{p}", night.currency,
                     relation, f"sum(next_year_saving_usd_p{p})", f"next_year_saving_usd_p{p}", rows)  # fmt: skip
    yield number("usage_gap", "Cost a month of the model whose use is the largest question", night.currency,
                 "reports.usage_gaps", "sum(monthly_usd)", "monthly_usd", "position = 1")  # fmt: skip
    for name, title, settled in (
        ("all", "Past recommendations", ""),
        ("inside", "Past recommendations that saved between P10 and P90", "is_within"),
        ("settled", "Past recommendations that were followed and are settled", "is_within IS NOT NULL"),
    ):
        yield number(f"track_{name}", title, "recommendations", "decisions.track_record", "count(*)", "all", settled)
