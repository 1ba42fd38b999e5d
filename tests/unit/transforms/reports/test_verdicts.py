"""The verdicts of the report: each decided once, by facts, before any word is chosen."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.reports.amortization_runoff import runoffs
from transforms.reports.band_verdicts import band_verdicts
from transforms.reports.directions import LEAST_BASE_USD, direction
from transforms.reports.quality_checks import quality_checks
from transforms.reports.title_cases import band_title, bridge_title, decision_case, summary_title
from transforms.reports.top_changes import movers
from warehouse.schemas import CATALOGUE

NIGHT, OCTOBER, NOVEMBER = date(2026, 11, 20), date(2026, 10, 1), date(2026, 11, 1)
ZERO = Decimal(0)


def blank(name: str) -> dict[str, Any]:
    kinds = CATALOGUE[name].columns()
    return {
        column: None
        if kind.is_nullable
        else 0
        if kind.dtype.is_numeric()
        else False
        if kind.dtype == pl.Boolean
        else ""
        for column, kind in kinds.items()
        if kind.is_nullable or kind.dtype.is_numeric() or kind.dtype in {pl.Boolean, pl.String}
    }


def table(name: str, *rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of a table; text that a row leaves out is empty, numbers are 0."""
    schema = CATALOGUE[name]
    written = [blank(name) | row for row in rows]
    return schema.frame(pl.DataFrame(written, schema_overrides=schema.polars_schema())) if rows else schema.empty()


SUBJECT = pl.DataFrame({"as_of": [NIGHT], "month": [OCTOBER], "period_end": [NOVEMBER]})


def balance(**given: Any) -> dict[str, Any]:
    return {"month": OCTOBER, "model_id": "m", "basis": "policy", "method": "straight_line",
            "production_unit": "tokens"} | given  # fmt: skip


def service(*days: date, tokens: int) -> pl.DataFrame:
    return table("daily_service", *({"day": day, "model_id": "m", "input_tokens": tokens} for day in days))


def runoff(row: dict[str, Any], served: pl.DataFrame | None = None, retires_on: date | None = None) -> dict[str, Any]:
    models = pl.DataFrame({"model_id": ["m"], "retires_on": [retires_on]}, schema_overrides={"retires_on": pl.Date})
    daily = CATALOGUE["daily_service"].empty() if served is None else served
    return runoffs(SUBJECT, table("amortization", row), models, daily).row(0, named=True)


def test_a_part_of_a_month_is_not_taken_for_a_month_of_a_straight_line() -> None:
    # released on 19 October for 548 days: 13 days took 13,000 of 548,000, so 535 days are left, not 41 months
    found = runoff(balance(closing_usd=Decimal(535_000), amortized_usd=Decimal(13_000), expected_days=548))
    assert found["left_days"] == pytest.approx(535)
    assert found["left_months"] == pytest.approx(535 / 30.4375)
    assert found["ends_on"] == date(2028, 4, 18)
    assert found["basis"] == "schedule"


def test_a_schedule_that_ends_before_the_model_retires_leaves_nothing() -> None:
    row = balance(closing_usd=Decimal(535_000), amortized_usd=Decimal(13_000), expected_days=548)
    assert runoff(row, retires_on=date(2028, 4, 30))["stranded_usd"] == 0
    # with 31 of 535 days ahead, 504 of 535 thousand are left on the last day of November and 1 December
    assert runoff(row, retires_on=date(2026, 12, 1))["stranded_usd"] == Decimal(504_000)
    assert runoff(row)["stranded_usd"] is None


def test_units_of_production_run_off_at_the_mean_of_the_last_28_days_or_of_those_since_the_first() -> None:
    row = balance(method="units_of_production", closing_usd=Decimal(900), amortized_usd=Decimal(100),
                  expected_tokens=1000.0, tokens_served=100.0)  # fmt: skip
    # 900 tokens left: 28 days of 3 tokens, or 10 days of 3 tokens since it began, are 300 days either way
    month = [NOVEMBER - timedelta(days=day) for day in range(1, 29)]
    assert runoff(row, service(*month, tokens=3))["left_days"] == pytest.approx(300)
    assert runoff(row, service(*month[:10], tokens=3))["left_days"] == pytest.approx(300)
    assert runoff(row)["basis"] == "not_serving"


@pytest.mark.parametrize(
    ("now", "before", "materiality", "expected"),
    [
        (106, 100, 0, "up"), (94, 100, 0, "down"), (104, 100, 0, "flat"), (106, 100, 10, "flat"),
        (5, 0, 0, "not_meaningful"), (5, -3, 0, "not_meaningful"), (None, 100, 0, None),
    ],
)  # fmt: skip
def test_a_direction_is_decided_by_five_percent_and_materiality(
    now: int | None, before: int, materiality: int, expected: str | None
) -> None:
    amount = None if now is None else Decimal(now)
    assert direction(amount, Decimal(before), Decimal(materiality), ZERO) == expected


def test_a_change_on_a_base_under_a_thousand_is_not_meaningful() -> None:
    assert direction(Decimal(1500), Decimal(900), Decimal(1000), LEAST_BASE_USD) == "not_meaningful"


def thirds(model: str, status: str, shares: tuple[float, float, float], penalty: float | None) -> dict[str, Any]:
    names = ("pretraining", "posttraining", "inference")
    return {
        "as_of": NIGHT, "model_id": model, "status": status, "penalty_ratio": penalty, "distance_usd": Decimal(10),
        **{f"{name}_ratio": share for name, share in zip(names, shares, strict=True)},
        **{f"{name}_usd": Decimal(round(share * 100)) for name, share in zip(names, shares, strict=True)},
        **{f"target_{name}_ratio": 1 / 3 for name in names},
    }  # fmt: skip


def verdicts(*rows: dict[str, Any], retired: str = "", lifecycle: tuple[dict[str, Any], ...] = ()) -> pl.DataFrame:
    settings = pl.DataFrame({"as_of": [NIGHT], "dead_band_ratio": [0.1]})
    ends = [date(2026, 8, 31) if row["model_id"] == retired else None for row in rows]
    models = pl.DataFrame({"model_id": [row["model_id"] for row in rows], "retires_on": ends},
                          schema_overrides={"retires_on": pl.Date})  # fmt: skip
    return band_verdicts(settings, SUBJECT, table("thirds", *rows), models, table("lifecycle_spend", *lifecycle))


def test_a_state_is_that_of_today_and_not_of_the_forecast() -> None:
    # 62 % pre-training and 21 % inference, forecast to be heavy in inference one day: heavy in pre-training today
    found = verdicts(thirds("m", "inference_heavy", (0.62, 0.17, 0.21), 0.3)).row(0, named=True)
    assert (found["state"], found["projected_state"], found["is_outside"]) == (
        "pretraining_heavy",
        "inference_heavy",
        True,
    )
    inside = verdicts(thirds("m", "inference_heavy", (0.36, 0.32, 0.32), 0.01)).row(0, named=True)
    assert (inside["state"], inside["is_outside"]) == ("balanced", False)


def test_a_retired_model_is_never_judged_and_never_leads() -> None:
    rows = (thirds("gone", "inference_heavy", (0.1, 0.1, 0.8), 0.6), thirds("here", "balanced", (0.3, 0.3, 0.4), 0.01))
    found = verdicts(*rows, retired="gone")
    assert found["model_id"].to_list() == ["here", "gone"]
    assert found["is_judged"].to_list() == [True, False]
    assert band_title(found) == "one_model"


def test_the_idle_and_shared_cost_of_a_model_is_that_of_all_its_phases_to_the_night() -> None:
    def phase(name: str, idle: int, shared: int, as_of: date = NIGHT) -> dict[str, Any]:
        return {"as_of": as_of, "model_id": "m", "phase": name, "idle_share_usd": Decimal(idle),
                "shared_share_usd": Decimal(shared)}  # fmt: skip

    lifecycle = (phase("pretraining", 5, 2), phase("inference", 30, 1), phase("inference", 400, 400, OCTOBER))
    rows = (thirds("m", "balanced", (0.3, 0.3, 0.4), 0.01), thirds("bare", "balanced", (0.3, 0.3, 0.4), 0.01))
    found = verdicts(*rows, lifecycle=lifecycle)
    # 5 + 2 + 30 + 1; nothing is said of a model that has no row
    assert dict(found.select("model_id", "overhead_usd").iter_rows()) == {"m": Decimal(38), "bare": None}


def spend(day: date, usd: int, cost_class: str = "adjustment") -> dict[str, Any]:
    is_direct = cost_class in {"pretraining", "inference"}
    return {
        "charge_date": day, "account": "direct" if is_direct else cost_class,
        "phase": cost_class if is_direct else None, "model_id": "m" if is_direct else None, "currency": "USD",
        "effective_usd": Decimal(usd),
    }  # fmt: skip


def persistence(*rows: dict[str, Any], night: date) -> dict[str, str]:
    settings = pl.DataFrame({"as_of": [night]})
    row = {"as_of": night, "month": OCTOBER, "period_end": NOVEMBER, "previous_month": date(2026, 9, 1),
           "known_days": 31}  # fmt: skip
    models = pl.DataFrame({"model_id": ["m"], "owner": [None]}, schema_overrides={"owner": pl.String})
    found = movers(settings, pl.DataFrame([row]), table("daily_spend", *rows), table("demand_states"), models)
    return dict(found.select("cost_class", "persistence").iter_rows())


def test_a_credit_of_one_month_does_not_last_and_training_of_every_month_does() -> None:
    months = (date(2026, 9, 10), date(2026, 10, 10), date(2026, 11, 10))
    training = [spend(day, usd, "pretraining") for day, usd in zip(months, (100, 300, 200), strict=True)]
    found = persistence(spend(months[1], -600), *training, night=date(2026, 11, 20))
    # −600 in October and nothing in November; 300 in October and 200 in two thirds of November
    assert found == {"adjustment": "reversed", "pretraining": "lasts"}


def test_before_a_week_of_later_days_only_cost_of_both_months_lasts() -> None:
    training = [spend(date(2026, month, 10), 100 * month, "pretraining") for month in (9, 10)]
    found = persistence(spend(date(2026, 10, 10), -600), *training, night=date(2026, 11, 2))
    assert found == {"adjustment": "new", "pretraining": "lasts"}


def drivers(**changes: int) -> pl.DataFrame:
    return pl.DataFrame({"driver": list(changes), "change_usd": [Decimal(usd) for usd in changes.values()]})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"volume": 210, "one_off": -232, "efficiency": -119}, "level_cancelling"),
        ({"volume": 20, "one_off": -232}, "level_two"),
        ({"volume": 20, "price": 3}, "level_one"),
    ],
)
def test_a_level_month_names_the_largest_of_each_sign(changes: dict[str, int], code: str) -> None:
    row, metrics = {"previous_month": date(2026, 9, 1)}, {"previous_direction": "flat"}
    assert bridge_title(row, metrics, drivers(**changes), has_forecast=True) == code


def test_an_invoice_that_states_no_total_ties_nothing_out() -> None:
    bill = {"billing_period_start": OCTOBER, "currency": "USD", "charges": 5, "is_reconciled": True}
    silent = checks(table("reconciliation", bill))
    assert (silent["invoices"]["code"], silent["invoices"]["of"]) == ("no_total_stated", 0)
    stated = checks(table("reconciliation", bill, bill | {"invoice_id": "b", "invoice_total": ZERO}))
    assert (stated["invoices"]["code"], stated["invoices"]["counted"], stated["invoices"]["of"]) == ("tied", 1, 1)


def checks(bills: pl.DataFrame, usage: pl.DataFrame | None = None, files: pl.DataFrame | None = None) -> dict[str, Any]:
    month = pl.DataFrame({"month": [OCTOBER], "unallocated_usd": [ZERO], "effective_usd": [Decimal(100)]})
    tokens = CATALOGUE["token_usage"].empty() if usage is None else usage
    known = CATALOGUE["files"].empty() if files is None else files
    found = quality_checks(month, bills, tokens, known, CATALOGUE["quarantine"].empty())
    return {row["check"]: row for row in found.to_dicts()}


def test_no_telemetry_no_tokens_and_tokens_of_unknown_models_are_three_things() -> None:
    bills, delivered = table("reconciliation"), pl.DataFrame({"kind": ["request_telemetry"]})
    unmatched = pl.DataFrame({"model_id": [None], "input_tokens": [7], "output_tokens": [3], "units": [0.0]},
                             schema_overrides={"model_id": pl.String})  # fmt: skip
    codes = [
        checks(bills)["model_coverage"]["code"],
        checks(bills, files=delivered)["model_coverage"]["code"],
        checks(bills, unmatched, delivered)["model_coverage"]["code"],
    ]
    assert codes == ["no_telemetry", "nothing_served", "unmatched"]


def test_where_nothing_could_be_valued_nothing_to_change_is_not_said() -> None:
    empty = CATALOGUE["recommendations"].empty(), CATALOGUE["candidates"].empty()
    found = pl.DataFrame({"check": ["ledger", "model_coverage"], "code": ["equal", "covered"]})
    runs, none = CATALOGUE["training_runs"].empty(), CATALOGUE["usage_gaps"].empty()
    own = table("models", {"model_id": "owl", "origin": "own"})
    ruled = {"effective_usd": Decimal(100), "unallocated_usd": Decimal(50)}
    assert decision_case(*empty, found, runs, none, own, ruled) == ("nothing_valued", "training_logs")
    valued = pl.DataFrame({"monthly_saving_usd_p50": [Decimal(-5)]})
    assert decision_case(empty[0], valued, found, runs, none, own, ruled) == ("nothing_needed", None)
    gap = table("usage_gaps", {"model_id": "owl", "code": "no_requests"})
    assert decision_case(empty[0], valued, found, runs, gap, own, ruled) == ("usage_gap", "no_requests")
    unruled = ruled | {"unallocated_usd": Decimal(51)}
    assert decision_case(empty[0], valued, found, runs, none, own, unruled) == ("nothing_valued", "rules")
    assert decision_case(*empty, found, runs, gap, own, ruled) == ("nothing_valued", "training_logs")


def test_a_company_that_trains_nothing_waits_for_an_evaluation_and_not_for_logs() -> None:
    empty = (CATALOGUE[name].empty() for name in ("recommendations", "candidates"))
    equal = pl.DataFrame({"check": ["ledger", "model_coverage"], "code": ["equal", "covered"]})
    no_runs, no_gaps = (CATALOGUE[name].empty() for name in ("training_runs", "usage_gaps"))
    bought = table("models", {"model_id": "gpt", "origin": "adopted"}, {"model_id": "claude", "origin": "adopted"})
    ruled = {"effective_usd": Decimal(100), "unallocated_usd": Decimal(0)}
    assert decision_case(*empty, equal, no_runs, no_gaps, bought, ruled) == ("nothing_valued", "evaluations")


def test_cost_without_a_rule_goes_before_what_was_served() -> None:
    now = {"effective_usd": Decimal(100), "unallocated_usd": Decimal(100), "tokens": 0, "units": 0.0}
    assert summary_title(now, Decimal(100), {}, "no_telemetry", "nothing_valued", "bills")[0] == "unattributed"
    trained = now | {"unallocated_usd": ZERO}
    title = summary_title(trained, Decimal(100), {"pretraining": Decimal(100)}, "unmatched", "nothing_needed", None)
    assert title == ("nothing_served", "unmatched")
