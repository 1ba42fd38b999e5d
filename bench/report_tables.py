"""The rest of the invented company's tables, and all of them together."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import polars as pl

from bench import report_history as history
from bench import report_physics as physics
from bench import report_plans as plans
from bench.report_company import (
    UNIT,
    Company,
    Life,
    Rows,
    daily_spend,
    models,
    month_at,
    phase_months,
    rows_of,
    settings,
    thirds,
)
from transforms.economics.forecast.spend_outlook import spend_outlook
from transforms.economics.spend.charged_months import charged_months
from transforms.economics.variance.budget_variances import budget_variances
from transforms.reports.amortization_runoff import runoffs
from transforms.reports.band_verdicts import band_verdicts
from transforms.reports.change_drivers import change_drivers
from transforms.reports.company_thirds import company_thirds
from transforms.reports.compute_verdicts import law_verdicts, runs_in_flight, serving_batches, task_standings
from transforms.reports.doubts import doubtful_shares, largest_findings
from transforms.reports.events import events
from transforms.reports.headline_metrics import headline_metrics
from transforms.reports.idle_pools import idle_pools
from transforms.reports.metrics.numbers import numbers
from transforms.reports.month_costs import month_classes, month_figures
from transforms.reports.outlook import outlook, quarters
from transforms.reports.pages import pages
from transforms.reports.phase_history import trails
from transforms.reports.quality_checks import quality_checks
from transforms.reports.recent_anomalies import recent_anomalies
from transforms.reports.rejected_alternatives import held_models, rejected_alternatives
from transforms.reports.report_period import subject
from transforms.reports.requested_decisions import requested_decisions
from transforms.reports.restatements import restated_months, restatements
from transforms.reports.scope import scope
from transforms.reports.served_groups import served_groups
from transforms.reports.top_changes import movers
from transforms.reports.usage_gaps import usage_gaps
from warehouse.schemas import CATALOGUE

TASKS: Final = ("Ticket triage", "Field extraction", "Support answers", "Code review", "Summaries", "Translation")
ZERO: Final = Decimal(0)


def _last_place(company: Company) -> int:
    return (company.night.year - 2025) * 12 + company.night.month - 9


def amortization(company: Company) -> pl.DataFrame:
    """A straight twelfth of the balance a month once a model serves."""
    rows: Rows = []
    for life in company.lives if company.has_bill else ():
        balance = ZERO
        months = phase_months(life)
        for place in range(company.first_month, _last_place(company) + 1):
            added = (months["pretraining"].get(place, ZERO) + months["posttraining"].get(place, ZERO)) * company.factor
            opening, balance = balance, balance + added
            serves = life.released is not None and place >= life.released
            amortized = (balance / 12).quantize(UNIT) if serves else ZERO
            balance -= amortized
            if opening or added:
                rows.append({
                    "month": month_at(place), "model_id": life.name, "method": "units_of_production",
                    "opening_usd": opening, "additions_usd": added, "amortized_usd": amortized, "written_off_usd": ZERO,
                    "closing_usd": balance, "tokens_served": float(_tokens(life, place)), "expected_tokens": 11.8e12,
                    "tokens_to_parity": 2.1e12 if life.name.startswith("A") else None, "basis": "forecast",
                    "production_unit": "tokens",
                })  # fmt: skip
    return rows_of(CATALOGUE["amortization"], rows)


def _price(life: Life) -> Decimal:
    return Decimal("1.6") + Decimal(repr(life.params)) / Decimal("1e11")


def _tokens(life: Life, place: int) -> int:
    spent = phase_months(life)["inference"].get(place, ZERO)
    return int(spent / _price(life) * 1_000_000 * (100 + 2 * place) / 100)


def unit_costs(company: Company) -> pl.DataFrame:
    """Each serving model's month."""
    rows: Rows = []
    for life in company.lives:
        for place in range(company.first_month, _last_place(company) + 1):
            served = _tokens(life, place)
            if served:
                used = _price(life) * 100 / (100 + 2 * place)
                rows.append({
                    "month": month_at(place), "model_id": life.name, "requests": served // 1400,
                    "input_tokens": served * 7 // 10, "cached_input_tokens": served * 28 // 100,
                    "output_tokens": served - served * 7 // 10, "units": 0.0, "unit_name": None,
                    **_rates(used.quantize(UNIT)), "utilization_ratio": _busy(life, place),
                })  # fmt: skip
    return rows_of(CATALOGUE["unit_costs"], rows)


def _busy(life: Life, place: int) -> float:
    return min(0.35 + 0.03 * place + (life.params % 7e9) / 4e10, 0.94) - life.params / 1e12


def _rates(used: Decimal) -> dict[str, Decimal]:
    allocated, training = (used * Decimal("1.2")).quantize(UNIT), (used * Decimal("0.4")).quantize(UNIT)
    return {
        "used_usd_per_mtok": used,
        "allocated_usd_per_mtok": allocated,
        "amortized_training_usd_per_mtok": training,
        "fully_loaded_usd_per_mtok": allocated + training,
    }


def lifecycle_spend(company: Company) -> pl.DataFrame:
    """Direct cost of each model and phase, with a tenth of it as idle and shared."""
    rows: Rows = []
    for row in thirds(company).iter_rows(named=True):
        for phase in ("pretraining", "posttraining", "inference"):
            direct = row[f"{phase}_usd"]
            share = (direct * Decimal("0.07")).quantize(UNIT)
            rows.append({
                "as_of": company.night, "model_id": row["model_id"], "phase": phase, "direct_usd": direct,
                "idle_share_usd": share, "shared_share_usd": share / 2, "waste_usd": share,
                "inherited_usd": ZERO, "passed_on_usd": ZERO, "total_usd": direct + share + share / 2,
                "gpu_seconds": float(direct) * 1440, "compute_flop": 1e22, "tokens": 2.1e12,
            })  # fmt: skip
    return rows_of(CATALOGUE["lifecycle_spend"], rows)


def reconciliation(company: Company, spend: pl.DataFrame) -> pl.DataFrame:
    """Three invoices a month that tie out, one of them by the skin of its teeth."""
    months = spend.group_by(month=pl.col("charge_date").dt.truncate("1mo")).agg(pl.col("billed_cost").sum())
    rows: Rows = []
    for month, billed in months.sort("month").iter_rows():
        half, third = ((billed * part).quantize(UNIT) for part in (Decimal("0.5"), Decimal("0.3")))
        for place, amount in enumerate((half, third, billed - half - third)):
            rows.append({
                "source": ("aws", "lambda", "nebius")[place], "billing_period_start": month,
                "invoice_id": f"INV-{month:%y%m}-{place}", "currency": company.currency, "charges": 26_000 + 31 * place,
                "billed_cost": amount, "ledger_billed_cost": amount, "difference": ZERO, "effective_cost": amount,
                "ledger_effective_cost": amount,
                "invoice_total": (amount + Decimal("0.74")).quantize(UNIT) if place == 1 else None,
                "tolerance": Decimal("1.58"), "rounding_residual": ZERO, "is_reconciled": True,
                "explanation": "the ledger equals the bill; the stated total is within rounding",
            })  # fmt: skip
    return rows_of(CATALOGUE["reconciliation"], rows)


def recommendations(company: Company) -> pl.DataFrame:
    """One retrain, one release of capacity, and a hold."""
    if not company.has_bill or len(company.lives) < 2:
        return CATALOGUE["recommendations"].empty()
    first = company.lives[0].name
    wide = {
        "one_off": "1450000",
        "saving": ("130000", "240000", "350000"),
        "value": ("400000", "2700000", "4800000"),
        "paid": "16000000",
        "now": "10300000",
    }
    free = {
        "one_off": "0",
        "saving": ("110000", "190000", "260000"),
        "value": ("900000", "1600000", "2400000"),
        "paid": "4600000",
        "now": "4500000",
    }
    rows = [
        _advice(company, 1, "retrain_smaller", wide, model_id=first, payback_months_p50=10.0, probability=0.86,
                reason="serving passed pre-training in June; 39 B gives the same loss",
                quality_gate="loss within 0.01 of today on the frozen evaluation set; owner signs"),
        _advice(company, 2, "release_capacity", free, pool_id="h100-reservation", payback_months_p50=0.0,
                probability=0.97, reason="52 % idle since 14 October; renewal on 1 December",
                quality_gate="none: no model changes"),
        _advice(company, 3, "hold", None, model_id=company.lives[1].name, payback_months_p50=None, probability=None,
                reason="too young to judge", quality_gate="none"),
    ]  # fmt: skip
    return rows_of(CATALOGUE["recommendations"], rows)


def _advice(company: Company, rank: int, action: str, money: dict[str, Any] | None, **given: object) -> dict[str, Any]:
    amounts: dict[str, Decimal | None] = dict.fromkeys(("one_off_usd_p50",))
    for place, p in enumerate((10, 50, 90)):
        amounts[f"monthly_saving_usd_p{p}"] = Decimal(money["saving"][place]) if money else None
        amounts[f"next_year_saving_usd_p{p}"] = 10 * Decimal(money["saving"][place]) if money else None
        amounts[f"net_present_value_usd_p{p}"] = Decimal(money["value"][place]) if money else None
    amounts["one_off_usd_p50"] = Decimal(money["one_off"]) if money else None
    amounts["next_year_paid_usd_p50"] = Decimal(money["paid"]) if money else None
    amounts["run_rate_paid_usd"] = Decimal(money["now"]) if money else None
    rejected = json.dumps([
        {"action": "distil", "task": "Ticket triage", "target_model_id": "Dune-3B", "target_params": None,
         "probability": 0.71, "net_present_value_usd_p50": "900000.00", "why": "less certain"},
        {"action": "hold", "why": "leaves 1,900,000 unsaved"},
    ])  # fmt: skip
    return {
        "as_of": company.night, "rank": rank, "model_id": None, "task": None, "pool_id": None, "action": action,
        "assumptions": json.dumps({"target_params": 39e9, "is_quality_measured": action != "hold",
                                   "break_even_demand_ratio": 0.44, "law": "epoch"}),
        "rejected": rejected, **amounts, **given,
    }  # fmt: skip


def budgets(company: Company) -> pl.DataFrame:
    """A plan for every month."""
    rows = [
        {"month": month_at(place), "model_id": "*", "phase": "*",
         "usd": Decimal(3_100_000 + 150_000 * (place // 3)) * company.factor}
        for place in range(18)
    ]  # fmt: skip
    rows.append(
        {"month": month_at(14), "model_id": "*", "phase": "posttraining", "usd": Decimal(260_000) * company.factor}
    )
    rows += [
        {"month": month_at(13), "model_id": life.name, "phase": phase, "usd": Decimal(usd) * company.factor}
        for life, (phase, usd) in zip(company.lives, (("inference", 1_400_000), ("pretraining", 250_000)), strict=False)
    ]
    return rows_of(CATALOGUE["budgets"], rows if company.has_plan else [])


def token_usage(company: Company) -> pl.DataFrame:
    """One row a model for the last month, and one of requests without a model."""
    hour = datetime.combine(company.night, datetime.min.time(), UTC)
    rows: Rows = [
        {
            "hour": hour, "part_start": hour, "source": "gateway", "model_id": name, "model": name or "unknown",
            "deployment_id": None, "team": None, "tenant": None, "task": None, "status": "ok", "requests": 10,
            "requests_with_usage": 10, "input_tokens": 7_000 * weight, "cached_input_tokens": 10,
            "output_tokens": 3_000,
            "units": 0.0, "unit_name": None, "weighted_tokens_milli": 1, "duration_us": 1, "ttft_s_sum": None,
            "duration_s_sum": 1.0, "duration_s_p50": None, "duration_s_p95": None, "concurrency_mean": 1.0,
        }
        for name, weight in (*((life.name, 9) for life in company.lives), (None, 3))
    ]  # fmt: skip
    return rows_of(CATALOGUE["token_usage"], rows)


def files(company: Company) -> pl.DataFrame:
    """Four files of the inbox."""
    first_seen = datetime.combine(company.night, datetime.min.time(), UTC)
    rows: Rows = [
        {
            "source": source, "kind": kind, "file": f"inbox/{source}/{company.night:%Y-%m}.{kind[:3]}",
            "sha256": f"{place + 10:064x}", "bytes": 10_000_000, "rows": accepted + bad + 40, "accepted": accepted,
            "quarantined": bad, "duplicates": 30, "blank": 10, "foreign_lines": 0, "rounding_residual": ZERO,
            "flags": [],
            "first_seen_at": first_seen, "superseded_by": None, "reader_digest": "0",
        }
        for place, (source, kind, accepted, bad) in enumerate((
            ("aws", "gpu_billing", 1_204_331, 2), ("lambda", "gpu_billing", 40_112, 0),
            ("gateway", "request_telemetry", 36_900_000, 212), ("wandb", "training_logs", 4_120, 0),
        ))
    ]  # fmt: skip
    return rows_of(CATALOGUE["files"], rows)


def quarantine(company: Company) -> pl.DataFrame:
    """Two refused charges."""
    return rows_of(CATALOGUE["quarantine"], [
        {"source": "aws", "file": "inbox/aws/2026-11.gpu", "file_sha256": "0" * 64, "location": f"line {line}",
         "reason": "bad_decimal", "raw": "", "detail": None, "currency": company.currency, "billed_cost": ZERO}
        for line in (7, 9)
    ])  # fmt: skip


def training_runs(company: Company) -> pl.DataFrame:
    """One finished run, so that what failed is known."""
    started = datetime.combine(company.night, datetime.min.time(), UTC)
    row = history.blank("training_runs") | {
        "run_id": "run-1", "source": "wandb", "run_name": "atlas-pretrain", "status": "finished",
        "end_source": "logged", "model_id": company.lives[0].name, "phase": "pretraining",
        "started_at": started, "ended_at": started,
    }  # fmt: skip
    return rows_of(CATALOGUE["training_runs"], [row])


def daily_service(company: Company) -> pl.DataFrame:
    """The tokens of each serving model, the same on every day of the month."""
    rows: Rows = []
    for life in company.lives:
        for place in range(company.first_month, _last_place(company) + 1):
            served, month = _tokens(life, place), month_at(place)
            length = (month_at(place + 1) - month).days
            rows += [
                history.blank("daily_service") | {
                    "day": month + timedelta(days=number), "model_id": life.name, "requests": served // length // 1400,
                    "input_tokens": served // length * 7 // 10, "output_tokens": served // length * 3 // 10,
                }
                for number in range(length)
                if served and month + timedelta(days=number) <= company.night
            ]  # fmt: skip
    return rows_of(CATALOGUE["daily_service"], rows)


def company_tables(company: Company) -> dict[str, pl.DataFrame]:
    """Every table that the report is made from, those of the reports stage computed by their own functions."""
    spend = daily_spend(company)
    bills = history.bills(reconciliation(company, spend))
    tables = {name: table.empty() for name, table in CATALOGUE.items()}
    tables |= {
        "settings": settings(company), "models": models(company), "daily_spend": spend, "thirds": thirds(company),
        "amortization": amortization(company), "unit_costs": unit_costs(company), "budgets": budgets(company),
        "lifecycle_spend": lifecycle_spend(company), "reconciliation": bills,
        "recommendations": recommendations(company), "token_usage": token_usage(company), "files": files(company),
        "quarantine": quarantine(company), "training_runs": training_runs(company),
        "daily_service": daily_service(company),
    }  # fmt: skip
    tables |= {
        "published_periods": history.published_periods(company, bills),
        "published_bills": history.published_bills(company), "bill_deliveries": history.bill_deliveries(company),
    }  # fmt: skip
    tables |= history.booked(spend)
    ours = {name: tables[name] for name in ("booked_days", "billed_days", "fx", "settings")}
    tables["reported_months"] = history.reported_months(company, charged_months(**ours))
    tables["api_comparisons"] = history.api_comparisons(company, tables["unit_costs"])
    tables["commitments"] = history.commitments(company)
    tables["track_record"] = history.track_record(company)
    tables["budget_variances"] = budget_variances(tables["budgets"], spend, tables["demand_states"], tables["settings"])
    return reported({**tables, **_plans(company, spend, tables["recommendations"]), **company.changes})


def _plans(company: Company, spend: pl.DataFrame, advice: pl.DataFrame) -> dict[str, pl.DataFrame]:
    place = _last_place(company)
    return {
        "variance_bridge": plans.variance_bridge(spend, month_at(place - 1), month_at(place - 2)),
        "waste": plans.waste(spend), "goodput": plans.goodput(company), "run_spend": plans.run_spend(company),
        "task_shares": plans.task_shares(company), "task_demand": plans.task_demand(company),
        "workloads": plans.workloads(company),
        "iso_loss": plans.iso_loss(company), "lifetime_optimum": plans.lifetime_optimum(company),
        "positions": plans.positions(company), "candidates": plans.candidates(company),
        "cash_curves": plans.cash_curves(company, advice), "demand_states": plans.demand_states(company),
        "recommended_totals": plans.recommended_totals(company, advice),
        "scaling_evidence": physics.scaling_evidence(company), "two_phase_balance": physics.two_phase_balance(company),
        "serving_regimes": physics.serving_regimes(company), "task_classes": physics.task_classes(company),
        "run_forecasts": physics.run_forecasts(company), "equal_quality_prices": physics.equal_quality_prices(company),
    }  # fmt: skip


def reported(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables with those of the reports stage computed from them, and the outlook of spend."""
    stage = (subject, month_classes, month_figures, movers, trails, runoffs, spend_outlook, outlook, quarters, events,
             scope, charged_months, restated_months, restatements, change_drivers, band_verdicts, company_thirds,
             quality_checks, headline_metrics, requested_decisions, rejected_alternatives, held_models, idle_pools,
             served_groups, usage_gaps, recent_anomalies, doubtful_shares, largest_findings, law_verdicts,
             serving_batches, runs_in_flight, task_standings, pages, numbers)  # fmt: skip
    for function in stage:
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        tables = tables | {function.__name__: function(**{name: tables[name] for name in names})}
    return tables
