"""Whether what the track record says was saved is the cash that was: companies that act on cards over 24 months.

    python -m bench.track_record [--companies 40]
    python -m bench.track_record --by-month

A company pays each of its pools every month for what it holds: on demand as its demand asks, under contract or owned
whatever it uses. It is asked to move a task, to retire, to retrain or to release, and does so; its twin does not. The
cash is the difference of what the two pay, month by month; the track record sees the bills and the telemetry of the one
that acted, and nothing of the twin. By month, the record of every fourth week stands beside the cash of those weeks.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from transforms.decisions.portfolio.track_record import track_record
from warehouse.schemas import CATALOGUE

START: Final = dt.date(2025, 1, 1)
DAYS: Final = 730
ASKED: Final = dt.date(2026, 1, 31)
ACTED: Final = dt.date(2026, 3, 1)
GPU_DAY_USD: Final = 72.0
TOKENS_PER_GPU_DAY: Final = 1e8
ACTIONS: Final = ("route", "retire", "retrain_smaller", "release_capacity")
SUPPLIES: Final = ("on_demand", "committed", "fixed")
_MONTH: Final = 365.25 / 12
_WEEKS: Final = 28
Days = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """One company: what it is asked, how its large model's GPUs are paid, how its demand grows, how small the taker is.

    `held` is what the pool holds beyond its demand; a small model needs `share` of the GPUs for the same tokens.
    """

    action: str
    supply: str
    yearly_growth: float
    share: float
    held: float

    def gpus(self, demand: Days, *, acts: bool) -> tuple[Days, Days, Days]:
        """GPUs used by the large model, by the small one, and paid for in the large one's pool, by day."""
        needed = demand / TOKENS_PER_GPU_DAY
        has_moved = acts & (np.arange(DAYS) >= (ACTED - START).days)
        moves = has_moved & (self.action != "release_capacity")
        large = np.where(moves, 0.0, needed)
        small = np.where(moves, needed * self.share, 0.0)
        peak = needed.max() * (1 + self.held)
        if self.supply == "on_demand":
            spare = np.where(has_moved & (self.action == "release_capacity"), 0.0, self.held * needed[0])
            return large, small, large + spare
        gives_back = has_moved & (self.supply == "fixed")
        kept = needed.max() if self.action == "release_capacity" else 0.0
        return large, small, np.where(gives_back, kept, peak)


def simulated(plan: Plan, seed: int, days: int = DAYS) -> tuple[float, float]:
    """Saved a month by the track record after `days` of the company, and the cash of the same four weeks as a month."""
    demand = _demand(plan, seed)
    books = {acts: plan.gpus(demand, acts=acts) for acts in (False, True)}
    cash = {acts: (paid + small) * GPU_DAY_USD for acts, (_, small, paid) in books.items()}
    last = slice(days - _WEEKS, days)
    saved = float((cash[False][last] - cash[True][last]).mean()) * _MONTH
    record = track_record(**_tables(plan, demand, books[True], saved, days))
    realised = record.item(0, "realised_usd")
    return (0.0 if realised is None else float(realised)), saved


def by_month(plan: Plan, seed: int) -> list[tuple[dt.date, float, float]]:
    """The last day of every four weeks since the card, what the record says of them and their cash, as a month."""
    first = (ASKED - START).days + _WEEKS + 1
    return [
        (START + dt.timedelta(days=days - 1), *simulated(plan, seed, days)) for days in range(first, DAYS + 1, _WEEKS)
    ]


def _demand(plan: Plan, seed: int) -> Days:
    """Tokens of each day."""
    dice = np.random.default_rng(seed)
    growth = (1 + plan.yearly_growth) ** (np.arange(DAYS) / 365.25)
    return np.asarray(2e9 * growth * dice.lognormal(0, 0.02, DAYS))


def _tables(
    plan: Plan, demand: Days, books: tuple[Days, Days, Days], saved: float, days: int
) -> dict[str, pl.DataFrame]:
    large, small, paid = books
    service, spend, tasks = [], [], []
    for number in range(days):
        day, tokens = START + dt.timedelta(days=number), int(demand[number])
        moved = small[number] > 0
        name, used = ("small", small[number]) if moved else ("large", large[number])
        counts = {"input_tokens": tokens, "output_tokens": 0, "requests": 1}
        service.append({"day": day, "model_id": name, "inference_usd": used, **counts})
        tasks.append({"day": day, "model_id": name, "task": "t", "tokens": tokens, "requests": 1})
        pool = {"charge_date": day, "pool_id": "large-pool"}
        if large[number] > 0:
            spend.append({**pool, "model_id": "large", "account": "direct", "usd": large[number]})
        if paid[number] > large[number]:
            spend.append({**pool, "account": "idle", "usd": paid[number] - large[number]})
        if moved:
            spend.append({**pool, "pool_id": "small-pool", "model_id": "small", "account": "direct", "usd": used})
    for row in service:
        row["inference_usd"] = _dollars(row["inference_usd"])
    for row in spend:
        row |= {"phase": "inference" if row["account"] == "direct" else None, "effective_usd": _dollars(row.pop("usd"))}
    promise = {f"monthly_saving_usd_p{level}": _dollars(saved / GPU_DAY_USD) for level in (10, 50, 90)}
    subject = {"pool_id": "large-pool"} if plan.action == "release_capacity" else {"model_id": "large", "task": "t"}
    if plan.action in {"retire", "retrain_smaller"}:
        subject = {"model_id": "large"}
    end = START + dt.timedelta(days=days)
    small_model = {"model_id": "small", "base_model_id": "large", "released_on": ACTED}
    return {
        "settings": _table("settings", [{"as_of": end - dt.timedelta(days=1)}]),
        "past_recommendations": _table(
            "past_recommendations", [{"night": ASKED, "rank": 1, "action": plan.action, **subject, **promise}]
        ),
        "models": _table("models", [{"model_id": "large"}, small_model]),
        "daily_service": _table("daily_service", service),
        "daily_spend": _table("daily_spend", spend),
        "task_days": _table("task_days", tasks),
        "demand_states": _table(
            "demand_states", [{"known_on": end, "model_id": "*", "quantity": "tokens", "unseen_days": 0}]
        ),
    }


def _dollars(gpu_days: float) -> Decimal:
    return Decimal(round(float(gpu_days) * GPU_DAY_USD, 2)).quantize(Decimal("0.01"))


def _table(name: str, rows: list[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as the table, NULL where nothing is said."""
    columns = CATALOGUE[name].columns()
    full = [{column: row.get(column) for column in columns} for row in rows]
    return pl.DataFrame(full, schema=CATALOGUE[name].polars_schema(), strict=False)


def plans(companies: int) -> list[Plan]:
    """Companies of every action and supply, with demand that falls, stays and grows."""
    dice = np.random.default_rng(24)
    return [
        Plan(
            ACTIONS[number % len(ACTIONS)],
            SUPPLIES[number // len(ACTIONS) % len(SUPPLIES)],
            float(dice.choice([-0.3, 0.0, 0.4])),
            float(dice.uniform(0.2, 0.6)),
            float(dice.uniform(0.05, 0.4)),
        )
        for number in range(companies)
    ]


def main() -> None:
    """Print each company, or each of its months, and the two sums."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--companies", type=int, default=48)
    parser.add_argument("--by-month", action="store_true")
    given = parser.parse_args()
    said = was = 0.0
    print(f"{'action':17} {'supply':10} {'growth':>7} {'to':10} {'record':>10} {'cash':>10}")
    for number, plan in enumerate(plans(given.companies)):
        last = (START + dt.timedelta(days=DAYS - 1), *simulated(plan, number)) if not given.by_month else None
        for day, recorded, cash in [last] if last else by_month(plan, number):
            said, was = said + recorded, was + cash
            print(f"{plan.action:17} {plan.supply:10} {plan.yearly_growth:7.0%} {day} {recorded:10,.0f} {cash:10,.0f}")
    print(f"the track record says {said:,.0f} a month, the cash was {was:,.0f}: {said / was - 1:+.1%}")


if __name__ == "__main__":
    main()
