"""What closed months were first reported as, what they are now, and which cause and file made the difference."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.money import amount, times_rate, units
from transforms.month_of_charge import IN_SCOPE, KEY, by_month, corrections
from warehouse.schemas.names import ACCRUAL
from warehouse.schemas.reports import RestatedMonths, Restatements

COSTS: Final = ("effective_cost", "out_of_scope_cost", "correction_cost", "effective_usd")
CAUSES: Final = ("correction", "late", "changed", "withdrawn", "policy")
NOTHING: Final = pl.lit(0, dtype=pl.Int128)


def restated_months(
    settings: pl.DataFrame, reported_months: pl.DataFrame, charged_months: pl.DataFrame
) -> pl.DataFrame:
    """One closed month that no longer costs what the first night after its end reported."""
    rows = (
        _compared(settings, reported_months, charged_months)
        .group_by("month")
        .agg(
            pl.col("first_night").first(),
            reported_usd=pl.col("effective_usd").sum(),
            current_usd=pl.col("effective_usd_now").sum(),
            is_changed=(pl.col("effective_usd") != pl.col("effective_usd_now")).any(),
        )
        .filter("is_changed")
        .with_columns(change_usd=pl.col("current_usd") - pl.col("reported_usd"))
        .with_columns(amount(f"{name}_usd") for name in ("reported", "current", "change"))
    )
    return RestatedMonths.frame(rows.sort("month"))


def restatements(
    settings: pl.DataFrame,
    reported_months: pl.DataFrame,
    published_bills: pl.DataFrame,
    charged_months: pl.DataFrame,
    booked_days: pl.DataFrame,
    billed_days: pl.DataFrame,
    bill_deliveries: pl.DataFrame,
) -> pl.DataFrame:
    """One cause for which what one source charged to one closed month is no longer what was first reported."""
    compared = _compared(settings, reported_months, charged_months)
    changed = _with_late_days(
        compared.filter(pl.col("effective_usd") != pl.col("effective_usd_now")), booked_days, billed_days
    )
    files = _files(changed, published_bills, bill_deliveries)
    rows = (
        _parts(changed)
        .filter(pl.col("change_usd") != 0)
        .join(files, on=KEY[:3], how="left")
        .sort(pl.col("change_usd").abs(), "billing_month", descending=[True, False])
        .group_by("month", "source", "cause", maintain_order=True)
        .agg(
            pl.col("change_usd").sum(),
            pl.col("file").drop_nulls().first(),
            files=pl.col("files").filter(pl.col("billing_month").is_first_distinct()).sum(),
        )
        .filter(pl.col("change_usd") != 0)
        .with_columns(amount("change_usd"))
    )
    return Restatements.frame(rows.sort("month", "source", "cause"))


def _compared(settings: pl.DataFrame, reported_months: pl.DataFrame, charged_months: pl.DataFrame) -> pl.DataFrame:
    """Each cell of each closed month as the first night after its end reported it, and `…_now`, in counts of 10⁻¹²."""
    earlier = reported_months.filter(pl.col("night") < settings["as_of"].item())
    closed = earlier.filter(pl.col("night") >= pl.col("month").dt.offset_by("1mo"))
    first = closed.group_by("month").agg(first_night=pl.col("night").min())
    was = closed.join(first, left_on=["month", "night"], right_on=["month", "first_night"], how="semi")
    now = charged_months.join(first, on="month", how="semi")
    reported = was.select(*KEY, *map(units, COSTS), "last_charge_date", rate_was="rate")
    both = reported.join(
        now.select(*KEY, *map(units, COSTS), "rate", is_there=True), on=KEY, how="full", coalesce=True, suffix="_now"
    )
    # What is there no more is taken at the rate of what is, else at its own; what was not there had the rate of now.
    rate = pl.coalesce("rate", pl.col("rate").drop_nulls().first().over("month", "currency"))
    is_gone, was_not = pl.col("is_there").is_null(), pl.col("effective_cost").is_null()
    return both.join(first, on="month").with_columns(
        *(pl.col(name, f"{name}_now").fill_null(0) for name in COSTS),
        is_there=~is_gone,
        rate=pl.when(is_gone).then(pl.coalesce(rate, "rate_was")).otherwise("rate"),
        rate_was=pl.when(was_not).then("rate").otherwise("rate_was"),
    )


def _with_late_days(changed: pl.DataFrame, booked_days: pl.DataFrame, billed_days: pl.DataFrame) -> pl.DataFrame:
    """The cells with what stands on days after the last that the first night had: `late_cost`, `late_correction`."""
    lasts = changed.select(*KEY, "last_charge_date")
    in_scope = by_month(booked_days.filter(IN_SCOPE))
    return changed.join(_after(in_scope, lasts, "late_cost"), on=KEY, how="left").join(
        _after(corrections(billed_days), lasts, "late_correction"), on=KEY, how="left"
    ).with_columns(pl.col("late_cost", "late_correction").fill_null(0))  # fmt: skip


def _after(days: pl.DataFrame, lasts: pl.DataFrame, name: str) -> pl.DataFrame:
    later = days.join(lasts, on=KEY).filter(
        (pl.col("charge_date") > pl.col("last_charge_date")).fill_null(value=True)  # it had no day at all
    )
    return later.group_by(KEY).agg(units("effective_cost").sum().alias(name))


def _parts(changed: pl.DataFrame) -> pl.DataFrame:
    """One cell and cause with the change it makes, in counts of 10⁻¹² of the reporting currency; they add up.

    Each cause is taken at the rate of now, and exchange is what the new rate makes of what was first reported. What
    rounding leaves goes to the largest of them.
    """
    by_cause = _by_cause(changed).unpivot(CAUSES, index=[*KEY, "rate"], variable_name="cause", value_name="change_cost")
    converted = by_cause.with_columns(amount("change_cost")).select(
        *KEY, "cause", change_usd=times_rate("change_cost").to_physical().fill_null(0)
    )
    at_rate_now = changed.with_columns(amount("effective_cost")).select(
        *KEY, "effective_usd", "rate_was", "rate", usd=times_rate("effective_cost").to_physical().fill_null(0)
    )
    exchanged = at_rate_now.select(
        *KEY,
        cause=pl.lit("exchange"),
        change_usd=pl.when(~pl.col("rate_was").eq_missing("rate")).then(pl.col("usd") - pl.col("effective_usd"))
        .otherwise(NOTHING),
    )  # fmt: skip
    parts = pl.concat([exchanged, converted]).join(
        changed.select(*KEY, whole=pl.col("effective_usd_now") - pl.col("effective_usd")), on=KEY
    )
    is_largest = (pl.col("change_usd").abs().arg_max() == pl.int_range(pl.len())).over(KEY)
    left = pl.col("whole") - pl.col("change_usd").sum().over(KEY)
    return parts.with_columns(change_usd=pl.col("change_usd") + pl.when(is_largest).then(left).otherwise(NOTHING))


def _by_cause(changed: pl.DataFrame) -> pl.DataFrame:
    """The cells with what each cause changed in their own currency.

    What is billed in a later month than it is dated into is a correction, whatever its class. An accrual, and cost that
    only moved between what is in scope and what is not, changed by policy.
    """
    change = pl.col("effective_cost_now") - pl.col("effective_cost")
    corrected = pl.col("correction_cost_now") - pl.col("correction_cost")
    late = pl.col("late_cost") - pl.col("late_correction")
    only_moved = change + pl.col("out_of_scope_cost_now") - pl.col("out_of_scope_cost") == 0
    whole = (
        pl.when(pl.col("billing_month") > pl.col("month")).then(pl.lit("correction"))
        .when((pl.col("source") == ACCRUAL) | only_moved).then(pl.lit("policy"))
        .when(~pl.col("is_there")).then(pl.lit("withdrawn"))
    )  # fmt: skip
    parts = {"correction": corrected, "late": late, "changed": change - corrected - late}
    return changed.with_columns(
        pl.when(whole.is_null()).then(parts.get(cause, NOTHING)).when(whole == cause).then(change).otherwise(NOTHING)
        .alias(cause)
        for cause in CAUSES
    )  # fmt: skip


def _files(changed: pl.DataFrame, published_bills: pl.DataFrame, bill_deliveries: pl.DataFrame) -> pl.DataFrame:
    """Per cell's month, billing month and source the files that count now and that the first night had not read.

    Where there is none, those that are gone since; nothing where what that night had read is not remembered.
    """
    cell = ["month", "billing_month", "source"]
    asked = changed.select(*cell, "first_night").unique()
    then = asked.join(published_bills, left_on=["source", "first_night"], right_on=["source", "night"])
    remembered = asked.join(published_bills.select("night").unique(), left_on="first_night", right_on="night")
    current = bill_deliveries.filter("is_current").with_columns(
        billing_month=pl.col("billing_period_start").dt.truncate("1mo")
    )
    new = current.join(remembered, on=["billing_month", "source"]).join(
        then, left_on=[*cell, "file_sha256"], right_on=[*cell, "sha256"], how="anti"
    )
    gone = then.join(bill_deliveries, left_on=["source", "sha256"], right_on=["source", "file_sha256"], how="anti")
    silent = gone.join(new, on=cell, how="anti").with_columns(billed_cost=pl.lit(0))
    size = pl.col("billed_cost").cast(pl.Float64).abs()
    candidates = [rows.select(*cell, "file", size=size) for rows in (new, silent)]
    ranked = pl.concat(candidates).sort("size", "file", descending=[True, False])
    return ranked.group_by(cell, maintain_order=True).agg(
        pl.col("file").first(), files=pl.col("file").n_unique().cast(pl.Int64)
    )
