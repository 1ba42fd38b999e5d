"""What moving a task, or all of them, to a smaller model that serves already is truly worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.future import worth

if TYPE_CHECKING:
    import numpy as np

    from bench.companies import Student

ROUTE: Final = (0.5, 1.0)
RETIRE: Final = (1.0, 2.0)
MIGRATION: Final = 20_000.0
ONE_OFF: Final = 70_000.0  # evaluation and migration


@dataclass(frozen=True)
class Moves:
    """The demand that comes, what a million tokens of it cost, its tasks, and who might serve them."""

    daily_tokens: np.ndarray
    allocated_price: float
    shares: dict[str, float]
    students: tuple[Student, ...]


def moved_task(moves: Moves, row: dict[str, Any]) -> tuple[float, float]:
    """The task at the student's price, what it does not keep paid for twice; or all of them, if the users accept it."""
    student = next(student for student in moves.students if student.name == row["target_model_id"])
    if row["action"] == "retire":
        all_of_it = moves.daily_tokens * (moves.allocated_price - student.true_price) / 1e6
        return even_bet(*worth(all_of_it, RETIRE, ONE_OFF))
    saved = student.kept[row["task"]] * moves.allocated_price - student.true_price
    return worth(moves.daily_tokens * moves.shares[row["task"]] * saved / 1e6, ROUTE, MIGRATION)


def even_bet(value: float, saving: float, paid: float = ONE_OFF) -> tuple[float, float]:
    """What is worth so much if it passes its evaluation, and costs what was paid once if it does not."""
    return (value - paid) / 2, saving
