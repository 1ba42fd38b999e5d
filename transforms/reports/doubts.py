"""How much of a source's month findings put in doubt, and the findings that weigh most."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.schemas.reports import DoubtfulShares, LargestFindings

LISTED: Final = 10
SHARE: Final = ("source", "month", "quantity", "currency")
QUANTITIES: Final = {"cost": "amount", "gpu_seconds": "gpu_seconds", "tokens": "tokens"}


def doubtful_shares(
    findings: pl.DataFrame,
    billed_days: pl.DataFrame,
    training_runs: pl.DataFrame,
    token_usage: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One source, month and quantity (cost by currency, GPU time, tokens) with the doubts that nobody has accepted.

    A finding counts in the month in which it ends, one without days in the month of the night.
    """
    doubts = _measured(findings.filter(pl.col("is_doubt") & ~pl.col("is_accepted")), settings)
    ranked = doubts.sort("size", "kind", "subject", descending=[True, False, False])
    sums = ranked.group_by(SHARE, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("doubts"),
        pl.col("size").sum().alias("doubtful"),
        pl.col("kind", "subject", "sentence").first().name.prefix("largest_"),
    )
    totals = pl.concat([_costs(billed_days), _gpu_seconds(training_runs), _tokens(token_usage)])
    joined = sums.join(totals, on=SHARE, how="left", nulls_equal=True).with_columns(pl.col("total").fill_null(0))
    ratio = pl.when(pl.col("total") > 0).then(pl.col("doubtful") / pl.col("total"))
    return DoubtfulShares.frame(joined.with_columns(ratio.alias("doubtful_ratio"))).sort(SHARE)


def largest_findings(findings: pl.DataFrame, doubtful_shares: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One of the findings that weigh most: doubts before notices, then by their share of the source's month."""
    totals = doubtful_shares.select(*SHARE, "total")
    sized = _measured(findings.with_row_index("number"), settings).join(totals, on=SHARE, how="left", nulls_equal=True)
    shares = sized.group_by("number").agg((pl.col("size") / pl.col("total")).max().alias("share"))
    open_doubt = pl.col("is_doubt") & ~pl.col("is_accepted")
    ranked = (
        findings.with_row_index("number")
        .join(shares, on="number", how="left")
        .sort(~open_doubt, ~pl.col("is_doubt"), -pl.col("share").fill_null(0.0).fill_nan(0.0), "number")
        .head(LISTED)
    )
    return LargestFindings.frame(ranked.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("rank")))


def _measured(findings: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """The findings once for each quantity that they have an amount of: its size, month and currency."""
    month = pl.coalesce("day_to", pl.lit(settings["as_of"].item())).dt.month_start().alias("month")
    return pl.concat(
        findings.drop_nulls(column).with_columns(
            month,
            pl.lit(quantity).alias("quantity"),
            pl.col(column).cast(pl.Float64).abs().alias("size"),
            pl.col("currency") if quantity == "cost" else pl.lit("").alias("currency"),
        )
        for quantity, column in QUANTITIES.items()
    ).with_columns(pl.col("currency").fill_null(""))


def _costs(billed_days: pl.DataFrame) -> pl.DataFrame:
    """Effective cost by source, month and currency; credits do not make the month smaller."""
    month = pl.col("charge_day").dt.month_start().alias("month")
    cost = pl.col("effective_cost").cast(pl.Float64)
    sums = billed_days.group_by("source", month, "currency").agg(cost.filter(cost > 0).sum().alias("total"))
    return sums.select("source", "month", pl.lit("cost").alias("quantity"), "currency", "total")


def _gpu_seconds(training_runs: pl.DataFrame) -> pl.DataFrame:
    """GPU time by source and month of the start of its runs."""
    month = pl.col("started_at").dt.date().dt.month_start().alias("month")
    sums = training_runs.group_by("source", month).agg(pl.col("gpu_seconds").sum().alias("total"))
    return sums.select(
        "source", "month", pl.lit("gpu_seconds").alias("quantity"), pl.lit("").alias("currency"), "total"
    )


def _tokens(token_usage: pl.DataFrame) -> pl.DataFrame:
    """Tokens by source and month."""
    month = pl.col("hour").dt.date().dt.month_start().alias("month")
    sums = token_usage.group_by("source", month).agg(
        (pl.col("input_tokens") + pl.col("output_tokens")).sum().cast(pl.Float64).alias("total")
    )
    return sums.select("source", "month", pl.lit("tokens").alias("quantity"), pl.lit("").alias("currency"), "total")
