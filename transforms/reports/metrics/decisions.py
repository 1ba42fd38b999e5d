"""The numbers of pages 4, 7 and 8."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

UNITS = "economics.unit_costs"
PARTS = (
    ("used", "Serving alone"),
    ("allocated", "Serving with idle and shared"),
    ("fully_loaded", "Serving with training carried"),
)


def unit_numbers(night: Night) -> Iterator[Number]:
    """A million tokens over all models: used, allocated, fully loaded."""
    served = "CAST(sum(input_tokens + output_tokens) AS DOUBLE)"
    for name, title in PARTS:
        rate = f"{name}_usd_per_mtok"
        cost = f"sum(CAST({rate} AS DOUBLE) * (input_tokens + output_tokens))"
        yield Number("unit_economics", f"mtok_{name}", f"{title}, per million tokens",
                     f"{night.currency} per million tokens", UNITS, f"{cost} / {served}",
                     f"{rate}, input_tokens, output_tokens", f"{night.this_month} AND {rate} IS NOT NULL")  # fmt: skip


def recommendation_numbers(night: Night) -> Iterator[Number]:
    """What all decisions together would save, from joint draws."""
    tonight = f"as_of = {literal(night.as_of)}"
    number = partial(Number, "recommendations")
    for p in (10, 50, 90):
        yield number(f"saving_p{p}", f"Saving a month of all decisions, P{p}", night.currency,
                     "decisions.recommended_totals", f"sum(monthly_saving_usd_p{p})", f"monthly_saving_usd_p{p}",
                     tonight)  # fmt: skip
    for name, title, rows in (
        ("all", "Past recommendations", ""),
        ("inside", "Past recommendations that saved between P10 and P90", "is_within"),
        ("settled", "Past recommendations that were followed and are settled", "is_within IS NOT NULL"),
    ):
        yield number(f"track_{name}", title, "recommendations", "decisions.track_record", "count(*)", "all", rows)


def outlook_numbers(night: Night) -> Iterator[Number]:
    """The running quarter."""
    if night.tables["quarters"].is_empty():
        return
    quarter = f"quarter = {literal(night.tables['quarters']['quarter'].min())}"  # type: ignore[arg-type]
    number = partial(Number, "outlook")
    for p in (10, 50, 90):
        yield number(f"quarter_p{p}", f"The running quarter, P{p}", night.currency, "reports.quarters",
                     f"sum(expected_usd_p{p})", f"expected_usd_p{p}", quarter)  # fmt: skip
    yield number("quarter_plan", "Plan of the running quarter", night.currency, "reports.quarters", "sum(plan_usd)",
                 "plan_usd", quarter)  # fmt: skip
    yield number("quarter_within", "Chance to stay within plan", "ratio", "reports.quarters", "sum(within_plan_ratio)",
                 "within_plan_ratio", quarter)  # fmt: skip
