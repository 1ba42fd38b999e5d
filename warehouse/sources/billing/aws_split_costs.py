"""AWS split cost allocation: rows that describe a part of another row become charges, and that one shrinks by them.

A part names its parent by resource; both have one account and one hour. Costs move from the parent to its parts, so
that the sum of the report stays what it is.

Reference: AWS, Data Exports user guide: Understanding split cost allocation data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from warehouse.schemas.columns import MONEY
from warehouse.sources.casts.casts import TEXT_NULLS, null_if
from warehouse.sources.casts.decimals import money
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import batches
from warehouse.sources.reader_protocol import Delivered

ORPHANS: Final = "split_without_parent"
_KEY: Final = ("sub_account_id", "parent", "charge_start", "charge_end")
_COST_OF: Final = {
    "Usage": "billed_cost",
    "SavingsPlanCoveredUsage": "savings_plan_cost",
    "DiscountedUsage": "reservation_cost",
}
_COLUMNS: Final = (
    *("line_item_id", "time_interval", "sub_account_id", "resource_id", "charge_start", "charge_end", "line_item_type"),
    "sku_id",
    *("split_parent", "split_cost", "split_unused_cost", *_COST_OF.values()),
)
_KEYED: Final = dict.fromkeys(_KEY, pl.String())
_PARENTS: Final = {**_KEYED, "is_own": pl.Boolean()}
_TAKEN: Final = {"identity": pl.String(), "taken": pl.Int128(), "is_own_taken": pl.Boolean()}
_ROWS: Final = {**_KEYED, "identity": pl.String(), "line_item_type": pl.String(), "cost": pl.Int128()}


@dataclass(frozen=True)
class SplitCosts:
    """What moves from whole rows to their parts, in units of 10^-12.

    `parents` has one row for each parent in its hour: whether it is billed by itself (`is_own`) or by a commitment;
    `taken` says what each row of a parent loses, by its identity: a row that comes twice is one, and loses it once.
    """

    parents: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_PARENTS))
    taken: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_TAKEN))
    flags: frozenset[str] = frozenset()

    def moved(self, cells: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        """The cells with the costs moved.

        A part whose parent is not in the report costs nothing: its money stands elsewhere. What a commitment pays is
        billed with the commitment, so that only effective cost moves there. A cost that is no number stays what it is,
        so that its row is refused for it.
        """
        if rows["split_parent"].null_count() == rows.height and self.taken.is_empty():
            return cells
        keyed = cells.with_columns(
            rows["split_parent"].alias("parent"),
            identity(rows),
            _split(rows).alias("part"),
            _unreadable(rows).alias("unreadable"),
            (money(cells["billed_cost"]).values.is_null() | money(cells["effective_cost"]).values.is_null()).alias(
                "is_bad"
            ),
        ).with_columns(_units(cells[name]).alias(f"{name}_units") for name in ("billed_cost", "effective_cost"))
        joined = keyed.join(self.parents, on=list(_KEY), how="left", maintain_order="left").join(
            self.taken, on="identity", how="left", maintain_order="left"
        )
        is_part, loses = pl.col("parent").is_not_null(), pl.col("taken").is_not_null() & ~pl.col("is_bad")
        is_own = pl.col("is_own").fill_null(value=False)
        part = pl.when(pl.col("is_own").is_not_null()).then("part").otherwise(0)
        return joined.with_columns(
            pl.when(is_part)
            .then(pl.coalesce("unreadable", _text(pl.when(is_own).then(part).otherwise(0))))
            .when(loses & pl.col("is_own_taken"))
            .then(_text(pl.col("billed_cost_units") - pl.col("taken")))
            .otherwise("billed_cost")
            .alias("billed_cost"),
            pl.when(is_part)
            .then(pl.coalesce("unreadable", _text(part)))
            .when(loses)
            .then(_text(pl.col("effective_cost_units") - pl.col("taken")))
            .otherwise("effective_cost")
            .alias("effective_cost"),
        ).select(cells.columns)


def split_costs(
    delivered: Delivered, layout: Layout, is_compute: pl.Expr, refused: Collection[str] = frozenset()
) -> SplitCosts:
    """What moves, from two looks at a report that has parts; `is_compute` tells instances from what runs on them.

    Rows at the locations in `refused` do not count, and nothing moves from them or to them.
    """
    narrow = replace(layout, names={name: layout.names[name] for name in _COLUMNS}, required=(), unmapped="dropped")
    none = pl.DataFrame(schema={**_KEYED, "identity": pl.String(), "part": pl.Int128()})
    parts = pl.concat([none, *_parts(delivered, narrow, refused)]).unique("identity", keep="first", maintain_order=True)
    if parts.is_empty():
        return SplitCosts()
    sums = parts.group_by(_KEY).agg(pl.col("part").sum())
    wholes = pl.concat([pl.DataFrame(schema=_ROWS), *_parents(delivered, narrow, sums, is_compute, refused)])
    rows = wholes.unique("identity", keep="first", maintain_order=True)
    own = (pl.col("line_item_type") == "Usage").all().alias("is_own")
    parents = rows.group_by(_KEY).agg(own)
    has_orphans = not sums.join(parents, on=list(_KEY), how="anti").is_empty()
    return SplitCosts(parents, _taken(rows, sums, parents), frozenset({ORPHANS} if has_orphans else ()))


def _parts(delivered: Delivered, layout: Layout, refused: Collection[str]) -> Iterator[pl.DataFrame]:
    for batch in batches(delivered, layout):
        if "split_parent" not in batch.present:
            return
        rows = _with_parent(batch.rows).with_columns(_split(batch.rows).alias("part"), identity(batch.rows))
        yield _counted(rows.drop_nulls("parent"), refused).select(*_KEY, "identity", "part")


def _parents(
    delivered: Delivered, layout: Layout, sums: pl.DataFrame, is_compute: pl.Expr, refused: Collection[str]
) -> Iterator[pl.DataFrame]:
    """The rows of instances that have parts, with what they cost."""
    for batch in batches(delivered, layout):
        rows = (
            _with_parent(batch.rows)
            .with_columns(identity(batch.rows))
            .filter(pl.col("parent").is_null() & is_compute & pl.col("line_item_type").is_in(list(_COST_OF)))
        )
        kept = (
            _counted(rows, refused)
            .with_columns(pl.col("resource_id").alias("parent"))
            .join(sums, on=list(_KEY), how="semi")
        )
        cost = pl.coalesce(pl.when(pl.col("line_item_type") == kind).then(column) for kind, column in _COST_OF.items())
        text = kept.select(cost.alias("cost"))["cost"]
        yield kept.with_columns(_units(text).alias("cost")).select(list(_ROWS))


def _counted(rows: pl.DataFrame, refused: Collection[str]) -> pl.DataFrame:
    return rows.filter(~pl.col("location").is_in(list(refused))) if refused else rows


def _taken(rows: pl.DataFrame, sums: pl.DataFrame, parents: pl.DataFrame) -> pl.DataFrame:
    """The dearest row of a parent pays first, each at most what it costs; what is left over is the first one's."""
    ordered = (
        rows.join(sums, on=list(_KEY))
        .join(parents, on=list(_KEY))
        .sort(*_KEY, "cost", "identity", descending=[False] * 4 + [True, False])
    )
    before = (pl.col("cost").clip(0).cum_sum() - pl.col("cost").clip(0)).over(_KEY)
    within = pl.min_horizontal(pl.col("cost").clip(0), (pl.col("part") - before).clip(0))
    paid = ordered.with_columns(within.alias("within"), (pl.int_range(pl.len()).over(_KEY) == 0).alias("is_first"))
    rest = pl.col("part") - pl.col("within").sum().over(_KEY)
    taken = pl.col("within") + pl.when("is_first").then(rest).otherwise(0)
    return paid.select("identity", taken.cast(pl.Int128).alias("taken"), pl.col("is_own").alias("is_own_taken"))


def _with_parent(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(null_if(rows["split_parent"], TEXT_NULLS).alias("parent"))


def identity(rows: pl.DataFrame) -> pl.Series:
    """Line item and interval together, and for a part also its resource; null where either of the two is missing.

    A report may give a part the line item of its parent.
    """
    name, interval = (
        pl.when(pl.col(column).str.strip_chars() != "").then(pl.col(column))
        for column in ("line_item_id", "time_interval")
    )
    is_part = null_if(rows["split_parent"], TEXT_NULLS).is_not_null()
    part = pl.when(is_part).then("\n" + pl.col("resource_id").fill_null("")).otherwise(pl.lit(""))
    return rows.select(pl.concat_str(name, pl.lit("\n"), interval, part).alias("identity"))["identity"]


def _split(rows: pl.DataFrame) -> pl.Series:
    """What a part costs: its own use, and its share of what nobody used."""
    return _units(rows["split_cost"]) + _units(rows["split_unused_cost"])


def _unreadable(rows: pl.DataFrame) -> pl.Series:
    """The cost of a part that is no number, null where both are some or say nothing."""
    bad = [
        pl.when(money(rows[name]).reasons.is_not_null()).then(pl.col(name))
        for name in ("split_cost", "split_unused_cost")
    ]
    return rows.select(pl.coalesce(bad).alias("unreadable"))["unreadable"]


def _units(cells: pl.Series) -> pl.Series:
    """The amounts in units of 10^-12; nothing and what is no number count as 0 here, and are judged where they land."""
    return money(cells).values.to_physical().fill_null(0)


def _text(units: pl.Expr) -> pl.Expr:
    return units.cast(pl.Int128).reinterpret(dtype=MONEY).cast(pl.String)
