"""How often demand over a life lies in its P10-P90: 28, 90 and 180 days ahead, for each shape of demand.

    python bench/demand.py [--series 40] [--seeds 3]

Every shape is a company of its own; a last company mixes all shapes. Each series is known for 20 to 104 weeks, and the
180 days after are held out. AutoETS of statsforecast stands beside on the same series where it is installed (a package
of this bench alone); where it is not, its columns say so.
"""

from __future__ import annotations

import argparse
from typing import Final

import numpy as np

from bench.demand_shapes import SHAPES, Floats, demand
from transforms.demand_growth import HORIZON_DAYS
from transforms.economics.forecast.long_horizon import Weeks, outlooks
from transforms.economics.forecast.prediction_interval import P90

HISTORIES: Final = (20, 30, 52, 78, 104)
_HELD_OUT: Final = 26
_MIXED_SHARE: Final = 2


def weekly(days: Floats) -> Floats:
    """Mean day of each full week."""
    full = days.shape[1] // 7
    return np.asarray(days[:, : full * 7].reshape(len(days), full, 7).mean(axis=2))


def held_out(values: Floats, known: int) -> tuple[Floats, Floats]:
    """Horizons × series: whether what came lies in P10-P90, and the logarithm of what came over the median."""
    said = outlooks(Weeks(values, np.zeros(len(values), dtype=np.int64)))
    off = (said.came - said.centre)[:, :, known]
    return np.abs(off) <= P90 * said.spread[:, :, known], off


def by_ets(values: Floats, known: int) -> tuple[Floats, Floats] | None:
    """The same of AutoETS on weekly demand; None where statsforecast is not installed.

    Its interval of a sum is taken from the widths of its weeks as if their errors went together.
    """
    try:
        from statsforecast.models import AutoETS  # noqa: PLC0415  (of this bench alone)
    except ImportError:
        return None
    inside, off = np.zeros((3, len(values)), dtype=bool), np.zeros((3, len(values)))
    for number, series in enumerate(values):
        told = AutoETS(season_length=1).forecast(y=np.log(series[:known]), h=_HELD_OUT, level=[80])
        low, middle, high = (np.exp(told[name]) for name in ("lo-80", "mean", "hi-80"))
        for horizon, days in enumerate(HORIZON_DAYS):
            ahead = round(days / 7)
            came = series[known : known + ahead].sum()
            inside[horizon, number] = low[:ahead].sum() <= came <= high[:ahead].sum()
            off[horizon, number] = np.log(came / middle[:ahead].sum())
    return inside, off


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    print(f"{'shape':10} {'weeks':>5}  P10-P90 28/90/180 days   median error   AutoETS the same")
    every: dict[str, list[Floats]] = {}
    for known in HISTORIES:
        for shape in (*SHAPES, "mixed"):
            ours, theirs = [], []
            for seed in range(given.seeds):
                dice = np.random.default_rng([seed, known, len(shape)])
                shapes, each = (SHAPES, given.series // _MIXED_SHARE) if shape == "mixed" else ((shape,), given.series)
                days = (known + _HELD_OUT) * 7
                values = weekly(np.concatenate([demand(name, each, days, dice) for name in shapes]))
                ours.append(held_out(values, known))
                theirs.append(by_ets(values, known) if shape != "mixed" else None)
            covered = np.mean([inside.mean(axis=1) for inside, _ in ours], axis=0)
            missed = np.median(np.abs(np.concatenate([off for _, off in ours], axis=1)), axis=1)
            every.setdefault(shape, []).append(covered)
            print(f"{shape:10} {known:5}  {_shares(covered):22} {_shares(missed):16} {_beside(theirs)}")
    print()
    for shape, rows in every.items():
        print(f"{shape:10}   all  {_shares(np.mean(rows, axis=0))}")


def _shares(values: Floats) -> str:
    return " / ".join(f"{100 * value:3.0f}%" for value in values)


def _beside(told: list[tuple[Floats, Floats] | None]) -> str:
    known = [pair for pair in told if pair is not None]
    if not known:
        return "skipped: statsforecast is not installed, or the company is mixed"
    covered = np.mean([inside.mean(axis=1) for inside, _ in known], axis=0)
    missed = np.median(np.abs(np.concatenate([off for _, off in known], axis=1)), axis=1)
    return f"{_shares(covered)}   {_shares(missed)}"


if __name__ == "__main__":
    main()
