"""What the track record says was saved is the cash that was, for a company that acts on what it is told."""

from __future__ import annotations

import pytest

from bench.track_record import ACTED, ACTIONS, SUPPLIES, Plan, by_month, simulated


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("supply", SUPPLIES)
def test_a_year_after_the_card_the_record_is_the_cash(action: str, supply: str) -> None:
    growth = {"route": -0.3, "retire": 0.4, "retrain_smaller": 0.0, "release_capacity": 0.4}[action]
    recorded, cash = simulated(Plan(action, supply, growth, 0.4, 0.2), 1)

    # daily noise of 2 % moves four weeks by a few tenths of a percent
    assert recorded == pytest.approx(cash, rel=0.03, abs=300)


def test_freed_gpus_under_contract_have_saved_nothing_and_the_taker_is_a_cost() -> None:
    recorded, cash = simulated(Plan("retire", "committed", 0.0, 0.5, 0.1), 2)

    # 20 GPUs for the large model are paid all the same; the small one pays 10 more at 72 dollars a day
    assert cash == pytest.approx(-10 * 72 * 30.4375, rel=0.05)
    assert recorded == pytest.approx(cash, rel=0.01)


def test_every_four_weeks_since_the_card_the_record_is_the_cash_of_those_weeks() -> None:
    months = by_month(Plan("retire", "on_demand", 0.4, 0.5, 0.1), 3)

    # eleven times four weeks lie between the night of the card, a month before March, and the last of the 730 days
    assert len(months) == 11
    assert [(record, cash) for day, record, cash in months if day < ACTED] == [(0.0, 0.0)]
    for _, record, cash in months[1:]:
        assert record == pytest.approx(cash, rel=0.03)
    # 20 GPUs at 72 dollars a day grow by 40 % a year, of which the taker needs half
    assert months[-1][2] == pytest.approx(20 * 0.5 * 72 * 30.4375 * 1.4**1.9, rel=0.05)
