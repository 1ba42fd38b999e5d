"""What the landed requests leave in doubt, as data: one row a source, kind and subject."""

from __future__ import annotations

from typing import Final

import polars as pl

DOUBTS: Final = {
    "source": pl.String(),
    "delivery": pl.Int64(),
    "kind": pl.String(),
    "subject": pl.String(),
    "rows": pl.Int64(),
    "tokens": pl.Int64(),
    "day_from": pl.Date(),
    "day_to": pl.Date(),
    "is_doubt": pl.Boolean(),
}
"""`delivery` is the file that holds most of the tokens, by its place in the order of delivery."""


def typed_doubts(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns of a doubt, in order."""
    return rows.select(pl.col(name).cast(dtype) for name, dtype in DOUBTS.items())


def of_spans(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """One doubt a row of delivery, source, model, day and tokens; its subject is the model."""
    return typed_doubts(
        rows.with_columns(
            pl.lit(kind).alias("kind"),
            pl.coalesce("model", "source").alias("subject"),
            pl.lit(1).alias("rows"),
            pl.col("day").alias("day_from"),
            pl.col("day").alias("day_to"),
            pl.lit(value=True).alias("is_doubt"),
        )
    )


def summed(doubts: pl.DataFrame) -> pl.DataFrame:
    """Doubts of one source, kind and subject as one."""
    by = ["source", "kind", "subject", "is_doubt"]
    days = [pl.col("day_from").min(), pl.col("day_to").max()]
    files = doubts.group_by(*by, "delivery").agg(pl.col("rows", "tokens").sum(), *days)
    largest = files.sort("tokens", "rows", "delivery", descending=[True, True, False])
    sums = largest.group_by(by).agg(pl.col("delivery").first(), pl.col("rows", "tokens").sum(), *days)
    return typed_doubts(sums).sort(*by)
