"""How training was carried by what earlier nights published: a closed month is not estimated again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from transforms.economics.amortization.amortization_schedule import End, Published
from transforms.money import units

if TYPE_CHECKING:
    from datetime import date

_CELL: Final = ("month", "model_id")


def published_estimates(published_amortization: pl.DataFrame, night: date) -> dict[str, dict[date, Published]]:
    """The estimates of each model by month, as the last first night of a month before this one published them.

    A month is closed by the first night after it. The month of that night itself was only begun: it keeps the estimate
    of its start, while its end is open.
    """
    before = published_amortization.filter(pl.col("night") < night)
    latest = before.filter(pl.col("night") == pl.col("night").max()).join(_served_before(before), on=_CELL)
    written = latest.with_columns(
        is_closed=pl.col("month") < pl.col("night").dt.truncate("1mo"),
        amortized=units("amortized_usd"),
        balance=units("opening_usd") + units("additions_usd"),
        is_written_off=pl.col("written_off_usd") != 0,
    )
    estimates: dict[str, dict[date, Published]] = {}
    for row in written.iter_rows(named=True):
        estimates.setdefault(row["model_id"], {})[row["month"]] = Published(
            row["method"], row["basis"], row["expected_tokens"], row["expected_days"], row["is_closed"],
            row["amortized"], row["balance"], row["is_written_off"], row["served_before"],
            End(row["ends_on"], row["life_basis"]),
        )  # fmt: skip
    return estimates


def _served_before(published: pl.DataFrame) -> pl.DataFrame:
    """One month and model: what had been served before it, as the first night knew it that published an estimate."""
    served = pl.col("tokens_served")
    sums = published.sort("night", "model_id", "month").with_columns(
        served_before=served.cum_sum().over("night", "model_id") - served
    )
    return sums.unique(_CELL, keep="first", maintain_order=True).select(*_CELL, "served_before")
