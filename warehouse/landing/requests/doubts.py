"""What the landed requests leave in doubt, as data: one row a source, kind and subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import polars as pl

from warehouse.landing.requests.landed_parquet import LandedFile
from warehouse.schemas.findings import Finding

DOUBTS: Final = {
    "source": pl.String(),
    "delivery": pl.Int64(),
    "kind": pl.String(),
    "subject": pl.String(),
    "rows": pl.Int64(),
    "tokens": pl.Int64(),
    "day_from": pl.Date(),
    "day_to": pl.Date(),
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
        )
    )


def summed(doubts: pl.DataFrame, night: date) -> pl.DataFrame:
    """Doubts of one source, kind, subject and month as one; days after the night wait for theirs."""
    by = ["source", "kind", "subject", "month"]
    days = [pl.col("day_from").min(), pl.col("day_to").max()]
    dated = doubts.filter(pl.col("day_from") <= night).with_columns(pl.col("day_from").dt.month_start().alias("month"))
    files = dated.group_by(*by, "delivery").agg(pl.col("rows", "tokens").sum(), *days)
    largest = files.sort("tokens", "rows", "delivery", descending=[True, True, False])
    sums = largest.group_by(by).agg(pl.col("delivery").first(), pl.col("rows", "tokens").sum(), *days)
    return typed_doubts(sums.sort(by))


def of_requests(doubts: pl.DataFrame, files: Sequence[LandedFile]) -> Iterator[tuple[str, Finding]]:
    """The doubts as findings, each with its source and the file that holds most of it."""
    for row in doubts.iter_rows(named=True):
        yield (
            row["source"],
            Finding(
                row["kind"],
                row["subject"],
                rows=row["rows"],
                tokens=float(row["tokens"]),
                day_from=row["day_from"],
                day_to=row["day_to"],
                file=files[row["delivery"]].file.removeprefix(f"{row['source']}:"),
            ),
        )


def landed_again(lost: set[tuple[str, str]]) -> Iterator[tuple[str, Finding]]:
    """Sources of which landed files were missing or damaged, and are read again."""
    for source, files in sorted(Counter(source for source, _ in lost).items()):
        yield source, Finding("landed_again", source, rows=files)
