"""What the actions on a company's own large model are truly worth: retraining, distilling, routing, retiring it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench.companies import HISTORY_DAYS, Seen, Truth, company
from bench.future import MONTH, worth
from bench.task_worth import ONE_OFF, Moves, even_bet, moved_task

if TYPE_CHECKING:
    from collections.abc import Mapping

RETRAIN: Final = (2.0, 3.0)
DISTIL: Final = (1.5, 1.0)
REACH: Final = 10.0


@dataclass(frozen=True)
class TrainingTruth:
    """What is true of one company, and what it served in the four weeks before the night."""

    truth: Truth
    recent_tokens: float

    def worth(self, row: Mapping[str, Any]) -> tuple[float, float]:
        """The true net present value of one alternative, and its saving of a month."""
        if row["action"] == "retrain_smaller":
            return self._retrained(row)
        if row["action"] == "distil":
            return self._distilled(row)
        truth = self.truth
        moves = Moves(truth.daily_tokens, truth.allocated_price, truth.shares, truth.students)
        return moved_task(moves, dict(row))

    def cost_a_day(self) -> np.ndarray:
        """What serving as today costs."""
        return self.truth.daily_tokens * self.truth.allocated_price / 1e6

    @property
    def _monthly(self) -> float:
        return float(self.truth.daily_tokens.mean()) * MONTH

    def _retrained(self, row: Mapping[str, Any]) -> tuple[float, float]:
        truth, law, size = self.truth, self.truth.law, row["target_params"]
        left = law.A / truth.params**law.alpha + law.B / truth.training_tokens**law.beta - law.A / size**law.alpha
        tokens = repeats((law.B / left) ** (1 / law.beta) if left > 0 else 1e18, truth.training_tokens)
        is_reached = tokens <= 40 * truth.training_tokens
        one_off = 6 * size * (tokens if is_reached else row["target_tokens"]) * truth.training_price + ONE_OFF
        price = max(truth.used_price / 1e6 * size / truth.params, self._floor / self._monthly)
        return worth(truth.daily_tokens * (truth.used_price / 1e6 - price) * is_reached, RETRAIN, one_off)

    def _distilled(self, row: Mapping[str, Any]) -> tuple[float, float]:
        truth, task, size = self.truth, row["task"], row["target_params"]
        share, tokens, ratio = truth.shares[task], row["target_tokens"], size / truth.params
        used = max(truth.used_price / 1e6 * ratio, self._floor / (share * self._monthly))
        price = used + (truth.allocated_price - truth.used_price) / 1e6 * ratio
        one_off = self._logits(tokens) + 6 * size * tokens * truth.training_price + ONE_OFF
        saved = share * (truth.plan_kept[task] * truth.allocated_price / 1e6 - price)
        value, saving = worth(truth.daily_tokens * saved, DISTIL, one_off)
        return (value, saving) if truth.plan_is_measured[task] else even_bet(value, saving, one_off)

    def _logits(self, tokens: float) -> float:
        """The teacher on so many tokens: at its used price up to ten times what it serves, else by its FLOP."""
        if tokens / (DISTIL[0] * MONTH) <= REACH * self.recent_tokens / 28:
            return self.truth.used_price / 1e6 * tokens
        return 2 * self.truth.params * tokens * self.truth.training_price

    @property
    def _floor(self) -> float:
        """A month of one chip."""
        return self.truth.gpu_hour * 24 * MONTH


def training_company(seed: int) -> tuple[Seen, TrainingTruth]:
    """One company: what is seen of it, and the truth."""
    seen, truth = company(seed)
    served = [row["input_tokens"] for row in seen.rows["daily_service"] if row["model_id"] == "large"]
    return seen, TrainingTruth(truth, float(sum(served[:28])) if len(served) >= HISTORY_DAYS else 0.0)


def repeats(fresh: float, unique: float) -> float:
    """Tokens, repeats included, that are worth `fresh` ones (Muennighoff et al. 2023)."""
    left = 1 - (fresh / unique - 1) / 15.39
    return fresh if fresh <= unique else unique * (1 - 15.39 * np.log(left)) if left > 0 else 1e30
