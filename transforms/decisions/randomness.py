"""Random draws that are the same for the same night and subject, on every machine and in every order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from transforms.decisions.demand.demand_draws import FURTHEST

if TYPE_CHECKING:
    import datetime as dt

    from transforms.decisions.law.laws import Floats


def generator(as_of: dt.date, *subject: str) -> np.random.Generator:
    """A generator seeded by the night and the names of what is drawn.

    The seed is a digest, because Python's own hash differs from process to process.
    """
    name = "\x1f".join((as_of.isoformat(), *subject))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big"))


def next_errors(dice: np.random.Generator, seen: float, draws: int) -> Floats:
    """Errors of the next value in units of the spread of `seen` past ones: Student's t, normal where none were seen.

    A spread known from few values is itself uncertain; the normal distribution would promise too much.
    """
    if seen <= 0:
        return dice.standard_normal(draws)
    return np.clip(dice.standard_t(max(seen - 1, 1), draws), -FURTHEST, FURTHEST)


def uncertain_spreads(dice: np.random.Generator, seen: float, draws: int) -> Floats:
    """How far a spread known from `seen` past errors may be off, as a factor: a normal times it is Student's t."""
    if seen <= 0:
        return np.ones(draws)
    freedom = max(seen - 1, 1)
    return np.sqrt(freedom / dice.chisquare(freedom, draws))
