"""Whether an exporter rounded effective costs to whole units of currency, so that small ones became nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from warehouse.schemas.columns import MONEY_SCALE

FLAG: Final = "effective_rounded"
_UNIT: Final = 10**MONEY_SCALE


@dataclass
class RoundedCosts:
    """The providers of a bill whose usage is billed and costs nothing, and those with any effective cost not whole."""

    lost: set[str] = field(default_factory=set)
    exact: set[str] = field(default_factory=set)

    def see(self, rows: pl.DataFrame, providers: pl.Series) -> None:
        """Look at some rows, of one provider each."""
        is_lost = (pl.col("charge_category") == "Usage") & (pl.col("billed_cost") > 0) & (pl.col("effective_cost") == 0)
        is_exact = pl.col("effective_cost").to_physical() % _UNIT != 0
        marks = rows.select(
            is_lost.fill_null(value=False).alias("lost"), is_exact.fill_null(value=False).alias("exact")
        )
        self.lost.update(providers.filter(marks["lost"]).drop_nulls())
        self.exact.update(providers.filter(marks["exact"]).drop_nulls())

    def flags(self) -> frozenset[str]:
        """The flag, where a provider lost costs and has none that is not whole."""
        return frozenset({FLAG} if self.lost - self.exact else ())
