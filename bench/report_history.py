"""What the invented company is measured by: what it was told before, what others ask, and what is ahead."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import polars as pl

from bench.report_company import UNIT, Company, Rows, rows_of
from warehouse.schemas import CATALOGUE

OCTOBER: Final = date(2026, 10, 2)
NOVEMBER: Final = date(2026, 11, 2)
SEPTEMBER: Final = date(2026, 9, 1)
COSTED: Final = ("account", "currency", "billed_cost", "effective_cost")
CORRECTED: Final = Decimal("4100.50")


def booked(spend: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The spend as the ledger has it, the bill of what is out of scope, and the rule that says so."""
    ledger = [
        blank("booked_days")
        | {name: row[name] for name in ("source", "charge_date", *COSTED)}
        | {"charge_day": row["charge_date"], "billing_period_start": row["charge_date"].replace(day=1)}
        for row in spend.iter_rows(named=True)
    ]
    outside = [
        blank("billed_days") | {name: row[name] for name in ("currency", "billed_cost", "effective_cost")}
        | {"scope_rule": "attribution.csv line 7"}
        for row in ledger if row["account"] == "out_of_scope"
    ]  # fmt: skip
    credit = blank("billed_days") | {
        "source": "aws", "currency": "USD", "charge_class": "Correction", "effective_cost": -CORRECTED,
    }  # fmt: skip
    rule = blank("attribution") | {"line": 7, "field": "service_name", "pattern": "Web Hosting"}
    found = {"booked_days": ledger, "billed_days": [*outside, credit], "attribution": [rule] if outside else []}
    return {name: rows_of(CATALOGUE[name], rows) for name, rows in found.items()}


def blank(table: str) -> dict[str, Any]:
    """A row of a table with nothing in it."""
    blanks = {pl.String: "", pl.Int64: 0, pl.Float64: 0.0, pl.Boolean: False, pl.Decimal: Decimal(0),
              pl.List: [], pl.Date: SEPTEMBER, pl.Datetime: datetime(2026, 9, 1, tzinfo=UTC)}  # fmt: skip
    return {
        name: None if column.is_nullable else blanks[type(column.dtype)]
        for name, column in CATALOGUE[table].columns().items()
    }


def reported_months(company: Company, charged_months: pl.DataFrame) -> pl.DataFrame:
    """September was first reported with less of aws and before its correction; October as it is."""
    exact = pl.Decimal(38, 12)
    october = charged_months.filter(pl.col("month") < OCTOBER.replace(day=1)).with_columns(
        pl.when(month=SEPTEMBER).then((pl.col(name) * pl.lit(Decimal("0.99"))).cast(exact)).otherwise(name).alias(name)
        for name in ("effective_cost", "effective_usd")
    )
    nights = [
        october.with_columns(night=pl.lit(OCTOBER), correction_cost=pl.lit(Decimal(0)).cast(exact)),
        charged_months.filter(pl.col("month") < NOVEMBER.replace(day=1)).with_columns(night=pl.lit(NOVEMBER)),
    ]
    reported = pl.concat(nights, how="diagonal").filter(pl.col("night") < company.night)
    return CATALOGUE["reported_months"].frame(reported if company.has_bill else reported.clear())


def bills(reconciliation: pl.DataFrame) -> pl.DataFrame:
    """The invoices of today, those of aws for September with a correction among them."""
    is_corrected = (pl.col("source") == "aws") & (pl.col("billing_period_start") == SEPTEMBER)
    correction = pl.when(is_corrected).then(pl.lit(-CORRECTED)).otherwise(pl.lit(Decimal(0)))
    return reconciliation.with_columns(correction_billed_cost=correction.cast(pl.Decimal(38, 12)))


def published_periods(company: Company, reconciliation: pl.DataFrame) -> pl.DataFrame:
    """September was first reported without nebius, and with less of aws; October as it is."""
    rows: Rows = []
    for row in reconciliation.to_dicts() if company.has_bill else ():
        month = row["billing_period_start"]
        is_late = row["source"] == "nebius" and month == SEPTEMBER
        if month < OCTOBER.replace(day=1) and not is_late:
            rows.append(_told(row, OCTOBER, _first_said(row, month)))
        if month < NOVEMBER.replace(day=1):
            rows.append(_told(row, NOVEMBER, row["billed_cost"]))
    return rows_of(CATALOGUE["published_periods"], [row for row in rows if row["night"] < company.night])


def _first_said(row: dict[str, Any], month: date) -> Decimal:
    is_less = row["source"] == "aws" and month == SEPTEMBER
    return Decimal(row["billed_cost"] * Decimal("0.99")).quantize(UNIT) if is_less else Decimal(row["billed_cost"])


def _told(row: dict[str, Any], night: date, billed: Decimal) -> dict[str, Any]:
    same = ("source", "billing_period_start", "invoice_id", "currency", "charges", "effective_cost")
    return {name: row[name] for name in same} | {
        "night": night, "billed_cost": billed, "correction_billed_cost": Decimal(0),
    }  # fmt: skip


def published_bills(company: Company) -> pl.DataFrame:
    """The files that both nights had read."""
    return rows_of(CATALOGUE["published_bills"], [
        {"night": night, "source": source, "file": f"inbox/{source}/2026-08.csv", "sha256": "8" * 64}
        for night in (OCTOBER, NOVEMBER) if night < company.night for source in ("aws", "lambda", "nebius")
    ])  # fmt: skip


def bill_deliveries(company: Company) -> pl.DataFrame:
    """A second file of aws for September, and the first of nebius."""
    rows = [
        {"source": source, "billing_account_id": "", "billing_period_start": SEPTEMBER, "delivery": file,
         "file": f"inbox/{source}/{file}", "file_sha256": f"{place:064x}", "rows": 400, "billed_cost": Decimal(cost),
         "is_current": True}
        for place, (source, file, cost) in enumerate((("aws", "2026-09_v2.csv", 2), ("nebius", "2026-09.csv", 1)))
    ]  # fmt: skip
    return rows_of(CATALOGUE["bill_deliveries"], rows if company.has_bill else [])


def api_comparisons(company: Company, unit_costs: pl.DataFrame) -> pl.DataFrame:
    """One price for the largest model: a tenth under its allocated cost."""
    rows: Rows = []
    for row in unit_costs.filter(model_id="Atlas-70B").to_dicts() if company.currency == "USD" else ():
        own, served = row["allocated_usd_per_mtok"], row["input_tokens"] + row["output_tokens"]
        price = (own * Decimal("0.9")).quantize(UNIT)
        build, buy = ((rate * served / 1_000_000).quantize(UNIT) for rate in (own, price))
        rows.append({
            "month": row["month"], "model_id": row["model_id"], "provider": "Pagoda Inference",
            "api_model": "pagoda-70b", "rank": 1, "is_named": True, "priced_on": row["month"],
            "reference": "invented, as everything here", "api_usd_per_mtok": price, "allocated_usd_per_mtok": own,
            "buy_usd": buy, "build_usd": build, "buy_ratio": 0.9,
        })  # fmt: skip
    return rows_of(CATALOGUE["api_comparisons"], rows)


def track_record(company: Company) -> pl.DataFrame:
    """Three recommendations that were followed, two of them as promised, one still fresh, and one nobody followed."""
    facts = (
        (date(2026, 3, 3), "release_capacity", None, "h100-reservation", (80, 120, 160), 131, True),
        (date(2026, 4, 7), "distil", "Atlas-70B", None, (20, 60, 110), 12, False),
        (date(2026, 6, 16), "tune_serving", "Cedar-32B", None, (15, 30, 45), 33, True),
        (date(2026, 10, 20), "route", "Atlas-70B", None, (10, 25, 60), 41, None),
        (date(2026, 11, 3), "retire", "Dune-3B", None, (5, 9, 14), None, None),
    )
    rows: Rows = [
        {"recommended_as_of": since, "model_id": model,
         "task": "Ticket triage" if action in {"distil", "route"} else None,
         "pool_id": pool, "action": action,
         **{f"predicted_usd_p{p}": Decimal(amount) * 1000 for p, amount in zip((10, 50, 90), promised, strict=True)},
         "realised_usd": None if saved is None else Decimal(saved) * 1000, "is_within": inside,
         "state": "open" if saved is None else "acted" if inside is None else "realised", "reason": "as invented"}
        for since, action, model, pool, promised, saved, inside in facts
        if len(company.lives) > 1 and company.has_bill
    ]  # fmt: skip
    return rows_of(CATALOGUE["track_record"], rows)


def commitments(company: Company) -> pl.DataFrame:
    """Two reservations that end in the same month, and one that ends long after."""
    rows: Rows = [
        {"source": "aws", "commitment_discount_id": f"h100-{place}", "currency": company.currency,
         "first_day": date(2025, 12, 1), "last_day": last_day, "purchased_cost": Decimal(1200),
         "used_cost": Decimal(900), "unused_cost": Decimal(100), "remaining_cost": Decimal(200), "is_over": False,
         "is_balanced": True, "explanation": "its term is not over"}
        for place, last_day in enumerate((date(2026, 12, 31), date(2026, 12, 31), date(2028, 5, 31)))
        if company.has_bill
    ]  # fmt: skip
    return rows_of(CATALOGUE["commitments"], rows)
