"""Thirteen months of cost, by class and as the figures of the tiles."""

from __future__ import annotations

import polars as pl

from transforms.reports.reported_spend import TRAINING, history, of_subject
from warehouse.schemas.reports import COST_CLASSES, MonthClasses, MonthFigures

ZERO = pl.lit(0).cast(pl.Decimal(38, 12))


def month_classes(subject: pl.DataFrame, daily_spend: pl.DataFrame) -> pl.DataFrame:
    """Every month and class, zero where nothing was spent."""
    spent = of_subject(daily_spend, subject).group_by("month", "cost_class").agg(pl.col("effective_usd").sum())
    grid = history(subject).join(pl.DataFrame({"cost_class": list(COST_CLASSES)}), how="cross")
    rows = grid.join(spent, on=["month", "cost_class"], how="left").with_columns(
        pl.col("effective_usd").fill_null(ZERO), place=pl.col("cost_class").replace_strict(_class_ranks())
    )
    return MonthClasses.frame(rows.sort("month", "place"))


def month_figures(
    subject: pl.DataFrame,
    daily_spend: pl.DataFrame,
    unit_costs: pl.DataFrame,
    budgets: pl.DataFrame,
    training_runs: pl.DataFrame,
) -> pl.DataFrame:
    """Every month with its cost, what it served, and what was wasted or idle.

    Nobody can know of failed runs where no run has a log, nor of idle capacity where no charge names a pool: these are
    null, not zero.
    """
    has_logs = training_runs.height > 0
    rows = (
        history(subject)
        .join(_costs(of_subject(daily_spend, subject)), on="month", how="left")
        .join(_served(unit_costs), on="month", how="left")
        .join(_main_unit(unit_costs), on="month", how="left")
        .join(_comparable_plans(subject, budgets), on="month", how="left")
        .with_columns(pl.col("^(effective|billed|idle|waste|unallocated)_usd$").fill_null(ZERO))
        .with_columns(
            idle_usd=pl.when(pl.col("has_pool").fill_null(value=False)).then("idle_usd"),
            waste_usd=pl.when(pl.lit(has_logs)).then("waste_usd"),
        )
        .with_columns(pl.col("requests", "tokens", "units").fill_null(0))
        .with_columns(
            idle_ratio=_share(pl.col("idle_usd")),
            waste_ratio=_share(pl.col("waste_usd")),
            named_ratio=1 - _share(pl.col("unallocated_usd")),
        )
    )
    return MonthFigures.frame(rows.sort("month"))


def _comparable_plans(subject: pl.DataFrame, budgets: pl.DataFrame) -> pl.DataFrame:
    """The plans of months that are over: some days of a month are not to be held against the plan of all of it."""
    row = subject.row(0, named=True)
    return plans(budgets).filter(pl.lit(row["is_complete"]) | (pl.col("month") != row["month"]))


def plans(budgets: pl.DataFrame) -> pl.DataFrame:
    """The plan of each month from its coarsest rows, so that nothing is planned twice."""
    level = (pl.col("model_id") != "*").cast(pl.Int8) * 2 + (pl.col("phase") != "*").cast(pl.Int8)
    coarsest = budgets.with_columns(level=level).filter(pl.col("level") == pl.col("level").min().over("month"))
    return coarsest.group_by("month").agg(plan_usd=pl.col("usd").sum())


def _class_ranks() -> dict[str, int]:
    return {name: rank for rank, name in enumerate(COST_CLASSES)}


def _share(part: pl.Expr) -> pl.Expr:
    """The part of the month's cost; nothing where credits make it less than nothing or more than the whole."""
    whole = pl.col("effective_usd")
    is_share = (whole > 0) & (part >= 0) & (part <= whole)
    return pl.when(is_share).then(part.cast(pl.Float64) / whole.cast(pl.Float64))


def _costs(spend: pl.DataFrame) -> pl.DataFrame:
    cost = pl.col("effective_usd")
    trained = pl.col("gpu_seconds").filter(pl.col("phase").is_in(TRAINING)).sum()
    wasted = pl.col("gpu_seconds").filter(pl.col("phase").is_in(TRAINING), pl.col("is_waste")).sum()
    return spend.group_by("month").agg(
        cost.sum(),
        pl.col("billed_usd").sum(),
        idle_usd=cost.filter(pl.col("cost_class") == "idle").sum(),
        waste_usd=cost.filter(pl.col("is_waste")).sum(),
        unallocated_usd=cost.filter(pl.col("cost_class") == "unallocated").sum(),
        has_pool=(pl.col("pool_id").is_not_null() | (pl.col("cost_class") == "idle")).any(),
        goodput_ratio=pl.when(trained > 0).then(1 - wasted / trained),
    )


def _served(unit_costs: pl.DataFrame) -> pl.DataFrame:
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)

    def mean(rate: str) -> pl.Expr:
        """Mean over the models that have the rate, weighted by the tokens of all that do."""
        weight = tokens.filter(pl.col(rate).is_not_null())
        return pl.when(weight.sum() > 0).then(
            (pl.col(rate).drop_nulls().cast(pl.Float64) * weight).sum() / weight.sum()
        )

    read = pl.col("input_tokens").sum()
    return (
        unit_costs.sort("month", "model_id")
        .group_by("month", maintain_order=True)
        .agg(
            pl.col("requests").sum(),
            tokens=(pl.col("input_tokens") + pl.col("output_tokens")).sum(),
            cached_ratio=pl.when(read > 0).then(pl.col("cached_input_tokens").sum() / read),
            used_usd_per_mtok=mean("used_usd_per_mtok"),
            fully_loaded_usd_per_mtok=mean("fully_loaded_usd_per_mtok"),
        )
    )


def _main_unit(unit_costs: pl.DataFrame) -> pl.DataFrame:
    units = unit_costs.filter(pl.col("unit_name").is_not_null(), pl.col("units") > 0)
    summed = (
        units.sort("month", "model_id").group_by("month", "unit_name", maintain_order=True).agg(pl.col("units").sum())
    )
    return summed.sort("month", "units", "unit_name", descending=[False, True, False]).unique("month", keep="first")
