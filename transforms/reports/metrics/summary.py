"""The numbers of page 1."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import polars as pl

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night, ratio

MOVERS_NAMED = 3
_number = partial(Number, "summary")
MONTHS = "reports.month_figures"
MOVERS = "reports.movers"
SPEND = "economics.daily_spend"
METRICS = "reports.headline_metrics"


def summary_numbers(night: Night) -> Iterator[Number]:
    """Title, lead, the five numbers and the checks, as they are read."""
    yield _number("effective_cost", "Effective cost", night.currency, SPEND, "sum(effective_usd)", "effective_usd",
                  night.in_month)  # fmt: skip
    if night.has_plan:
        yield from _against_plan(night)
    if night.previous_month:
        yield from _against_previous(night)
    yield from _five(night)
    yield from _shares(night)
    yield from _checks(night)


def _against_plan(night: Night) -> Iterator[Number]:
    over = ratio("CAST(sum(effective_usd) AS DOUBLE)", "CAST(sum(plan_usd) AS DOUBLE)") + " - 1"
    month = night.this_month
    yield _number("plan_ratio", "Effective cost over plan", "ratio", MONTHS, over, "effective_usd, plan_usd", month)


def _against_previous(night: Night) -> Iterator[Number]:
    rate = "fully_loaded_usd_per_mtok"
    both = night.both_months
    yield _number("mtok_change_ratio", "Change of the cost per million tokens", "ratio", MONTHS, night.change(rate),
                  rate, both)  # fmt: skip
    if not night.has_plan:
        change = ratio("CAST(sum(current_usd) AS DOUBLE)", "CAST(sum(previous_usd) AS DOUBLE)") + " - 1"
        yield _number("cost_change_ratio", "Change of effective cost", "ratio", MOVERS, change,
                      "current_usd, previous_usd")  # fmt: skip
    yield _number("cost_change", "Change of effective cost", night.currency, MOVERS, "sum(change_usd)", "change_usd")
    if night.is_known:
        yield _number("tokens_change_ratio", "Change of tokens served", "ratio", MONTHS, night.change("tokens"),
                      "tokens", both)  # fmt: skip
    yield from _movers(night)


def _movers(night: Night) -> Iterator[Number]:
    named = night.tables["movers"].filter(pl.col("position") <= MOVERS_NAMED).sort("position")
    for row in named.iter_rows(named=True):
        words = " of ".join(part for part in (row["cost_class"], row["model_id"]) if part)
        position = row["position"]
        yield _number(f"mover_{position}", f"Change of {words}", night.currency, MOVERS, "sum(change_usd)",
                      "change_usd", f"position = {position}")  # fmt: skip
    yield _number("movers_other", "Change of all others", night.currency, MOVERS, "sum(change_usd)",
                  "change_usd", f"position > {MOVERS_NAMED}")  # fmt: skip


def _five(night: Night) -> Iterator[Number]:
    """The five numbers, each with its year to date and where the year is heading."""
    money, rate = night.currency, f"{night.currency} per million tokens"
    for metric, number_id, title, unit in (
        ("unit_cost", "fully_loaded", "Fully loaded cost per million tokens", rate),
        ("idle_and_failed", "wasted", "Idle, unused and failed", money),
        ("unamortised_training", "carried", "Unamortised training", money),
        ("savings_realised", "savings_realised", "Savings realised, a month", money),
    ):
        yield _number(number_id, title, unit, METRICS, "max(value)", "value", f"metric = {literal(metric)}")
    cost = f"metric = {literal('effective_cost')}"
    for number_id, title, column in (
        ("year_to_date", "Effective cost of the year to date", "year_to_date"),
        ("landing", "Effective cost of the year, its open months at the median", "landing"),
        ("landing_plan", "Plan of the year", "landing_plan"),
    ):
        yield _number(number_id, title, money, METRICS, f"max({column})", column, cost)


def _shares(night: Night) -> Iterator[Number]:
    """What was served, and which part of the cost served users."""
    month = night.this_month
    if night.has_plan:
        yield _number("plan", "Plan", night.currency, MONTHS, "sum(plan_usd)", "plan_usd", month)
    for number_id, title, unit, column in (
        ("used", "Cost per million tokens of serving alone", f"{night.currency} per million tokens",
         "used_usd_per_mtok"),
        ("tokens", "Tokens served", "tokens", "tokens"),
        ("named_ratio", "Share of cost with a rule", "ratio", "named_ratio"),
    ):  # fmt: skip
        yield _number(number_id, title, unit, MONTHS, f"sum({column})", column, month)
    if not _figures(night)["tokens"] and _figures(night)["units"]:
        yield _number("units", "Units served", "units", MONTHS, "sum(units)", "units", month)
    yield _number("inference_ratio", "Share of cost that served users", "ratio", SPEND, _served_share(),
                  "effective_usd", night.in_month)  # fmt: skip
    pools = night.tables["idle_pools"]
    if pools.height:
        yield _number("largest_idle_pool", f"Idle and unused in {pools.sort('position')['pool_id'][0]}",
                      night.currency, "reports.idle_pools", "sum(idle_usd)", "idle_usd", "position = 1")  # fmt: skip


def _figures(night: Night) -> dict[str, Any]:
    return night.tables["month_figures"].sort("month").row(-1, named=True)


def _served_share() -> str:
    """Nothing where credits make it no share: less than nothing, or more than the whole."""
    served = "sum(CASE WHEN account = 'direct' AND phase = 'inference' THEN effective_usd ELSE 0 END)"
    share = ratio(f"CAST({served} AS DOUBLE)", "CAST(sum(effective_usd) AS DOUBLE)")
    return f"CASE WHEN {served} BETWEEN 0 AND sum(effective_usd) THEN {share} END"


def _checks(night: Night) -> Iterator[Number]:
    bills = "economics.reconciliation"
    yield _number("charges", "Charges in the ledger", "charges", bills, "sum(charges)", "charges")
    stated = "invoice_total IS NOT NULL"
    yield _number("invoices_tied", "Invoices that state a total and tie out", "invoices", bills, "count(*)", "all",
                  f"{stated} AND is_reconciled")  # fmt: skip
    yield _number("invoices_stated", "Invoices that state a total", "invoices", bills, "count(*)", "all", stated)
    yield _number("invoices", "Invoices and billing periods", "invoices", bills, "count(*)", "all")
    usage = "staging.token_usage"
    sent = "input_tokens + output_tokens"
    attributed_share = (
        f"CAST(sum(CASE WHEN model_id IS NOT NULL THEN {sent} ELSE 0 END) AS DOUBLE) / CAST(sum({sent}) AS DOUBLE)"
    )
    yield _number("model_coverage", "Share of tokens that have a model", "ratio", usage, attributed_share,
                  "input_tokens, output_tokens, model_id")  # fmt: skip
    yield _number("unallocated", "Cost without a rule", night.currency, MONTHS, "sum(unallocated_usd)",
                  "unallocated_usd", night.this_month)  # fmt: skip
    yield _number("rows_quarantined", "Rows in quarantine", "rows", "raw.files", "sum(quarantined)", "quarantined")
    yield _number("rows_read", "Rows read", "rows", "raw.files", "sum(rows)", "rows")
    yield _number("quarantined_cost", "Cost in quarantine", night.currency, "raw.quarantine", "sum(billed_cost)",
                  "billed_cost", f"currency = {literal(night.currency)}")  # fmt: skip
