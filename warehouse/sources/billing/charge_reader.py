"""A bill of any table format becomes charge rows: batch by batch, so that its size does not matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import polars as pl

from warehouse.schemas.raw import ChargeRows
from warehouse.sources.billing.charge_casts import Charges, charges, stated_money
from warehouse.sources.billing.duplicate_charges import Duplicates, without
from warehouse.sources.billing.rounded_costs import RoundedCosts
from warehouse.sources.billing.tags import tags
from warehouse.sources.casts.casts import TEXT_NULLS, composed, null_if
from warehouse.sources.casts.decimals import WIDEST, quantity
from warehouse.sources.casts.exact_sums import EXACT, Totals, added, bill_totals, negated
from warehouse.sources.casts.local_times import assumptions
from warehouse.sources.casts.timestamps import clock_of
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch, batches, refusals
from warehouse.sources.decode.row_digests import row_digests
from warehouse.sources.decode.spill_buffer import HeldRows
from warehouse.sources.reader_protocol import NOTHING_REFUSED, Delivered, Reading, RejectedFile
from warehouse.sources.source import Source

HELD: Final = 100_000
_RESIDUAL_UNIT: Final = Decimal("1e-18")
LARGEST_TOTAL: Final = Decimal(10) ** WIDEST
_UNMAPPED: Final = "+"
CUSTOM: Final = "x_"
_TOLD_BY_OTHERS: Final = ("sku_price_details", "cost_view")
COSTS: Final = frozenset({"billed_cost", "effective_cost", "list_cost", "contracted_cost"})
MEASURES: Final = frozenset(
    {
        "billed_cost",
        "effective_cost",
        "list_cost",
        "contracted_cost",
        "consumed_quantity",
        "gpus_per_unit",
        "gpu_hours",
        "ListUnitPrice",
        "ContractedUnitPrice",
        "PricingQuantity",
        "CommitmentDiscountQuantity",
        "PricingCurrencyListUnitPrice",
        "PricingCurrencyContractedUnitPrice",
        "PricingCurrencyEffectiveCost",
    }
)
"""Costs and quantities: they do not tell one charge from another."""


@dataclass(frozen=True)
class Shaped:
    """Some rows of a bill under the names of raw.charge_rows.

    `cells` are its columns as text; `layers` are JSON objects of tags, later ones laid over earlier ones; `labels` are
    custom columns that are tags by their own names; `others` is what else tells two rows apart; `identity` is the key
    that tells them apart without the rest, if the bill has one; `providers` say who bills each row. Where one row of
    the bill is several charges, `row` says of each charge in which row of the batch it stands.
    """

    cells: pl.DataFrame
    layers: pl.DataFrame
    labels: pl.DataFrame
    others: pl.DataFrame
    providers: pl.Series
    identity: pl.Series | None = None
    flags: frozenset[str] = frozenset()
    row: pl.Series | None = None


Shape = Callable[[Batch], Shaped]


@dataclass
class _Bill:
    """What has been read so far."""

    delivered: Delivered
    source: Source
    rows: int = 0
    blank: int = 0
    refused: list[pl.DataFrame] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    totals: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    residual: Decimal = Decimal(0)
    rounded: RoundedCosts = field(default_factory=RoundedCosts)
    is_identity_unique: bool = False
    duplicates: Duplicates = field(default_factory=Duplicates)
    kept: HeldRows = field(init=False)

    def __post_init__(self) -> None:
        self.kept = HeldRows(self.delivered, ChargeRows.table_name, ChargeRows.empty(), HELD)

    def add(self, batch: Batch, shaped: Shaped) -> None:
        """Type the rows of a batch, refuse the bad ones, keep the others."""
        clock, tagged = clock_of(self.source), tags(shaped.layers, shaped.labels)
        typed = charges(shaped.cells, tagged, shaped.identity, clock, self.delivered.ahead)
        row_reasons = _of_rows(typed.reasons, shaped.row, batch.rows.height)
        is_good = row_reasons.is_null() if shaped.row is None else row_reasons.is_null()[shaped.row]
        locations = batch.rows["location"] if shaped.row is None else batch.rows["location"][shaped.row]
        kept = ChargeRows.frame(self._named(typed.rows, locations, shaped).filter(is_good))
        self.kept.add(kept)
        if self.is_identity_unique:
            self.duplicates.see(kept, typed.billed.residuals.filter(is_good))
        self.refused += [_priced(batch), _refused(batch, typed, row_reasons, shaped.row)]
        self.rows += batch.rows.height + batch.refused.height + batch.blank
        self.blank += batch.blank
        self.flags |= shaped.flags | assumptions(self.source, shaped.cells["charge_start"], shaped.cells["charge_end"])
        self.rounded.see(typed.rows, shaped.providers)
        self.totals = added(self.totals, bill_totals(kept))
        self.residual = EXACT.add(self.residual, typed.billed.rounded_away(is_good))

    def reading(self) -> Reading:
        """The whole file.

        Raises:
            RejectedFile: overflow.
        """
        frames = self.kept.frames()
        repeated = self.duplicates.removed_from(self.kept)
        if not repeated.rows.is_empty():
            frames = {**frames, ChargeRows.table_name: without(frames[ChargeRows.table_name], repeated.rows)}
            self.totals = added(self.totals, negated(bill_totals(repeated.rows)))
        _refuse_overflow(self.totals)
        return Reading(
            rows=self.rows,
            frames=frames,
            refused=pl.concat([NOTHING_REFUSED, *self.refused]),
            blank=self.blank,
            duplicates=repeated.rows.height,
            flags=tuple(sorted(self.flags | self.rounded.flags())),
            rounding_residual=_shown(EXACT.subtract(self.residual, repeated.residual)),
            parts=self.kept.parts(),
            totals=self.totals,
            repeated=repeated.rows["location"],
        )

    def _named(self, rows: pl.DataFrame, locations: pl.Series, shaped: Shaped) -> pl.DataFrame:
        """The rows with where they come from, and digests of what they say without and with its measures."""
        content = pl.concat([rows.drop(_TOLD_BY_OTHERS), _canonical(shaped.others)], how="horizontal")
        measures = [name for name in content.columns if name.removeprefix(_UNMAPPED) in MEASURES]
        dimensions = row_digests(content.drop(measures)).alias("dimension_hash")
        key = dimensions if shaped.identity is None else row_digests(shaped.identity.to_frame())
        return rows.with_columns(
            locations,
            pl.lit(self.delivered.sha256).alias("file_sha256"),
            pl.lit(self.source.name).alias("source"),
            key.alias("dimension_hash"),
            row_digests(content.select(measures).with_columns(dimensions)).alias("content_hash"),
        )


def read_bill(
    delivered: Delivered, source: Source, layout: Layout, shape: Shape, *, is_identity_unique: bool = False
) -> Reading:
    """All rows of the bill; rows of one identity are one charge where the bill's identities are unique.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    bill = _Bill(delivered, source, is_identity_unique=is_identity_unique)
    for batch in batches(delivered, layout):
        bill.add(batch, shape(batch))
    return bill.reading()


def _refuse_overflow(totals: Totals) -> None:
    for currency, costs in totals.items():
        if any(cost.copy_abs() >= LARGEST_TOTAL for cost in costs):
            raise RejectedFile("overflow", f"the total in {currency} is 10^{WIDEST} or more; no bill can be that large")


def float_flags(batch: Batch) -> frozenset[str]:
    """float_money where a cost was binary floating point."""
    return frozenset({"float_money"} if batch.floats & COSTS else ())


def _canonical(others: pl.DataFrame) -> pl.DataFrame:
    """Unmapped columns, marked as such: measures by their value, anything else by its text."""
    return pl.DataFrame(
        (_measured(cells) if cells.name in MEASURES else composed(null_if(cells, TEXT_NULLS))).alias(
            _UNMAPPED + cells.name
        )
        for cells in others.iter_columns()
        if cells.null_count() < len(cells)
    )


def _measured(cells: pl.Series) -> pl.Series:
    amounts = quantity(cells)
    return amounts.values.cast(pl.String).fill_null(cells)


def _of_rows(reasons: pl.Series, row: pl.Series | None, height: int) -> pl.Series:
    """The reason of each row of the batch: the first that one of its charges has."""
    if row is None:
        return reasons
    first_reasons = pl.DataFrame({"row": row, "reason": reasons}).drop_nulls("reason").unique("row", keep="first")
    rows = pl.DataFrame({"row": pl.Series(range(height), dtype=row.dtype)})
    return rows.join(first_reasons, on="row", how="left", maintain_order="left")["reason"]


def _refused(batch: Batch, typed: Charges, reasons: pl.Series, row: pl.Series | None) -> pl.DataFrame:
    """The refused rows, with the money in them where it can be read."""
    bad = refusals(batch.rows, reasons, _of_rows(typed.faults.alias("reason"), row, batch.rows.height))
    money = typed.rows.select("currency", "billed_cost")
    first = money if row is None else money.filter(row.is_first_distinct())
    return bad.with_columns(_legible(first.filter(reasons.is_not_null())))


def _shown(residual: Decimal) -> Decimal:
    """What rounding took, in the 18 decimals that are kept of it."""
    return residual.quantize(_RESIDUAL_UNIT, context=EXACT)


def _priced(batch: Batch) -> pl.DataFrame:
    """The rows that no one should store, with the money in those that could be split into cells."""
    split = batch.refused.height - batch.unclean.height
    return pl.concat([batch.refused[:split], batch.refused[split:].with_columns(_legible(stated_money(batch.unclean)))])


def _legible(money: pl.DataFrame) -> pl.DataFrame:
    """Currency and cost where both can be read."""
    can_be_read = pl.col("currency").is_not_null() & pl.col("billed_cost").is_not_null()
    return money.select(pl.when(can_be_read).then(pl.all()).name.keep())
