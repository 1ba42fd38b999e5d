"""What the invented company wasted, expects and might do: the tables behind pages 2, 5, 7, 8 and the model sheets."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import polars as pl

from bench.report_company import UNIT, Company, Rows, month_at, phase_months, rows_of
from warehouse.schemas import CATALOGUE

TASKS = ("Ticket triage", "Field extraction", "Support answers", "Code review", "Summaries", "Translation", "Search")
SHARES = (0.28, 0.19, 0.14, 0.10, 0.08, 0.06, 0.15)
CAUSES = ("failed", "cancelled", "timeout", "abandoned_sweep")


def _usd(amount: float) -> Decimal:
    return Decimal(repr(amount)).quantize(UNIT)


def variance_bridge(daily_spend: pl.DataFrame, month: object, before: object) -> pl.DataFrame:
    """Every entity's change under one driver."""
    spend = daily_spend.filter(pl.col("account") != "out_of_scope").with_columns(
        month=pl.col("charge_date").dt.truncate("1mo")
    )
    both = spend.filter(pl.col("month").is_in([month, before]))
    cost = pl.col("effective_usd")
    changed = both.group_by("account", "model_id", "phase").agg(
        change_usd=cost.filter(pl.col("month") == month).sum() - cost.filter(pl.col("month") == before).sum()
    )
    driver = (
        pl.when(pl.col("phase").is_in(["pretraining", "posttraining"]))
        .then(pl.lit("one_off"))
        .when(pl.col("account") == "idle")
        .then(pl.lit("efficiency"))
        .when(pl.col("phase") == "inference")
        .then(pl.lit("volume"))
        .otherwise(pl.lit("other"))
    )
    rows = changed.filter(pl.col("change_usd") != 0).with_columns(driver=driver, month=pl.lit(month), days=30)
    return CATALOGUE["variance_bridge"].frame(rows)


def waste(daily_spend: pl.DataFrame) -> pl.DataFrame:
    """Idle and unused cost by pool, and failed training by one of four causes."""
    spend = daily_spend.with_columns(month=pl.col("charge_date").dt.truncate("1mo"))
    keys = ["month", "cause", "model_id", "phase", "pool_id"]
    idle = spend.filter(pl.col("account").is_in(["idle", "commitment_unused"])).with_columns(cause=pl.col("account"))
    place = pl.col("model_id").rank("dense") % len(CAUSES)
    lost = spend.filter(pl.col("is_waste")).with_columns(
        cause=place.cast(pl.Int64).replace_strict(dict(enumerate(CAUSES)), return_dtype=pl.String)
    )
    rows = (
        pl.concat([idle, lost], how="diagonal")
        .group_by(keys)
        .agg(runs=pl.len(), gpu_seconds=pl.col("gpu_seconds").sum(), wasted_usd=pl.col("effective_usd").sum())
    )
    return CATALOGUE["waste"].frame(rows.sort(keys))


def goodput(company: Company) -> pl.DataFrame:
    """Around nine tenths, better of late."""
    rows: Rows = [
        {"month": month_at(place), "runs": 20, "gpu_seconds": 1e9, "wasted_gpu_seconds": 1e9 * (0.16 - 0.006 * place),
         "effective_usd": Decimal(1_000_000), "wasted_usd": Decimal(90_000), "goodput_ratio": 0.84 + 0.006 * place}
        for place in range(company.first_month, 15)
    ]  # fmt: skip
    return rows_of(CATALOGUE["goodput"], rows if company.has_bill else [])


def run_spend(company: Company) -> pl.DataFrame:
    """One failed run a model and month of training."""
    rows: Rows = []
    for life in company.lives if company.has_bill else ():
        for phase, months in phase_months(life).items():
            for place, amount in months.items() if phase != "inference" else ():
                rows.append({
                    "month": month_at(place), "run_id": f"{life.name}-{phase}-{place}", "run_name": f"{phase}-{place}",
                    "model_id": life.name, "phase": phase, "pool_id": "h100", "status": CAUSES[place % 3],
                    "gpu_seconds": float(amount) / 2.5 * 3600, "effective_usd": amount, "cause": CAUSES[place % 4],
                    "wasted_ratio": 0.08, "wasted_usd": (amount * Decimal("0.08")).quantize(UNIT),
                })  # fmt: skip
    return rows_of(CATALOGUE["run_spend"], rows)


def task_shares(company: Company) -> pl.DataFrame:
    """Seven tasks of each model that serves."""
    return rows_of(CATALOGUE["task_shares"], [
        {"as_of": company.night, "model_id": life.name, "task": task, "tokens": 1e11 * share, "share_ratio": share,
         "share_sigma": 0.02, "weeks": 12}
        for life in company.lives if life.released is not None and company.has_bill
        for task, share in zip(TASKS, SHARES, strict=True)
    ])  # fmt: skip


def task_demand(company: Company) -> pl.DataFrame:
    """The same tasks over the four weeks to come: a twentieth more of each, a tenth less or more."""
    wanted = [(life.name, task, 1.05e11 * share) for life in company.lives if life.released is not None
              and company.has_bill for task, share in zip(TASKS, SHARES, strict=True)]  # fmt: skip
    return rows_of(CATALOGUE["task_demand"], [
        {"as_of": company.night, "model_id": name, "task": task, "production_unit": "tokens", "days": 28,
         "recent": tokens / 1.05, "share_ratio": tokens / 1.05e11, "share_sigma": 0.02, "weeks": 4, "folds": 9,
         "basis": "back_tested", "sigma": 0.08, "expected_p10": 0.9 * tokens, "expected_p50": tokens,
         "expected_p90": 1.1 * tokens, "mape_ratio": 0.064, "repeat_mape_ratio": 0.09, "coverage_ratio": 7 / 9}
        for name, task, tokens in wanted
    ])  # fmt: skip


def workloads(company: Company) -> pl.DataFrame:
    """Three tasks on which the smallest model was compared with its teacher."""
    return rows_of(CATALOGUE["workloads"], [
        {"task": task, "student_model_id": company.lives[-1].name, "quality_metric": "accuracy",
         "teacher_quality": 0.95, "student_quality": 0.95 * kept, "measured_on": company.night}
        for task, kept in zip(TASKS, (0.989, 0.994, 0.91), strict=False)
    ])  # fmt: skip


def iso_loss(company: Company) -> pl.DataFrame:
    """Sizes from a third to twice of each own model: training grows to the left, serving to the right."""
    rows: Rows = []
    for life in company.lives if company.has_bill else ():
        if life.origin == "adopted" or life.released is None:
            continue
        base = float(sum(phase_months(life)["pretraining"].values())) + 1
        for step in range(25):
            size = 0.3 * 7 ** (step / 24)
            training, serving = base * (0.55 + 0.35 / size**1.6), base * 2.1 * size**1.05
            point = {12: "now", 8: "optimum"}.get(step, "curve")
            rows.append({
                "as_of": company.night, "model_id": life.name, "params": life.params * size, "tokens": 2e12,
                "training_usd": _usd(training), "serving_usd": _usd(serving), "total_usd": _usd(training + serving),
                "point": point, "is_extrapolated": step > 21,
            })  # fmt: skip
    return rows_of(CATALOGUE["iso_loss"], rows)


def positions(company: Company) -> pl.DataFrame:
    """Every model with two years of service ahead; those never released have not served."""
    known = {"training_price_basis": "its own pre-training", "demand_basis": "smoothing", "life_basis": "retires_on"}
    return rows_of(CATALOGUE["positions"], [
        {"as_of": company.night, "model_id": life.name, "origin": life.origin, "params": life.params,
         "active_params": life.params, "served_tokens": 0.0, "served_days": 0 if life.released is None else 200,
         "demand_blocks": 3.0, "daily_tokens": 1e9, "remaining_months": 24.0, "price_sigma": 0.15, "price_months": 6,
         "monthly_inference_usd": Decimal(life.inference[0] // 12), "recent_tokens": 28e9,
         "recent_requests": 20_000_000, "is_telemetry_delivered": True, "is_training_tokens_disputed": False, **known}
        for life in (company.lives if company.has_bill else ())
    ])  # fmt: skip


def candidates(company: Company) -> pl.DataFrame:
    """What is not known of adopted models; the valued alternatives are left out, no page reads them."""
    words = "its training tokens are unknown: give training_tokens in models.csv or log its runs"
    return rows_of(CATALOGUE["candidates"], [
        {"as_of": company.night, "model_id": life.name, "action": "retrain_smaller", "is_measured": True,
         "is_extrapolated": False, "is_eligible": False, "quality_gate": "none: nothing changes", "reason": words,
         "reason_code": "not_valued", "assumptions": "{}"}
        for life in (company.lives if company.has_bill else ())
        if life.origin == "adopted"
    ])  # fmt: skip


def lifetime_optimum(company: Company) -> pl.DataFrame:
    """A smaller size would serve the rest."""
    return rows_of(CATALOGUE["lifetime_optimum"], [
        {"as_of": company.night, "model_id": life.name, "law_id": "epoch", "loss": 2.0, "params": life.params,
         "tokens": 2e12, "optimum_params_p10": life.params * 0.45, "optimum_params_p50": life.params * 0.574,
         "optimum_params_p90": life.params * 0.7, "optimum_tokens_p50": 3e12, "buildable_params": life.params * 0.55,
         "buildable_layers": 48, "buildable_width": 6144, "effective_demand_tokens_p50": 9e12,
         "effective_demand_ratio": 8.0, "is_equal_split_near": True, "saving_ratio_p10": 0.08, "saving_ratio_p50": 0.21,
         "saving_ratio_p90": 0.3, "is_extrapolated": False}
        for life in company.lives if life.origin == "own" and life.released is not None and company.has_bill
    ])  # fmt: skip


def cash_curves(company: Company, recommendations: pl.DataFrame) -> pl.DataFrame:
    """Down by the one-off cost, then up."""
    rows: Rows = []
    for row in recommendations.filter(pl.col("action") != "hold").to_dicts():
        for month in range(23):
            cash = {
                p: -row["one_off_usd_p50"] + row[f"monthly_saving_usd_p{p}"] * max(month - 2, 0) for p in (10, 50, 90)
            }
            rows.append({
                "as_of": company.night, "model_id": row["model_id"], "task": None, "pool_id": row["pool_id"],
                "deployment_id": None, "action": row["action"], "target": "39 B", "is_recommended": True,
                "month": month, **{f"cash_usd_p{p}": amount for p, amount in cash.items()},
            })  # fmt: skip
    return rows_of(CATALOGUE["cash_curves"], rows)


def recommended_totals(company: Company, recommendations: pl.DataFrame) -> pl.DataFrame:
    """Both together, as joint draws would say."""
    acted = recommendations.filter(pl.col("action") != "hold")
    if not acted.height:
        return CATALOGUE["recommended_totals"].empty()
    return rows_of(CATALOGUE["recommended_totals"], [{
        "as_of": company.night, "decisions": acted.height, "one_off_usd_p50": Decimal(1_450_000),
        "monthly_saving_usd_p10": Decimal(290_000), "monthly_saving_usd_p50": Decimal(432_000),
        "monthly_saving_usd_p90": Decimal(561_000), "next_year_saving_usd_p10": Decimal(2_900_000),
        "next_year_saving_usd_p50": Decimal(4_320_000), "next_year_saving_usd_p90": Decimal(5_610_000),
        "next_year_paid_usd_p50": Decimal(20_600_000), "run_rate_paid_usd": Decimal(14_800_000),
        "net_present_value_usd_p10": Decimal(2_100_000),
        "net_present_value_usd_p50": Decimal(4_300_000), "net_present_value_usd_p90": Decimal(6_700_000),
    }])  # fmt: skip


def demand_states(company: Company) -> pl.DataFrame:
    """What all models together will cost to serve, as known on the morning after the night."""
    known_on = company.night + timedelta(days=1)
    factor = float(max(company.factor, Decimal(0)))
    rows: Rows = [
        {"known_on": known_on, "model_id": "*", "quantity": "inference_usd", "method": "smoothing",
         "history_days": 320, "unseen_days": 0, "level": 118_000.0 * factor,
         "trend": 350.0 * factor, "season": [1.0] * 7, "sigma": 0.07,
         "day_sigmas": [0.1] * 4, "folds": 9, "mape_ratio": 0.061, "naive_mape_ratio": 0.09, "coverage_ratio": 0.78}
    ]  # fmt: skip
    return rows_of(CATALOGUE["demand_states"], rows if company.has_bill else [])
