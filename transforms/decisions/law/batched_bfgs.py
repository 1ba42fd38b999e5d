"""Many small smooth minimisations at once: BFGS with a weak Wolfe line search, one problem per row.

The sum of Huber losses with a narrow corner is nearly a sum of absolute values; BFGS with this line search converges on
such functions too.

Reference: Lewis and Overton 2013, Nonsmooth optimization via quasi-Newton methods, Mathematical Programming 141.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from transforms.decisions.law.laws import Floats

# Values and gradients of the problems named by their numbers at the points given, row for row.
Objective: TypeAlias = Callable[[Floats, npt.NDArray[np.intp]], tuple[Floats, Floats]]

_MOST_STEPS: Final = 400
_MOST_TRIALS: Final = 25
_IDLE_STEPS: Final = 3
_DECREASE: Final = 1e-4
_CURVATURE: Final = 0.9


@dataclass
class _State:
    """Where each problem stands."""

    points: Floats
    values: Floats
    gradients: Floats
    inverse_hessians: Floats


def minimise(objective: Objective, starts: Floats, tolerance: float) -> tuple[Floats, Floats]:
    """The points of least value found from each start, and the values; a row stops when it gains under `tolerance`."""
    problems, width = starts.shape
    every = np.arange(problems)
    values, gradients = objective(starts, every)
    identity = np.broadcast_to(np.eye(width), (problems, width, width)).copy()
    state = _State(starts.copy(), values, gradients, identity)
    active, idle_steps = every, np.zeros(problems, dtype=int)
    for _ in range(_MOST_STEPS):
        before = state.values[active]
        _step(objective, state, active)
        is_slow = before - state.values[active] < tolerance
        idle_steps[active] = np.where(is_slow, idle_steps[active] + 1, 0)
        active = active[idle_steps[active] < _IDLE_STEPS]
        if not active.size:
            break
    return state.points, state.values


def _step(objective: Objective, state: _State, active: npt.NDArray[np.intp]) -> None:
    directions = -np.einsum("pij,pj->pi", state.inverse_hessians[active], state.gradients[active])
    slopes = np.einsum("pi,pi->p", directions, state.gradients[active])
    is_uphill = slopes >= 0
    directions[is_uphill] = -state.gradients[active][is_uphill]
    slopes[is_uphill] = -np.einsum("pi,pi->p", directions[is_uphill], directions[is_uphill])
    points, values, gradients = _search(objective, state, active, directions, slopes)
    _update(state, active, points - state.points[active], gradients - state.gradients[active])
    state.points[active], state.values[active], state.gradients[active] = points, values, gradients


def _search(
    objective: Objective, state: _State, active: npt.NDArray[np.intp], directions: Floats, slopes: Floats
) -> tuple[Floats, Floats, Floats]:
    """Bracket and halve until the step decreases enough and the slope has flattened enough."""
    size = active.size
    low, high, length = np.zeros(size), np.full(size, np.inf), np.ones(size)
    points, values, gradients = state.points[active].copy(), state.values[active].copy(), state.gradients[active].copy()
    searching = np.arange(size)
    for _ in range(_MOST_TRIALS):
        trial = state.points[active[searching]] + length[searching, None] * directions[searching]
        value, gradient = objective(trial, active[searching])
        limit = state.values[active[searching]] + _DECREASE * length[searching] * slopes[searching]
        is_short = value <= limit
        is_flat = np.einsum("pi,pi->p", gradient, directions[searching]) >= _CURVATURE * slopes[searching]
        kept = searching[is_short]
        points[kept], values[kept], gradients[kept] = trial[is_short], value[is_short], gradient[is_short]
        low[kept] = length[kept]
        high[searching[~is_short]] = length[searching[~is_short]]
        searching = searching[~(is_short & is_flat)]
        if not searching.size:
            break
        length[searching] = np.where(np.isinf(high[searching]), 2 * low[searching], (low + high)[searching] / 2)
    return points, values, gradients


def _update(state: _State, active: npt.NDArray[np.intp], moved: Floats, turned: Floats) -> None:
    """The BFGS update of the inverse Hessians, skipped where the curvature is not positive."""
    curvature = np.einsum("pi,pi->p", moved, turned)
    is_safe = curvature > 1e-12 * np.linalg.norm(moved, axis=1) * np.linalg.norm(turned, axis=1) + 1e-300
    rows, step, turn, rho = active[is_safe], moved[is_safe], turned[is_safe], 1 / curvature[is_safe]
    inverse = state.inverse_hessians[rows]
    pulled = np.einsum("pij,pj->pi", inverse, turn)
    stretch = (1 + rho * np.einsum("pi,pi->p", turn, pulled)) * rho
    cross = np.einsum("p,pi,pj->pij", rho, pulled, step)
    outer = np.einsum("p,pi,pj->pij", stretch, step, step)
    state.inverse_hessians[rows] = inverse - cross - cross.transpose(0, 2, 1) + outer
