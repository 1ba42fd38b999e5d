"""What one night decides by: the settings and the law with its draws, and each model with its draws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from transforms.compute import TRAINING_FLOP_PER_PARAM
from transforms.decisions.demand.demand_draws import (
    demand_draws,
    median_path,
    path_draws,
    paths_of,
    wandering,
    whole_months,
)
from transforms.decisions.law.laws import PUBLISHED, Law
from transforms.decisions.law.scaling_law import law_of
from transforms.decisions.quantiles import median
from transforms.decisions.randomness import generator, next_errors, uncertain_spreads

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from transforms.decisions.law.laws import Floats

MTOK: Final = 1e6
# Spread of the price of training from one run to the next; the card prints it.
TRAINING_PRICE_SIGMA: Final = 0.15
# Of the law of the night and the two other published ones, where no law is the company's own.
_LAW_WEIGHTS: Final = (0.6, 0.2, 0.2)


@dataclass(frozen=True)
class DrawnLaw:
    """The law of the night and one draw of it for each draw of everything else.

    Attributes:
        law_ids: the laws that the draws are of: where several fit, which of them holds is uncertain too.
        largest: the most parameters, tokens and FLOP of the points of the law of the night.
    """

    law_id: str
    source: str
    law: Law
    draws: Law
    least_tokens_per_param: float
    most_tokens_per_param: float
    law_ids: Sequence[str]
    largest: Mapping[str, float | None]

    def is_beyond(self, params: float, tokens: float) -> bool:
        """Whether a model lies outside the tokens per parameter of the law's points."""
        return not self.least_tokens_per_param <= tokens / params <= self.most_tokens_per_param

    def reach(self, params: float, tokens: float) -> dict[str, float]:
        """How far a plan reaches beyond the points of the law, as multiples of the most of each; within at most 1."""
        plan = {"params": params, "tokens": tokens, "flop": TRAINING_FLOP_PER_PARAM * params * tokens}
        ratios = {f"{name}_over_law": value / most for name, value in plan.items() if (most := self.largest[name])}
        return ratios | {"tokens_per_param_over_law": tokens / params / self.most_tokens_per_param}


@dataclass(frozen=True)
class Night:
    """The settings of the night as numbers, and its law; None where the chosen law has not enough runs."""

    as_of: dt.date
    draws: int
    materiality_usd: float
    evaluation_usd: float
    migration_usd: float
    dead_band_ratio: float
    discount_ratio: float
    quality_gate_ratio: float
    law: DrawnLaw | None
    law_shortfall: str

    def calendar(self, lead: float, move: float) -> dict[str, float]:
        """What every card assumes of when traffic moves, and of what a dollar is worth then."""
        return {"lead_months": lead, "move_months": move, "discount_ratio": self.discount_ratio}


def night_of(settings: pl.DataFrame, scaling_law: pl.DataFrame, law_draws: pl.DataFrame) -> Night:
    """The night from its tables; the law's draws are the same for all models, so that sums over models are joint."""
    row = settings.row(0, named=True)
    chosen = scaling_law.filter("is_chosen").to_dicts()
    law = _drawn(row, chosen[0], law_draws) if chosen and chosen[0]["E"] is not None else None
    return Night(
        as_of=row["as_of"],
        draws=row["draws"],
        materiality_usd=float(row["materiality_usd"]),
        evaluation_usd=float(row["evaluation_usd"]),
        migration_usd=float(row["migration_usd"]),
        dead_band_ratio=row["dead_band_ratio"],
        discount_ratio=row["discount_ratio"],
        quality_gate_ratio=row["quality_gate_ratio"],
        law=law,
        law_shortfall="" if law or not chosen else chosen[0]["source"],
    )


def _drawn(settings: Mapping[str, Any], row: Mapping[str, Any], law_draws: pl.DataFrame) -> DrawnLaw:
    """Draws of the law; where the company has none of its own, of the published ones: nobody knows which holds.

    A law that the settings name is taken at their word.
    """
    law_ids = [row["law_id"]]
    if settings["law"] == "auto" and row["law_id"] != "own":
        law_ids += [law_id for law_id in PUBLISHED if law_id != row["law_id"]]
    dice = generator(settings["as_of"], "law")
    parts = []
    for law_id in law_ids:
        others = law_draws.filter(pl.col("law_id") == law_id, pl.col("draw") > 0).sort("draw")
        parts.append(others[dice.integers(0, others.height, settings["draws"])])
    which = dice.choice(len(law_ids), settings["draws"], p=_LAW_WEIGHTS[: len(law_ids)] if len(law_ids) > 1 else [1.0])
    rows = pl.concat(
        [part.with_columns(pl.int_range(pl.len()).alias("place")).filter(pl.Series(which == number))
         for number, part in enumerate(parts)]
    ).sort("place")  # fmt: skip
    itself = Law(*(float(row[name]) for name in ("E", "A", "B", "alpha", "beta")))
    return DrawnLaw(
        row["law_id"],
        row["source"],
        itself,
        law_of(rows),
        row["tokens_per_param_min"],
        row["tokens_per_param_max"],
        law_ids,
        {name: row[f"{name}_max"] for name in ("params", "tokens", "flop")},
    )


@dataclass(frozen=True)
class Subject:
    """One model on the night: its position, and its draws of demand and prices, the same on each of its cards."""

    night: Night
    position: Mapping[str, Any]

    @property
    def model_id(self) -> str:
        """The model."""
        return str(self.position["model_id"])

    @property
    def months(self) -> float:
        """Service still ahead."""
        return float(self.position["remaining_months"])

    @cached_property
    def tokens(self) -> Floats:
        """Demand by month and draw."""
        position = self.position
        if position["daily_tokens"] is None or position["demand_sigma"] is None:
            return np.zeros((whole_months(self.months), self.night.draws))
        dice, draws = self._dice("demand"), self.night.draws
        paths = paths_of(position, whole_months(self.months))
        if paths is not None:
            return path_draws(paths, dice.standard_normal(draws), dice.random(draws))
        path = median_path(position["daily_tokens"], position["daily_tokens_trend"], self.months)
        steps = dice.standard_normal((len(path), draws))
        return demand_draws(
            path, position["demand_sigma"] * wandering(steps, uncertain_spreads(dice, position["demand_blocks"], draws))
        )

    @cached_property
    def presence(self) -> Floats:
        """Part of each month in which the model serves: 1 but for the last."""
        return np.clip(self.months - np.arange(len(self.tokens)), 0, 1)

    @cached_property
    def demand(self) -> Floats:
        """All tokens still to be served, by draw."""
        return np.asarray((self.presence[:, None] * self.tokens).sum(axis=0))

    def outlook(self) -> dict[str, Any]:
        """What every card of the model assumes of its demand and its life."""
        words = {name: self.position[name] for name in ("demand_basis", "remaining_months", "life_basis")}
        return words | {"demand_tokens_p50": self._demand_p50}

    @cached_property
    def _demand_p50(self) -> float:
        return median(self.demand)

    @cached_property
    def monthly_tokens(self) -> Floats:
        """Demand of the mean month, by draw."""
        return np.asarray(self.tokens.mean(axis=0))

    @cached_property
    def losses(self) -> Floats:
        """Loss of the model as each draw of the law of the night predicts it; none where there is no law."""
        law, position = self.night.law, self.position
        return np.asarray(law.draws.loss(position["active_params"], position["training_tokens"]) if law else ())

    @cached_property
    def price_level(self) -> Floats:
        """Price of serving relative to the last months', by draw."""
        sigma, months = float(self.position["price_sigma"]), self.position["price_months"]
        return np.asarray(np.exp(sigma * next_errors(self._dice("price"), months, self.night.draws)))

    @cached_property
    def used_price(self) -> Floats:
        """USD per token, direct inference alone, by draw."""
        return np.asarray(float(self.position["used_usd_per_mtok"]) / MTOK * self.price_level)

    @cached_property
    def training_price(self) -> Floats:
        """USD per FLOP of training, by draw."""
        spread = np.exp(TRAINING_PRICE_SIGMA * self._dice("training price").standard_normal(self.night.draws))
        return np.asarray(float(self.position["usd_per_training_flop"]) * spread)

    def _dice(self, name: str) -> np.random.Generator:
        return generator(self.night.as_of, self.model_id, name)
