"""What GPUs cost from now on, contract by contract, and who needs them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from transforms.decisions.supply.pool_users import pool_users
from transforms.decisions.supply.supply import contract_ends, supply

if TYPE_CHECKING:
    from conftest import TableOf

NIGHT = dt.date(2026, 11, 21)
END = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
MONTH = 730.5


def bill(gpus: float, **charge: object) -> list[dict[str, Any]]:
    """A week of the bill of the pool `p`: so many GPUs at 2 dollars an hour."""
    hours = Decimal(str(gpus * 24))
    row = {"pool_id": "p", "charge_category": "Usage", "gpu_hours": hours, "effective_cost": 2 * hours, "source": "b"}
    return [row | {"charge_day": NIGHT - dt.timedelta(days=back)} | charge for back in range(7)]


def fee(name: str, start: dt.date, end: dt.date) -> dict[str, Any]:
    """A fee without a tag of any pool, as fees are."""
    first, last = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (start, end))
    named = {"charge_category": "Purchase", "commitment_discount_id": name, "source": "b"}
    return named | {"charge_day": start, "first_start": first, "last_end": last}


def supplied(
    table_of: TableOf, charges: list[dict[str, Any]], **tables: list[dict[str, Any]]
) -> dict[tuple[str, str | None], list[dict[str, Any]]]:
    """Months of supply of the pool `p` by kind and commitment."""
    settings = table_of("settings", [{"as_of": NIGHT, "night_end": END}])
    others = {
        name: table_of(name, tables.get(name, [])) for name in ("pool_states", "commitment_terms", "assets", "fx")
    }
    rows = supply(settings, table_of("billed_days", charges), **others)
    found: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for row in rows.sort("months_ahead").to_dicts():
        found.setdefault((row["supply_kind"], row["commitment_discount_id"]), []).append(row)
    return found


def test_what_is_billed_by_the_hour_can_all_be_left_unpaid(table_of: TableOf) -> None:
    first = supplied(table_of, bill(10))["on_demand", None][0]

    assert first["gpu_hours"] == pytest.approx(10 * MONTH)
    assert float(first["usd"]) == float(first["avoidable_usd"]) == pytest.approx(14610)
    assert (first["month"], first["is_rate_assumed"]) == (dt.date(2026, 11, 22), False)


def test_a_fee_without_a_tag_is_joined_by_the_id_on_the_usage(table_of: TableOf) -> None:
    rows = supplied(
        table_of, [*bill(10, commitment_discount_id="x"), fee("x", dt.date(2026, 7, 1), dt.date(2029, 6, 1))]
    )

    assert rows["committed", "x"][0]["ends_on"] == dt.date(2029, 6, 1)
    assert all(float(row["avoidable_usd"]) == 0 for row in rows["committed", "x"][:30])


def test_each_of_three_commitments_lasts_to_its_own_end(table_of: TableOf) -> None:
    ends = {"x": dt.date(2026, 12, 22), "y": dt.date(2027, 5, 22), "z": dt.date(2029, 1, 1)}
    charges = [row for name in ends for row in bill(4, commitment_discount_id=name)]
    rows = supplied(table_of, charges + [fee(name, dt.date(2026, 1, 1), end) for name, end in ends.items()])
    bound = {name: sum(row["paid_ratio_latest"] > 0 for row in rows["committed", name]) for name in ends}

    assert bound == {"x": 1, "y": 6, "z": 26}


def test_a_monthly_fee_does_not_tell_the_end(table_of: TableOf) -> None:
    rows = supplied(
        table_of, [*bill(10, commitment_discount_id="x"), fee("x", dt.date(2026, 11, 1), dt.date(2026, 12, 1))]
    )
    first = rows["committed", "x"][0]

    assert (first["ends_on"], first["ends_on_earliest"], first["end_basis"]) == (None, dt.date(2026, 12, 1), "assumed")
    assert first["ends_on_latest"] == dt.date(2027, 11, 22)


@pytest.mark.parametrize(("days", "tells"), [(35, False), (36, True)])
def test_a_fee_that_covers_more_than_a_month_and_some_days_tells_the_end(
    table_of: TableOf, days: int, *, tells: bool
) -> None:
    start = dt.date(2026, 11, 10)
    end = start + dt.timedelta(days=days)
    contract = contract_ends(
        table_of("billed_days", [*bill(1, commitment_discount_id="x"), fee("x", start, end)]),
        table_of("commitment_terms", []),
        NIGHT,
    )["x"]

    assert (contract.basis, contract.latest == end) == ("bill" if tells else "assumed", tells)


def test_what_a_pool_holds_is_read_from_a_week_and_its_price_from_four(table_of: TableOf) -> None:
    """Ten GPUs in the last week, twenty in the three before and forty in those before them, dearer each time."""

    def day(back: int) -> dict[str, Any]:
        gpus, rate = (10, 2) if back < 7 else (20, 3) if back < 28 else (40, 9)
        hours = Decimal(gpus * 24)
        return bill(1)[0] | {
            "charge_day": NIGHT - dt.timedelta(days=back), "gpu_hours": hours, "effective_cost": rate * hours,
        }  # fmt: skip

    first = supplied(table_of, [day(back) for back in range(60)])["on_demand", None][0]

    assert first["gpus"] == pytest.approx(10)
    # (7 × 10 × 2 + 21 × 20 × 3) dollars for (7 × 10 + 21 × 20) GPU-days
    assert first["usd_per_gpu_hour"] == pytest.approx(1400 / 490)


@pytest.mark.parametrize(("back", "is_there"), [(3, True), (4, False)])
def test_a_pool_that_is_billed_no_more_is_gone_after_three_days(
    table_of: TableOf, back: int, *, is_there: bool
) -> None:
    gone = [row | {"charge_day": row["charge_day"] - dt.timedelta(days=back)} for row in bill(5)]
    rows = supplied(table_of, [*gone, *bill(5, pool_id="q")])["on_demand", None]

    assert ("p" in {row["pool_id"] for row in rows}) is is_there


def test_a_contract_that_ended_yesterday_binds_nothing(table_of: TableOf) -> None:
    rows = supplied(
        table_of, [*bill(10, commitment_discount_id="x"), fee("x", dt.date(2026, 1, 1), dt.date(2026, 11, 21))]
    )

    assert float(rows["committed", "x"][0]["avoidable_usd"]) == pytest.approx(14610)


def test_what_is_not_used_of_a_commitment_belongs_to_the_pools_that_use_the_rest(table_of: TableOf) -> None:
    # 10 GPUs in use and 240 dollars a day unused, without a tag as such rows are: at 2 dollars an hour 5 GPUs more
    unused = {"pool_id": None, "gpu_hours": None, "effective_cost": Decimal(240)}
    named = {"commitment_discount_id": "x", "commitment_discount_status": "Unused"}
    charges = [*bill(10, commitment_discount_id="x"), *bill(0, **unused, **named)]
    two_pools = charges + bill(30, commitment_discount_id="x", pool_id="q")

    assert supplied(table_of, charges)["committed", "x"][0]["gpus"] == pytest.approx(15)
    # of two pools the one with a quarter of the use has a quarter of it, and the other has the rest; of cents as well
    cents = [row | {"effective_cost": row["effective_cost"] / 100_000} for row in two_pools]
    for charged in (two_pools, cents):
        held = [row["gpus"] for row in supplied(table_of, charged)["committed", "x"][:2]]
        assert held == pytest.approx([11.25, 33.75])


def test_what_is_used_of_a_commitment_without_a_pool_is_of_no_pool(table_of: TableOf) -> None:
    # nobody knows who used it: unlike what is not used, it is not shared among the pools of the commitment
    elsewhere = {"pool_id": None, "gpu_hours": None, "effective_cost": Decimal(240)}
    named = {"commitment_discount_id": "x", "commitment_discount_status": "Used"}
    charges = [*bill(10, **named), *bill(0, **elsewhere, **named)]

    first = supplied(table_of, charges)["committed", "x"][0]
    assert (first["gpus"], first["usd_per_gpu_hour"]) == (pytest.approx(10), pytest.approx(2))


def test_what_a_pool_does_not_use_of_a_commitment_stays_with_it_where_its_rows_name_it(table_of: TableOf) -> None:
    # 240 dollars a day at 2 dollars an hour are 5 GPUs of `p`, whoever else uses the commitment
    unused = {"gpu_hours": None, "effective_cost": Decimal(240), "commitment_discount_status": "Unused"}
    charges = [row for pool in "pq" for row in bill(10, commitment_discount_id="x", pool_id=pool)]
    charges += bill(0, **unused, commitment_discount_id="x")
    held = [row for row in supplied(table_of, charges)["committed", "x"] if row["months_ahead"] == 0]

    assert {row["pool_id"]: row["gpus"] for row in held} == {"p": pytest.approx(15), "q": pytest.approx(10)}


def test_hours_that_cost_nothing_have_a_price_of_nothing(table_of: TableOf) -> None:
    free = bill(10, effective_cost=Decimal(0))
    credited = bill(0, charge_category="Credit", gpu_hours=None, effective_cost=Decimal(0))
    for charges in (free, [*free, *credited]):
        first = supplied(table_of, charges)["on_demand", None][0]
        assert (first["gpus"], first["usd_per_gpu_hour"], first["usd"]) == (pytest.approx(10), 0, 0)


@pytest.mark.parametrize(("days", "dollars"), [(3, 14610), (4, 14610 * (1 - 4 * 360 / (7 * 480)))])
def test_credits_lower_a_price_where_they_come_at_least_every_other_day(
    table_of: TableOf, days: int, dollars: float
) -> None:
    # of 7 × 480 dollars 4 × 360 are credited on four days of seven; three of seven are too few
    credited = bill(0, charge_category="Credit", gpu_hours=None, effective_cost=Decimal(-360))[:days]

    assert float(supplied(table_of, [*bill(10), *credited])["on_demand", None][0]["usd"]) == pytest.approx(dollars)


@pytest.mark.parametrize(
    ("listed", "rate", "is_assumed"),
    [(5.0, 5.0, False), (1.5, 2.0, False), (None, 2.8, True)],
    ids=["as it is listed", "never less than is paid", "two fifths above what is paid"],
)
def test_one_more_hour_where_none_is_billed_on_demand(
    table_of: TableOf, listed: float | None, rate: float, *, is_assumed: bool
) -> None:
    states = [{"pool_id": "p", "on_demand_usd_per_gpu_hour": listed}]
    hour = supplied(table_of, bill(10, commitment_discount_id="x"), pool_states=states)["on_demand", None][0]

    assert hour["usd_per_gpu_hour"] == pytest.approx(rate)
    assert hour["is_rate_assumed"] is is_assumed


def test_what_is_credited_every_day_is_saved_by_nobody(table_of: TableOf) -> None:
    # 480 dollars a day of which 360 are credited: a quarter of 2 dollars an hour is paid, 14,610 / 4 a month
    credit = {"charge_category": "Credit", "gpu_hours": None, "effective_cost": Decimal(-360)}
    daily = supplied(table_of, [*bill(10), *bill(0, **credit)])["on_demand", None][0]
    # the refund of a day is no price, and a credit above the charges makes no saving negative
    once = supplied(table_of, [*bill(10), bill(0, **credit)[0]])["on_demand", None][0]
    above = supplied(table_of, [*bill(10), *bill(0, **credit | {"effective_cost": Decimal(-600)})])

    assert float(daily["avoidable_usd"]) == pytest.approx(14610 / 4)
    assert float(once["avoidable_usd"]) == pytest.approx(14610)
    assert float(above["on_demand", None][0]["avoidable_usd"]) == 0


def test_since_a_commitment_has_ended_a_pool_holds_what_it_is_billed_since(table_of: TableOf) -> None:
    # five days of 10 GPUs under a contract that ends with the 19th, then 6 GPUs for two days at 4 dollars an hour
    under = [row for row in bill(10, commitment_discount_id="x") if row["charge_day"] < dt.date(2026, 11, 20)]
    since = [
        row | {"effective_cost": 4 * row["gpu_hours"]} for row in bill(6) if row["charge_day"] >= dt.date(2026, 11, 20)
    ]
    rows = supplied(table_of, [*under, *since, fee("x", dt.date(2025, 11, 20), dt.date(2026, 11, 20))])

    assert ("committed", "x") not in rows
    assert rows["on_demand", None][0]["gpus"] == pytest.approx(6)
    assert float(rows["on_demand", None][0]["avoidable_usd"]) == pytest.approx(6 * 4 * MONTH)


def test_of_two_commitments_that_have_ended_the_later_end_tells_since_when_a_pool_holds_what_it_holds(
    table_of: TableOf,
) -> None:
    # 10 GPUs under two contracts, one to the 17th and one to the 19th, then 6 by the hour
    days = {name: [row for row in bill(5, commitment_discount_id=name) if row["charge_day"] < end] for name, end in (
        ("x", dt.date(2026, 11, 18)), ("y", dt.date(2026, 11, 20)))}  # fmt: skip
    since = [row for row in bill(6) if row["charge_day"] >= dt.date(2026, 11, 20)]
    fees = [
        fee("x", dt.date(2025, 11, 18), dt.date(2026, 11, 18)),
        fee("y", dt.date(2025, 11, 20), dt.date(2026, 11, 20)),
    ]
    rows = supplied(table_of, [*days["x"], *days["y"], *since, *fees])

    assert {key: of[0]["gpus"] for key, of in rows.items()} == {("on_demand", None): pytest.approx(6)}


def test_a_price_in_another_currency_is_exchanged_by_the_rate_of_its_month(table_of: TableOf) -> None:
    rate = [{"month": dt.date(2026, 11, 1), "currency": "EUR", "rate": Decimal("1.25")}]
    hour = supplied(table_of, bill(10, currency="EUR"), fx=rate)["on_demand", None][0]

    assert hour["usd_per_gpu_hour"] == pytest.approx(2.5)


def test_of_a_purchase_only_its_power_can_be_left_unpaid(table_of: TableOf) -> None:
    power = [{"pool_id": "p", "power_usd_per_gpu_hour": 0.2, "usd": 4_000_000}]
    charges = bill(10, source="accrual")
    without, told = supplied(table_of, charges), supplied(table_of, charges, assets=power)
    cheap = supplied(table_of, bill(10, source="accrual", effective_cost=Decimal(24)), assets=power)

    assert float(without["owned", None][0]["avoidable_usd"]) == 0
    assert float(told["owned", None][0]["avoidable_usd"]) == pytest.approx(10 * MONTH * 0.2)
    # 24 dollars a day are 10 cents an hour: no more can be left unpaid than is paid
    assert float(cheap["owned", None][0]["avoidable_usd"]) == pytest.approx(10 * MONTH * 0.1)


@pytest.mark.parametrize(
    ("renewal", "valid_to", "ends", "sign_by"),
    [
        ("ends", dt.date(2027, 3, 1), dt.date(2027, 3, 1), dt.date(2027, 2, 28)),
        ("renews", dt.date(2027, 3, 1), dt.date(2027, 3, 1), dt.date(2027, 2, 28)),
        # until the end of the night it can be stopped
        ("renews", dt.date(2026, 11, 22), dt.date(2026, 11, 22), dt.date(2026, 11, 21)),
        # 90 days before its end were two weeks ago: it has been renewed for the year it lasts
        ("notice:90", dt.date(2027, 2, 5), dt.date(2028, 2, 5), dt.date(2027, 11, 7)),
        # without an end it can be stopped with its notice
        ("notice:90", None, dt.date(2027, 2, 20), dt.date(2026, 11, 22)),
    ],
)
def test_commitments_csv_says_when_a_contract_ends_and_by_when_to_act(
    table_of: TableOf, renewal: str, valid_to: dt.date | None, ends: dt.date, sign_by: dt.date
) -> None:
    start = dt.date(2026, 2, 5)
    terms = [{"commitment_id": "x", "valid_from": start, "valid_to": valid_to, "renewal": renewal}]
    contract = contract_ends(table_of("billed_days", []), table_of("commitment_terms", terms), NIGHT)["x"]

    assert (contract.earliest, contract.latest) == (ends, ends)
    assert contract.sign_by(NIGHT) == sign_by


def test_a_term_that_begins_on_the_last_of_a_month_is_renewed_to_the_last_of_the_next(table_of: TableOf) -> None:
    dates = {"valid_from": dt.date(2026, 9, 30), "valid_to": dt.date(2026, 10, 31)}
    terms = table_of("commitment_terms", [{"commitment_id": "x", "renewal": "renews", **dates}])

    assert contract_ends(table_of("billed_days", []), terms, NIGHT)["x"].latest == dt.date(2026, 11, 30)


def test_of_a_pool_the_owned_are_kept_first_and_what_is_on_demand_last(table_of: TableOf) -> None:
    rows = supplied(table_of, [*bill(1, source="accrual"), *bill(2, commitment_discount_id="x"), *bill(3)])

    assert {kind: of[0]["keep_order"] for (kind, _), of in rows.items()} == {"owned": 0, "committed": 1, "on_demand": 2}


def test_a_bill_that_ended_weeks_ago_tells_its_price_as_far_as_eight_weeks_back(table_of: TableOf) -> None:
    late = [bill(1)[0] | {"charge_day": NIGHT - dt.timedelta(days=back)} for back in range(40, 56)]
    dear = [row | {"charge_day": row["charge_day"] - dt.timedelta(days=16), "effective_cost": 999} for row in late]

    assert supplied(table_of, [*late, *dear])["on_demand", None][0]["usd_per_gpu_hour"] == pytest.approx(2)


def test_a_term_of_three_weeks_is_renewed_for_a_month(table_of: TableOf) -> None:
    terms = [
        {
            "commitment_id": "x",
            "valid_from": dt.date(2026, 11, 1),
            "valid_to": dt.date(2026, 11, 20),
            "renewal": "renews",
        }
    ]
    contract = contract_ends(table_of("billed_days", []), table_of("commitment_terms", terms), NIGHT)["x"]

    assert contract.latest == dt.date(2026, 12, 20)


def test_gpus_that_only_commitments_csv_calls_committed_are_not_on_demand(table_of: TableOf) -> None:
    terms = [
        {"commitment_id": "c", "pool_id": "p", "gpu_count": 6.0, "valid_to": dt.date(2028, 1, 1), "renewal": "ends"}
    ]
    rows = supplied(table_of, bill(10), commitment_terms=terms)

    assert rows["on_demand", None][0]["gpus"] == pytest.approx(4)
    assert rows["committed", "c"][0]["gpus"] == 6
    assert float(rows["committed", "c"][0]["avoidable_usd"]) == 0
    # it ends, and nothing of it is paid after
    assert float(rows["committed", "c"][20]["usd"]) == 0


def test_a_charge_in_a_currency_without_a_rate_is_left_out(table_of: TableOf) -> None:
    assert supplied(table_of, bill(10, currency="EUR")) == {}


def users(table_of: TableOf, deployments: list[dict[str, Any]], **tables: list[dict[str, Any]]) -> pl.DataFrame:
    """Users of a pool of 10 GPUs."""
    settings = table_of("settings", [{"as_of": NIGHT, "night_end": END}])
    held = {"pool_id": "p", "months_ahead": 0, "gpus": 10.0, "usd_per_gpu_hour": 2.0, "as_of": NIGHT, "month": NIGHT}
    names = ("pool_states", "pool_uses", "pools", "budgets")
    others = {name: table_of(name, tables.get(name, [])) for name in names}
    return pool_users(settings, table_of("supply", [held]), deployments=table_of("deployments", deployments), **others)


def test_a_deployment_that_begins_later_is_a_launch(table_of: TableOf) -> None:
    now = {"deployment_id": "d", "model_id": "a", "pool_id": "p", "gpu_count": 4.0}
    later = now | {"deployment_id": "e", "model_id": "b", "valid_from": END + dt.timedelta(days=9)}
    rows = users(table_of, [now, later]).select("user_kind", "user_id", "gpus", "since").rows()

    assert rows == [("deployment", "d", 4.0, None), ("launch", "e", 4.0, dt.date(2026, 12, 1))]


def test_a_fleet_that_changed_lately_follows_its_demand(table_of: TableOf) -> None:
    row = {"deployment_id": "d", "model_id": "a", "pool_id": "p"}
    change = END - dt.timedelta(days=40)
    rows = [row | {"gpu_count": 8.0, "valid_to": change}, row | {"gpu_count": 6.0, "valid_from": change}]

    assert users(table_of, rows).select("gpus", "follows_demand").rows() == [(6.0, True)]


def test_users_that_hold_more_than_is_paid_are_scaled_to_it(table_of: TableOf) -> None:
    rows = [{"deployment_id": name, "model_id": name, "pool_id": "p", "gpu_count": 10.0} for name in "ab"]

    assert users(table_of, rows)["gpus"].to_list() == [5.0, 5.0]


def test_a_larger_pool_that_policy_announces_is_demand(table_of: TableOf) -> None:
    row = {"pool_id": "p", "gpu_count": 24.0, "valid_from": dt.date(2027, 1, 1)}

    assert users(table_of, [], pools=[row]).select("user_kind", "gpus", "since").rows() == [
        ("announced", 14.0, dt.date(2027, 1, 1))
    ]
