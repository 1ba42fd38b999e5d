"""Invoices: the totals they state, and what may stand between a total and the charges that are known."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.money import units

INVOICE: Final = ("source", "invoice_id", "currency")


def stated_totals(invoice_totals: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """One invoice with the total that the newest file states; a file that was replaced states nothing."""
    replaced = files.filter(pl.col("superseded_by").is_not_null()).select("source", "file")
    valid = invoice_totals.join(replaced, on=["source", "file"], how="anti").with_columns(units("billed_cost"))
    sums = valid.group_by(*INVOICE, "file").agg(pl.col("billed_cost").sum().alias("stated"))
    return sums.sort("file").unique(INVOICE, keep="last", maintain_order=True).drop("file")


def stated_elsewhere(stated: pl.DataFrame, billed: pl.DataFrame) -> pl.DataFrame:
    """Invoices billed in one currency whose total is stated in another: `stated_currency`."""
    unstated = billed.join(stated, on=INVOICE, how="anti")
    other = stated.select("source", "invoice_id", stated_currency="currency")
    return unstated.join(other, on=["source", "invoice_id"]).group_by(INVOICE).agg(pl.col("stated_currency").min())


def later_charges(delivered_days: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """One invoice with the cost of its rows that start after the night: they are delivered but not yet charges."""
    later = delivered_days.filter("is_current", pl.col("charge_day") > settings["as_of"].item())
    named = later.with_columns(pl.col("invoice_id").fill_null(""))
    return named.group_by(INVOICE).agg(units("billed_cost").sum().alias("later"))


def refused_charges(quarantine: pl.DataFrame) -> pl.DataFrame:
    """One source and currency with the cost of the rows that could not be read."""
    refused = quarantine.filter(pl.col("currency").is_not_null() & pl.col("billed_cost").is_not_null())
    return refused.group_by("source", "currency").agg(units("billed_cost").sum().alias("refused"))


def file_sums(billed_days: pl.DataFrame) -> pl.DataFrame:
    """One invoice with the sum of each file that bills it, where more than one does."""
    sums = billed_days.group_by(*INVOICE, "file_sha256").agg(units("billed_cost").sum())
    lists = sums.group_by(INVOICE).agg(pl.col("billed_cost").sort().alias("file_sums"))
    return lists.filter(pl.col("file_sums").list.len() > 1)
