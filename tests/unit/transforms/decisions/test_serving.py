"""Chips: what a deployment needs, what a pool can give back, and what latency costs."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from transforms.compute import CHIPS
from transforms.decisions.law.architectures import nearest
from transforms.decisions.supply.fleet import MonthPart, PoolDemand, PoolSupply
from transforms.decisions.supply.roofline import Replica, Shape, least_gpus
from transforms.decisions.supply.serving_plan import Limits, Load, cheapest
from transforms.decisions.supply.serving_price import least_serving_usd, size_price_ratio
from transforms.decisions.supply.serving_states import serving_states

if TYPE_CHECKING:
    from conftest import Company, TableOf

EIGHT = Shape(8e9, 8e9, 131_072)
NIGHT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def test_a_small_batch_waits_for_memory_and_a_large_one_for_compute() -> None:
    replica = Replica(CHIPS["H100"], 1)
    # 16 GB of weights over 3.35e12 × 0.6 bytes a second: 8.0 ms; 2 × 8e9 × 2000 FLOP over 989e12 × 0.45: 71.9 ms
    assert float(replica.step_s(EIGHT, 1, 0)) == pytest.approx(0.00796, rel=1e-3)
    assert float(replica.step_s(EIGHT, 2000, 0)) == pytest.approx(0.0719, rel=1e-3)


def test_a_model_takes_a_power_of_two_of_chips_that_hold_its_weights() -> None:
    # 70e9 × 2 bytes × 1.25 / (80e9 × 0.9) = 2.4, so 4; 8e9: 0.28, so 1
    assert least_gpus("H100", Shape(70e9, 70e9, 0)) == 4
    assert least_gpus("H100", EIGHT) == 1
    assert least_gpus("an unknown chip", EIGHT) is None


def test_a_limit_on_the_time_per_token_costs_chips() -> None:
    load = Load("H100", 20_000, 20_000, 1000, 1500)
    free = cheapest(load, EIGHT, Limits())
    fast = cheapest(load, EIGHT, Limits(tpot_s=0.009))

    assert free is not None
    assert fast is not None
    assert fast.tpot_s <= 0.009
    assert fast.tpot_s < free.tpot_s
    assert fast.gpus(1) > free.gpus(1)


def test_a_limit_that_no_chip_can_keep_has_no_plan() -> None:
    assert cheapest(Load("H100", 1, 1, 1000, 1500), EIGHT, Limits(tpot_s=1e-6)) is None


def test_a_size_is_priced_by_its_parameters_where_nothing_is_measured() -> None:
    position = {"active_params": 70e9, "params": 70e9, "gpu_model": None, "concurrency": None}

    assert size_price_ratio(position, 7e9) == 0.1


def test_long_contexts_make_a_smaller_model_less_cheap() -> None:
    measured = {"active_params": 70e9, "params": 70e9, "gpu_model": "H100", "gpu_count": 4, "concurrency": 32}

    short = size_price_ratio({**measured, "context_tokens": 100}, 7e9)
    long = size_price_ratio({**measured, "context_tokens": 100_000}, 7e9)

    assert short == pytest.approx(0.1, rel=0.05)
    assert long > 0.15


def test_the_least_a_deployment_costs_is_its_fewest_chips_for_a_month() -> None:
    position = {"gpu_model": "H100", "usd_per_gpu_hour": 2.0}

    assert least_serving_usd(position, 70e9) == pytest.approx(4 * 2 * 730.5)


@pytest.mark.parametrize(("params", "layers", "width"), [(8.03e9, 32, 4096), (70.6e9, 80, 8192)])
def test_sizes_snap_to_layers_and_widths_that_are_built(params: float, layers: int, width: int) -> None:
    shape = nearest(params)

    assert shape.params == pytest.approx(params, rel=0.03)
    assert shape.width / shape.layers == pytest.approx(width / layers, rel=0.15)


def bill_pool(company: Company, gpus: int, **charge: object) -> None:
    """Two weeks of the bill of the pool `p`: so many GPUs at 2 dollars an hour."""
    known = {"is_pooled": True, "has_gpu_time": True, "is_listed": False, "pool_id": "p", "charge_category": "Usage"}
    for back in range(1, 15):
        day = NIGHT.date() - dt.timedelta(days=back)
        hours = Decimal(24 * gpus)
        company.add("billed_days", charge_day=day, gpu_hours=hours, effective_cost=2 * hours, **known, **charge)


def deployed(company: Company, gpus: float, **deployment: object) -> Company:
    """The large model on so many H100 of the pool `p`, with an hour of 3,600,000 tokens in and out each."""
    row = {"deployment_id": "d", "model_id": "large", "pool_id": "p", "gpu_count": gpus}
    company.add("deployments", **{**row, **deployment}).add("pools", pool_id="p", gpu_model="H100", gpu_count=gpus)
    company.add("daily_spend", account="direct", phase="inference", model_id="large", effective_usd=2, gpu_seconds=3600)
    company.rows["billed_days"] = []  # the pool pays, no charge names the model
    bill_pool(company, int(gpus))
    for back in range(1, 29):
        hour = NIGHT - dt.timedelta(hours=back)
        counts = {"input_tokens": 3_600_000, "output_tokens": 3_600_000, "requests": 3600, "duration_s_sum": 36000.0}
        company.add(
            "token_usage", hour=hour, model_id="large", deployment_id="d", status="ok", concurrency_mean=10.0, **counts
        )
        company.add(
            "pool_uses", pool_id="p", hour=hour, user_kind="deployment", user_id="d", weight=10**12, is_billed=True
        )
    return company


def tuning(company: Company) -> dict[str, Any]:
    """The alternative to tune the deployment."""
    return company.decide("candidates").filter(pl.col("action") == "tune_serving").row(0, named=True)


def test_a_deployment_with_more_chips_than_its_busy_hours_need_is_tuned(outgrown: Company) -> None:
    # 1,000 tokens a second in and out of a 70B: prompts 0.31 and decoding about as much of the seconds of 1 copy of 4
    row = tuning(deployed(outgrown, 64))
    said = json.loads(row["assumptions"])

    assert said["gpus_planned"] < 20
    assert said["gpus_freed"] == 64 - said["gpus_planned"]
    assert float(row["monthly_saving_usd_p50"]) == pytest.approx(said["gpus_freed"] * 2 * 730.5, rel=0.02)


def test_a_row_of_telemetry_is_the_work_of_the_hours_up_to_the_next(table_of: TableOf) -> None:
    # 21,600,000 tokens in at 0, 6, 12 and 18 h of four weeks: 1,000 a second, and not 6,000
    row = {"deployment_id": "d", "model_id": "large", "source": "gateway", "status": "ok", "requests": 21_600}
    hours = [NIGHT - dt.timedelta(hours=6 * back) for back in range(1, 4 * 28 + 1)]
    usage = [row | {"hour": hour, "input_tokens": 21_600_000, "concurrency_mean": 60.0} for hour in hours]
    single = [one | {"hour": one["hour"].replace(hour=6)} for one in usage[::4]]
    tables = [table_of("deployments", [{"deployment_id": "d", "model_id": "large"}]), table_of("pool_states", [])]
    settings = table_of("settings", [{"as_of": NIGHT.date() - dt.timedelta(days=1), "night_end": NIGHT}])

    state, daily = (
        serving_states(settings, tables[0], table_of("token_usage", rows), tables[1]).row(0, named=True)
        for rows in (usage, single)
    )

    assert state["busy_input_tokens_per_s"] == state["computed_input_tokens_per_s"] == pytest.approx(1000)
    assert (state["hours"], state["concurrency"]) == (28 * 24, pytest.approx(10))
    # a row a day may be the sum of a day or a batch of an hour: nobody can tell, and the hour needs more chips
    assert daily["busy_input_tokens_per_s"] == pytest.approx(6000)


def test_a_deployment_that_needs_its_chips_is_left_alone(outgrown: Company) -> None:
    assert tuning(deployed(outgrown, 4))["reason"] == "saves nothing"


def test_the_latency_that_users_need_is_shown_as_a_premium(outgrown: Company) -> None:
    said = json.loads(tuning(deployed(outgrown, 64, tpot_s_limit=0.02))["assumptions"])

    assert said["tpot_s_planned"] <= 0.02
    assert said["latency_premium_usd_a_month"] >= 0


def test_an_unknown_chip_is_asked_for_by_its_pool(outgrown: Company) -> None:
    deployed(outgrown, 64).rows["pools"].clear()

    assert "gpu_model of pool p in pools.csv" in tuning(outgrown)["reason"]


def test_a_shared_deployment_is_not_planned_for_one_of_its_models(outgrown: Company) -> None:
    deployed(outgrown, 64).add("deployments", deployment_id="d", model_id="other", pool_id="p", gpu_count=64)

    assert "serves 2 models at once" in tuning(outgrown)["reason"]
    assert "deployment of its own with its gpu_count in deployments.csv" in tuning(outgrown)["reason"]


def shared(company: Company) -> Company:
    """The large model and another of its family on the same 64 chips, of whose tokens the other serves a third."""
    deployed(company, 64).add("deployments", deployment_id="d", model_id="other", pool_id="p", gpu_count=64)
    company.add("models", model_id="other", params=70e9, family="a", origin="adopted")
    prices = dict.fromkeys(("used_usd_per_mtok", "allocated_usd_per_mtok"), 1)
    company.add("unit_costs", month=dt.date(2026, 10, 1), model_id="other", input_tokens=10**9, **prices)
    company.serve("other", 4e11, 30).expect("other", 4e11, 730)
    company.rows["billed_days"] = [row for row in company.rows["billed_days"] if "pool_id" in row]
    for back in range(1, 29):
        counts = {"input_tokens": 1_800_000, "output_tokens": 1_800_000, "requests": 1800, "status": "ok"}
        company.add("token_usage", hour=NIGHT - dt.timedelta(hours=back), model_id="other", deployment_id="d", **counts)
    return company


def test_a_model_on_shared_chips_is_not_retired_because_they_would_stay(outgrown: Company) -> None:
    rows = shared(outgrown).decide("candidates").filter(pl.col("action") == "retire").sort("model_id")

    assert rows.get_column("model_id").to_list() == ["large", "other"]
    assert rows.get_column("net_present_value_usd_p50").is_null().all()
    assert all("its GPUs stay for the other models" in reason for reason in rows.get_column("reason"))
    assert all("deployments.csv" in reason for reason in rows.get_column("reason"))


def test_shared_chips_count_for_each_model_by_its_tokens(outgrown: Company) -> None:
    # 7.2 and 3.6 million tokens an hour: two thirds and one third of 64
    rows = shared(outgrown).decide("positions").sort("model_id")

    assert rows.get_column("gpu_count").to_list() == pytest.approx([64 * 2 / 3, 64 / 3])


def pool(company: Company, used: float, hours: int = 24 * 28, **charge: object) -> Company:
    """A pool of 10 GPUs at 2 dollars an hour, of which so many were used."""
    company.rows.clear()
    bill_pool(company, 10, **charge)
    for back in range(1, hours + 1):
        hour = {"pool_id": "p", "hour": NIGHT - dt.timedelta(hours=back), "is_billed": True}
        for kind, gpus in (("run", used), ("idle", 10 - used)):
            company.add("pool_uses", user_kind=kind, user_id=kind, weight=round(gpus * 3.6e12), **hour)
    return company


def release(company: Company) -> dict[str, Any]:
    """The alternative to give back a part of the pool."""
    return company.decide("candidates").filter(pl.col("action") == "release_capacity").row(0, named=True)


def test_what_busy_weeks_at_p90_leave_over_is_released(company: Company) -> None:
    # 4 used, at P90 of a spread of 5 %: about 4.2, so 5 of 10 are given back: 5 × 2 × 730.5 = 7,305 a month
    row = release(pool(company, 4.0))

    assert row["is_eligible"]
    assert float(row["monthly_saving_usd_p50"]) == pytest.approx(7305)


def test_what_stands_idle_until_a_launch_is_given_back_until_then(company: Company) -> None:
    # 5 of 10 GPUs are spare, and a launch takes 5 from 22 February, three months ahead: released are a quarter of the
    # first month and all of the second, 1.25 × 5 × 2 × 730.5; what the third would save stays for the launch
    launch = {"deployment_id": "n", "model_id": "next", "pool_id": "p", "gpu_count": 5}
    row = release(pool(company, 4.0).add("deployments", **launch, valid_from=dt.datetime(2027, 2, 22, tzinfo=dt.UTC)))
    said = json.loads(row["assumptions"])

    assert float(row["next_year_saving_usd_p50"]) == pytest.approx(1.25 * 7305)
    assert (said["gpus_released"], said["gpus_released_at_last"]) == (5, 0)
    assert said["needed_again_on"] == "2027-02-22"


def test_what_a_launch_takes_next_week_is_not_given_back(company: Company) -> None:
    launch = {"deployment_id": "n", "model_id": "next", "pool_id": "p", "gpu_count": 5}
    row = release(pool(company, 4.0).add("deployments", **launch, valid_from=dt.datetime(2026, 11, 28, tzinfo=dt.UTC)))

    assert float(row["next_year_saving_usd_p90"]) == 0
    assert row["reason_code"] == "all_in_use"


def used_by_week(company: Company, user: str, weeks: list[float]) -> Company:
    """A deployment of the pool `p` that held so many of its GPUs in each week, the last one first."""
    for back, gpus in enumerate(weeks):
        for hour in range(168):
            moment = NIGHT - dt.timedelta(hours=168 * back + hour + 1)
            held = {"user_kind": "deployment", "user_id": user, "weight": round(gpus * 3.6e12), "is_billed": True}
            company.add("pool_uses", pool_id="p", hour=moment, **held)
    return company


def test_use_that_wandered_may_wander_again(company: Company) -> None:
    pool(company, 0.0)
    # changes of 9 weeks lie ln 2 apart or not at all
    wandered = used_by_week(company, "d", [4.0] * 10 + [2.0] * 10)
    sigma = wandered.decide("pool_states").item(0, "use_sigma")

    # of 19 whole weeks the lag is 9: 9 of the 10 pairs cross the doubling, and 17 weeks go 17/9 as far in variance
    assert sigma == pytest.approx(math.log(2) * math.sqrt(9 / 10 * 17 / 9), rel=1e-6)


def test_that_a_user_left_says_nothing_of_those_who_stay(company: Company) -> None:
    pool(company, 0.0)
    used_by_week(company, "stays", [4.0] * 20)
    used_by_week(company, "left", [0.0] * 6 + [6.0] * 14)

    assert company.decide("pool_states").item(0, "use_sigma") == pytest.approx(0.05)


def test_what_a_full_pool_lacks_is_not_the_cost_of_giving_nothing_back(company: Company) -> None:
    row = release(pool(company, 9.8))

    assert json.loads(row["assumptions"])["gpus_released"] == 0
    assert float(row["net_present_value_usd_p10"]) == 0


def test_a_pool_that_is_used_is_kept(company: Company) -> None:
    assert release(pool(company, 9.8))["reason"] == "its busy hours, or what is announced, need all of it"


def test_one_day_of_bills_releases_nothing(company: Company) -> None:
    assert "24 billed hours" in release(pool(company, 4.0, hours=24))["reason"]


def test_an_end_that_nobody_tells_is_valued_early_and_late(company: Company) -> None:
    row = release(pool(company, 4.0, commitment_discount_id="x"))
    said = json.loads(row["assumptions"])
    early, late = (said[f"net_present_value_usd_p50_if_contracts_end_{when}"] for when in ("early", "late"))

    # with this month, after which 5 GPUs are saved for 11.25 of the 12 months, or after a term of a year, of which
    # nothing is left
    assert early == pytest.approx(7305 * 11.25 * 0.95, rel=0.03)
    assert late < 0.01 * early


def test_a_contract_to_a_known_end_saves_from_then_on_and_says_by_when_to_act(company: Company) -> None:
    pool(company, 4.0, commitment_discount_id="x")
    end = dt.datetime(2027, 5, 22, tzinfo=dt.UTC)
    company.add(
        "billed_days",
        charge_day=dt.date(2026, 5, 22),
        charge_category="Purchase",
        commitment_discount_id="x",
        first_start=dt.datetime(2026, 5, 22, tzinfo=dt.UTC),
        last_end=end,
    )
    row = release(company)

    # six of the twelve months are paid already
    assert float(row["monthly_saving_usd_p50"]) == pytest.approx(7305, rel=0.02)
    assert row["saves_from"] == dt.date(2027, 5, 24)
    assert row["sign_by"] == dt.date(2027, 5, 21)
    assert json.loads(row["assumptions"])["contracts"][0]["ends_on"] == "2027-05-22"


def test_nothing_is_saved_before_the_day_on_which_its_contract_ends(company: Company) -> None:
    # the contract ends on 1 January, in the middle of the month from 22 December on
    pool(company, 4.0, commitment_discount_id="x")
    first, last = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    bought = {"charge_category": "Purchase", "commitment_discount_id": "x", "charge_day": first.date()}
    row = release(company.add("billed_days", **bought, first_start=first, last_end=last))

    assert (row["saves_from"], row["sign_by"]) == (dt.date(2027, 1, 1), dt.date(2026, 12, 31))
    # 5 of 10 GPUs for what is left of twelve months after 40 days: 12 − 40 / 30.4375 = 10.686 months at 7,305
    assert float(row["next_year_saving_usd_p90"]) == pytest.approx(7305 * 10.686, rel=1e-3)


def test_gpus_that_are_used_to_the_end_of_their_contract_and_model_cost_nothing_after_it() -> None:
    # 8 GPUs under contract for half the month, used by 8 in that half: 4 in its mean, which are no demand afterwards
    one, none = np.full((1, 1), 1.0), np.zeros((1, 1))
    halves = [MonthPart(0.5, 8 * one[0], none[0], none[0]), MonthPart(0.5, none[0], 8 * one[0], 2 * one[0])]
    supply = PoolSupply(none, 4 * one, 4 * one, 2 * one, 8 * one, none, 0.0, 3.0, split={0: halves})

    assert PoolDemand(4 * one, none, supply).saved_usd(-4 * one) == 0
    # of 8 in all of the month the second half is avoidable: 0.5 × 8 × 2 × 730.5
    assert PoolDemand(8 * one, none, supply).saved_usd(-8 * one) == pytest.approx(5844)
    # and a half of them saves half of it, not what lies beyond the mean of 4 that are bound
    assert PoolDemand(8 * one, none, supply).saved_usd(-4 * one) == pytest.approx(2922)


def test_nobody_has_to_sign_for_what_saves_before_any_contract_ends(company: Company) -> None:
    # 4 of 10 GPUs are used; half of them are billed by the hour, and the other half is under contract for three years
    pool(company, 4.0)
    half = [row | {"gpu_hours": row["gpu_hours"] / 2, "effective_cost": row["effective_cost"] / 2}
            for row in company.rows["billed_days"]]  # fmt: skip
    company.rows["billed_days"] = half + [row | {"commitment_discount_id": "x"} for row in half]
    first, last = (dt.datetime(year, 5, 22, tzinfo=dt.UTC) for year in (2026, 2029))
    bought = {"charge_category": "Purchase", "commitment_discount_id": "x", "charge_day": first.date()}
    company.add("billed_days", **bought, first_start=first, last_end=last)
    row = release(company)

    # the 5 GPUs billed by the hour are given back: 5 × 2 × 730.5 = 7,305 a month
    assert float(row["monthly_saving_usd_p50"]) == pytest.approx(7305)
    assert row["sign_by"] is None


def test_what_policy_ends_is_given_back_without_a_card(outgrown: Company) -> None:
    # 64 GPUs until 21 January: what is not paid from then on is the company's own plan, and no advice has saved it
    deployed(outgrown, 64, valid_to=dt.datetime(2027, 1, 21, tzinfo=dt.UTC))
    hour = outgrown.rows["pool_uses"][0] | {"weight": round(64 * 3.6e12)}
    outgrown.rows["pool_uses"] = [hour | {"hour": NIGHT - dt.timedelta(hours=back + 1)} for back in range(24 * 8)]
    row = release(outgrown)

    assert not row["is_eligible"]
    assert float(row["monthly_saving_usd_p90"]) == 0


def test_what_stands_on_after_its_model_has_retired_is_given_back(outgrown: Company) -> None:
    # the model has no service ahead, and its 64 GPUs are still in deployments.csv and on the bill: 64 × 2 × 730.5
    outgrown.rows["expected_service"] = []
    outgrown.rows["model_lives"] = []
    deployed(outgrown, 64)
    hour = outgrown.rows["pool_uses"][0] | {"weight": round(64 * 3.6e12), "user_kind": "idle", "user_id": ""}
    outgrown.rows["pool_uses"] = [hour | {"hour": NIGHT - dt.timedelta(hours=back + 1)} for back in range(24 * 8)]

    assert float(release(outgrown)["monthly_saving_usd_p50"]) == pytest.approx(64 * 2 * 730.5)


def test_one_gpu_hour_of_history_is_not_an_error(company: Company) -> None:
    row = release(pool(company, 1.0, hours=1))

    assert not row["is_eligible"]
