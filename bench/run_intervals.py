"""How often the loss at the end of a run lies in the interval that smaller runs calibrate, before and after widening.

    python -m bench.run_intervals [FILE]

FILE is a CSV of loss curves with `run`, `params`, `tokens` and `loss`; without it curves are invented: their tails bend
the more the larger the run, which is why small runs promise too much. At each share of the way every run is forecast
from runs at most a quarter as large; the widening of each is found without it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from transforms.decisions.law.laws import training_flop
from transforms.decisions.runs.run_tails import COMPARABLE, Curve, forecast_errors, interval

SHARES: Final = (0.2, 0.5, 0.7)
_SIZES: Final = (1e8, 3e8, 1e9, 3e9, 1e10)
_EACH: Final = 8
_POINTS: Final = 300


def invented() -> list[Curve]:
    """Runs of five sizes, eight of each: a power law whose last third falls faster as the learning rate decays."""
    dice, curves = np.random.default_rng(11), []
    for order, params in enumerate(_SIZES):
        for _ in range(_EACH):
            tokens = np.linspace(0.002, 1.0, _POINTS) * 20 * params * dice.uniform(0.5, 2)
            loss = 1.8 + 480 / params**0.35 + 2000 / tokens**0.366
            way = tokens / tokens[-1]
            decay = 1 - (0.004 + 0.004 * order) * dice.lognormal(0, 0.4) * np.clip(way - 0.6, 0, 1) / 0.4
            noisy = loss * decay * dice.lognormal(0, 0.004, _POINTS)
            curves.append(Curve(tokens, noisy, float(training_flop(params, tokens[-1]))))
    return curves


def read(path: Path) -> list[Curve]:
    """The curves of a file."""
    rows = pl.read_csv(path).sort("run", "tokens")
    return [
        Curve(
            part["tokens"].to_numpy().astype(np.float64),
            part["loss"].to_numpy(),
            float(training_flop(part.item(0, "params"), part["tokens"].max())),
        )
        for _, part in rows.group_by("run", maintain_order=True)
    ]


def main() -> None:
    """Print the hold-outs at each share of the way."""
    curves = read(Path(sys.argv[1])) if len(sys.argv) > 1 else invented()
    print(f"{'share':>6} {'held out':>9} {'smaller alone':>14} {'widened':>8} {'by':>6}")
    for share in SHARES:
        alone, widened, factors = [], [], []
        for curve in curves:
            small = [other for other in curves if other.scale * COMPARABLE <= curve.scale]
            told = interval(small, share, curve.scale)
            if told.half_width is None or told.basis != "smaller_scale":
                continue
            off = abs(float(forecast_errors([curve], share)[0]))
            alone.append(off <= told.half_width / told.widening)
            widened.append(off <= told.half_width)
            factors.append(told.widening)
        if factors:
            shares = (np.mean(alone), np.mean(widened))
            print(f"{share:6.0%} {len(factors):9} {shares[0]:14.0%} {shares[1]:8.0%} {np.median(factors):6.1f}")


if __name__ == "__main__":
    main()
