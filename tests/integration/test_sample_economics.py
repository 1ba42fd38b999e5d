"""The economics of the invented company, computed a second time from its plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.sample_truth import Truth, truth
from warehouse.sample.company import next_month
from warehouse.sample.plan import quillmere

CENT = 0.01
STOPPED = ("failed", "cancelled", "timeout")
DAYS_OF_18_MONTHS = round(18 * 365.25 / 12)


@pytest.fixture(scope="module")
def tables(sample_night: Path) -> Mapping[str, pl.DataFrame]:
    names = ("thirds", "amortization", "estimate_changes", "waste", "daily_service", "demand_states", "spend_outlook")
    with duckdb.connect(str(sample_night / "var" / "warehouse.duckdb"), read_only=True) as connection:
        return {name: connection.sql(f"from economics.{name}").pl() for name in names}


@pytest.fixture(scope="module")
def expected() -> Truth:
    return truth(quillmere())


def training(expected: Truth, model_id: str) -> dict[date, float]:
    """What a model's training that did not fail cost, by month."""
    own = expected.spend.filter(
        pl.col("account") == "direct", pl.col("model_id") == model_id, ~pl.col("is_waste"),
        pl.col("phase").is_in(["pretraining", "posttraining"]),
    )  # fmt: skip
    return dict(own.group_by("month").agg(pl.col("effective_usd").sum()).iter_rows())


def test_models_on_somebody_elses_base_have_no_pretraining_of_their_own(tables: Mapping[str, pl.DataFrame]) -> None:
    models = {model.model_id: model for model in quillmere().models}

    def is_adopted(model_id: str) -> bool:
        model = models[model_id]
        return model.origin == "adopted" or bool(model.base_model_id and is_adopted(model.base_model_id))

    said = tables["thirds"].filter(pl.col("status") == "no_own_pretraining")["model_id"]
    assert set(said) == {model_id for model_id in models if is_adopted(model_id)}
    assert tables["thirds"]["model_id"].n_unique() == len(models)


def test_only_the_model_released_last_is_too_young_to_judge(tables: Mapping[str, pl.DataFrame]) -> None:
    youngest = max(quillmere().models, key=lambda model: model.released_on)
    young = tables["thirds"].filter(pl.col("status") == "too_young")
    assert young["model_id"].to_list() == [youngest.model_id]
    low, high = young.select("projected_penalty_ratio_p10", "projected_penalty_ratio_p90").row(0)
    assert low < 0.10 < high


def test_what_is_left_of_a_model_carried_by_tokens_is_what_it_has_not_served(
    tables: Mapping[str, pl.DataFrame], expected: Truth
) -> None:
    # lives.csv expects 4.6 × 10¹² tokens of heron-16b; nobody descends from it
    tokens = pl.col("input_tokens") + pl.col("output_tokens")
    counted = expected.tokens.filter(pl.col("model_id") == "heron-16b", pl.col("status") != "pending")
    served = dict(counted.group_by("month").agg(tokens.sum()).iter_rows())
    added, balance, left = training(expected, "heron-16b"), 0.0, 4.6e12
    for month in sorted({*added, *served}):
        balance += added.get(month, 0.0)
        balance -= balance * served.get(month, 0) / left
        left -= served.get(month, 0)
    last = tables["amortization"].filter(pl.col("model_id") == "heron-16b").sort("month").row(-1, named=True)
    assert float(last["closing_usd"]) == pytest.approx(balance, abs=CENT)
    assert (last["basis"], float(sum(added.values())) > balance > 0) == ("policy", True)


def test_retirement_strands_what_eighteen_months_had_not_carried(
    tables: Mapping[str, pl.DataFrame], expected: Truth
) -> None:
    # wren-7b serves from its first request to its retirement on 31 August 2026, straight line over 18 months
    model = next(model for model in quillmere().models if model.model_id == "wren-7b")
    first = tables["daily_service"].filter(pl.col("model_id") == "wren-7b", pl.col("requests") > 0)["day"].min()
    assert isinstance(first, date)
    assert first == date.fromisoformat(model.released_on)
    end, added = first + timedelta(days=DAYS_OF_18_MONTHS), training(expected, "wren-7b")
    month, balance, carried = min(added).replace(day=1), 0.0, 0.0
    while month <= date.fromisoformat(model.retires_on):
        balance += added.get(month, 0.0)
        start, following = max(month, first), next_month(month)
        share = max((following - start).days, 0) / (end - start).days
        balance, carried, month = balance * (1 - share), carried + balance * share, following
    rolled = tables["amortization"].filter(pl.col("model_id") == "wren-7b").sort("month")
    assert float(rolled["written_off_usd"].sum()) == pytest.approx(balance, abs=CENT)
    assert float(rolled["amortized_usd"].sum()) == pytest.approx(carried, abs=CENT)
    assert float(rolled["closing_usd"][-1]) == 0
    gone = tables["estimate_changes"].filter(pl.col("cause") == "retired")
    assert gone.select("changed_on", "model_id").rows() == [(date.fromisoformat(model.retires_on), "wren-7b")]


def test_every_roll_forward_closes_on_what_the_plan_trained(
    tables: Mapping[str, pl.DataFrame], expected: Truth
) -> None:
    # additions of all models: what heirs take over leaves their base, so the sum is all training that did not fail
    names = {model.model_id for model in quillmere().models}
    trained = sum(sum(training(expected, name).values()) for name in names)
    sums = tables["amortization"].select(
        pl.col("additions_usd", "amortized_usd", "written_off_usd").sum().cast(pl.Float64)
    )
    added, carried, stranded = sums.row(0)
    last = tables["amortization"].filter(pl.col("month") == pl.col("month").max())
    assert added == pytest.approx(trained, abs=CENT)
    assert float(last["closing_usd"].sum()) == pytest.approx(added - carried - stranded, abs=CENT)


def test_stopped_runs_are_waste_by_the_cause_that_the_plan_gives_them(
    tables: Mapping[str, pl.DataFrame], expected: Truth
) -> None:
    # a cancelled run among several of one sweep is an abandoned sweep; both are cancelled in the plan
    waste = tables["waste"].with_columns(
        status=pl.col("cause").replace({"abandoned_sweep": "cancelled"})
    ).filter(pl.col("status").is_in(STOPPED))  # fmt: skip
    found = dict(waste.group_by("status").agg(pl.col("gpu_seconds").sum()).iter_rows())
    planned = {
        status: sum(run.gpus * run.hours * 3600 for run in runs)
        for status in STOPPED
        if (runs := [run for run in quillmere().runs if run.status == status])
    }
    assert found == pytest.approx(planned)
    failed = expected.spend.filter("is_waste")["effective_usd"].sum()
    assert float(waste["wasted_usd"].sum()) == pytest.approx(failed, abs=CENT)


@pytest.mark.parametrize("account", ["idle", "commitment_unused"])
def test_capacity_that_bought_nothing_is_waste_month_by_month(
    tables: Mapping[str, pl.DataFrame], expected: Truth, account: str
) -> None:
    planned = expected.spend.filter(pl.col("account") == account, pl.col("effective_usd").abs() > CENT)
    months = dict(planned.group_by("month").agg(pl.col("effective_usd").sum()).iter_rows())
    rows = tables["waste"].filter(pl.col("cause") == account)
    found = dict(rows.group_by("month").agg(pl.col("wasted_usd").sum().cast(pl.Float64)).iter_rows())
    assert found == pytest.approx(months, abs=1.0)


def test_forecasts_end_with_the_last_day_that_is_told(tables: Mapping[str, pl.DataFrame]) -> None:
    # the sample ends with its plan: every day to the night is told
    latest = tables["demand_states"].filter(pl.col("known_on") == pl.col("known_on").max())
    assert set(latest["unseen_days"]) == {0}
    assert set(tables["spend_outlook"]["unseen_days"]) == {0}
    assert latest["known_on"][0] == quillmere().end.date()
