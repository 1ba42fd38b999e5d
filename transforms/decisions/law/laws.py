"""The loss and the compute of a model as functions of its size and its data, and the published laws."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from transforms.compute import SERVING_FLOP_PER_PARAM, TRAINING_FLOP_PER_PARAM

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats: TypeAlias = npt.NDArray[np.float64]
Quantity: TypeAlias = float | Floats


@dataclass(frozen=True)
class Law:
    """L(N, D) = E + A/N^alpha + B/D^beta in nats per token; each field one number or one draw after another.

    Reference: Hoffmann et al. 2022 (arXiv:2203.15556), approach 3.
    """

    E: Quantity
    A: Quantity
    B: Quantity
    alpha: Quantity
    beta: Quantity

    def loss(self, params: Quantity, tokens: Quantity) -> Quantity:
        """Loss of a model of `params` trained on `tokens`."""
        return self.E + self.A / params**self.alpha + self.B / tokens**self.beta

    def reducible(self, params: Quantity, tokens: Quantity) -> Quantity:
        """Loss above the irreducible E."""
        return self.loss(params, tokens) - self.E

    def tokens_for(self, loss: Quantity, params: Quantity) -> Quantity:
        """Tokens on which a model of `params` reaches `loss`; infinite where no amount does."""
        left = np.asarray(loss - self.E - self.A / np.asarray(params, dtype=float) ** self.alpha, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            tokens = (self.B / left) ** (1 / self.beta)
        return np.where(left > 0, tokens, np.inf)

    def compute_optimal(self, flop: Quantity) -> tuple[Quantity, Quantity]:
        """Size and tokens of least loss for `flop` = 6·N·D.

        Reference: Hoffmann et al. 2022, equation 4.
        """
        scale = (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))
        budget = flop / 6
        params = scale * budget ** (self.beta / (self.alpha + self.beta))
        return params, budget / params


@dataclass(frozen=True)
class PublishedLaw:
    """A law somebody else fitted, and where it stands."""

    law: Law
    source: str
    points: int | None


PUBLISHED: Final[Mapping[str, PublishedLaw]] = MappingProxyType(
    {
        "epoch": PublishedLaw(
            Law(1.8172, 482.01, 2085.43, 0.3478, 0.3658),
            "Besiroglu et al. 2024, Chinchilla Scaling: A replication attempt, arXiv:2404.10102",
            240,
        ),
        "hoffmann": PublishedLaw(
            Law(1.69, 406.4, 410.7, 0.34, 0.28),
            "Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, arXiv:2203.15556, approach 3",
            None,
        ),
        "muennighoff": PublishedLaw(
            Law(1.87, 521.0, 1488.0, 0.353, 0.353),
            "Muennighoff et al. 2023, Scaling Data-Constrained Language Models, arXiv:2305.16264, C4",
            None,
        ),
    }
)

# Tokens per parameter of the public points of Hoffmann's figure 4, as digitised by Epoch AI.
PUBLIC_TOKENS_PER_PARAM: Final = (0.04, 341.0)
# The largest parameters, tokens and FLOP among the 240 of them that were fitted.
PUBLIC_LARGEST: Final = (1.62e10, 3.18e11, 1.30e22)
REPETITION_HALF_LIFE: Final = 15.39  # R* of Muennighoff et al. 2023, arXiv:2305.16264


def training_flop(params: Quantity, tokens: Quantity) -> Quantity:
    """6·N·D."""
    return TRAINING_FLOP_PER_PARAM * params * tokens


def serving_flop(params: Quantity, tokens: Quantity) -> Quantity:
    """2·N·T."""
    return SERVING_FLOP_PER_PARAM * params * tokens


def repeated_tokens_value(tokens: Quantity, unique_tokens: Quantity) -> Quantity:
    """Fresh tokens that are worth as much as `tokens` of which only `unique_tokens` differ.

    Reference: Muennighoff et al. 2023 (arXiv:2305.16264), equation 5.
    """
    repeats = np.maximum(tokens / unique_tokens - 1, 0)
    worth = unique_tokens * (1 + REPETITION_HALF_LIFE * (1 - np.exp(-repeats / REPETITION_HALF_LIFE)))
    return np.where(tokens <= unique_tokens, tokens, worth)


def tokens_to_train_on(fresh: Quantity, unique_tokens: float) -> Floats:
    """Tokens, repeats included, that are worth `fresh` ones; infinite where no number of repeats is.

    The inverse of `repeated_tokens_value`.
    """
    fresh = np.asarray(fresh, dtype=float)
    left = 1 - (fresh / unique_tokens - 1) / REPETITION_HALF_LIFE
    with np.errstate(divide="ignore", invalid="ignore"):
        repeats = -REPETITION_HALF_LIFE * np.log(left)
    repeated = np.where(left > 0, unique_tokens * (1 + repeats), np.inf)
    return np.where(fresh <= unique_tokens, fresh, repeated)
