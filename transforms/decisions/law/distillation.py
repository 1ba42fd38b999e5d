"""How good a student a teacher can make, and when training it alone is better.

Reference: Busbridge et al. 2025, Distillation Scaling Laws, arXiv:2502.08606, equations 8 and 9, table 6.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from transforms.decisions.law.laws import Quantity

# Equation 9: loss of a model trained alone, in nats per token.
_E: Final = 1.220
_A: Final = 3355.0
_B: Final = 18186.0
_ALPHA: Final = 0.408
_BETA: Final = 0.431
_GAMMA: Final = 0.452
# Equation 8: what the student adds to the loss of its teacher.
_STUDENT_A: Final = 2243.0
_STUDENT_B: Final = 24181.0
_STUDENT_ALPHA: Final = 0.321
_STUDENT_BETA: Final = 0.637
_STUDENT_GAMMA: Final = 0.764
_C0: Final = 2.549
_C1: Final = 522.6
_D1: Final = 1.315
_F1: Final = 0.090
# Student tokens among which the threshold is sought, 200 a decade.
_TRIED: Final = np.geomspace(1e8, 1e15, 1401)


def supervised_loss(params: Quantity, tokens: Quantity) -> Quantity:
    """Loss of a model trained alone (equation 9)."""
    return _E + (_A / params**_ALPHA + _B / tokens**_BETA) ** _GAMMA


def distilled_loss(teacher_loss: Quantity, params: Quantity, tokens: Quantity) -> Quantity:
    """Loss of a student of `params` distilled on `tokens` (equation 8).

    The capacity gap is in the bracket: a teacher far better than the student could become alone teaches it worse.
    """
    gap = (teacher_loss / (supervised_loss(params, tokens) * _D1)) ** (1 / _F1)
    added = (_STUDENT_A / params**_STUDENT_ALPHA + _STUDENT_B / tokens**_STUDENT_BETA) ** _STUDENT_GAMMA
    return teacher_loss + teacher_loss**-_C0 * (1 + gap) ** (-_C1 * _F1) * added


def supervised_threshold_tokens(teacher_loss: float, params: float) -> float:
    """Student tokens above which training it alone gives the lower loss; infinite where that never happens."""
    is_worse = np.asarray(distilled_loss(teacher_loss, params, _TRIED) >= supervised_loss(params, _TRIED))
    return float(_TRIED[is_worse.argmax()]) if np.any(is_worse) else float("inf")
