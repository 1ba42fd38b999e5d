"""Every sentence of page 7, case by case."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from templates.pages.index import Ref
from templates.wording import unmarked, wording
from warehouse.schemas.decisions.outcomes import REWARD_REASONS, RUN_KINDS, RUN_REASONS
from warehouse.schemas.reports import LAW_VERDICTS, TASK_STANDINGS


def say(code: str, fact: object) -> str:
    return unmarked(wording("USD").say("compute", code, fact)).replace("\u00a0", " ")


def number(value: int) -> Any:
    """A number of the index, of which words read the value."""
    return Ref("K-01", "one", Decimal(value), "One", "USD", "economics.one", "one", "", "select 1", "0" * 8)


LEAD = {"code": "split_some", "low": 3.6, "high": 43.0, "stops": 0, "stop_remaining": None, "small_batches": None}
RANGE = (
    "What decides is the demand of a model over its life against the tokens that train its quality at least cost: "
    "between 3.6 and 43 times, an equal split costs at most 10 % more than the best one."
)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, RANGE),
        ({"small_batches": number(551_000)}, f"{RANGE} Small batches cost $551k a month."),
        ({"small_batches": number(0)}, RANGE),
        ({"stops": 1, "stop_remaining": number(48_000)},
         f"{RANGE} One run should stop or roll back: $48.0k is left to pay."),
        ({"code": "demand_unknown"}, "A law knows the models, but their demand cannot be forecast yet."),
        ({"code": "runs", "stops": 2}, "Two runs should stop or roll back."),
        ({"code": "batches", "small_batches": number(551_000)}, ""),
    ],
)  # fmt: skip
def test_the_lead(given: dict[str, Any], words: str) -> None:
    assert say("lead", SimpleNamespace(**LEAD | given)) == words


@pytest.mark.parametrize(
    ("code", "words"),
    list(zip(LAW_VERDICTS, ("smaller, trained longer", "larger, trained shorter", "near its least cost",
                            "demand not known"), strict=True)),
)  # fmt: skip
def test_what_the_law_says(code: str, words: str) -> None:
    assert say("verdict", {"verdict": code, "is_extrapolated": False}) == words
    assert say("verdict", {"verdict": code, "is_extrapolated": True}) == f"{words}; beyond the data"


def test_the_law_is_named_with_the_reach_of_its_data() -> None:
    own = {"source": "own fit to 30 runs", "tokens_per_param_min": 8.0, "tokens_per_param_max": 128.0}
    assert say("law", own).endswith(
        "Law: own fit to 30 runs; beyond the data: outside its 8 to 128 tokens a parameter."
    )
    assert say("law", {**own, "tokens_per_param_max": None}).endswith("Law: own fit to 30 runs.")


def test_what_a_latency_limit_costs_and_which_gpus_are_shared() -> None:
    axis = "Line: the batch from which a chip computes longer than it reads the weights."
    assert say("batches", SimpleNamespace(shared="", premium=None)) == axis
    assert say("batches", SimpleNamespace(shared="edge", premium=number(31_000))) == (
        f"{axis} Deployments of several models have no loss of their own: edge. "
        "Latency limits cost $31.0k a month: without them fewer GPUs would do."
    )


@pytest.mark.parametrize(
    ("code", "words"),
    list(zip(TASK_STANDINGS, ("on a small model", "movable, measured", "movable if evaluated", "recurring, stays",
                         "open-ended, stays", "task not named"), strict=True)),
)  # fmt: skip
def test_where_work_is_served_or_could_be(code: str, words: str) -> None:
    assert say("standing", code) == words


def test_the_largest_task_and_how_many_more() -> None:
    assert say("largest", {"task": "triage", "model_id": "m", "tasks": 1}) == "triage on m"
    assert say("largest", {"task": None, "model_id": "m", "tasks": 3}) == "m and 2 more"


def test_a_teacher_is_a_memo() -> None:
    row = {"model_id": "small", "teacher_model_id": "large", "teacher_training_usd": Decimal(762_000)}
    assert say("teachers", [row]) == "small learnt from large, whose training cost $762k; that is part of the teacher."
    assert say("teachers", []) == ""


@pytest.mark.parametrize("reason", [*RUN_REASONS, *REWARD_REASONS])
@pytest.mark.parametrize(
    ("verdict", "first"),
    [("continue", "continue"), ("stop", "stop"), ("roll_back", "roll back"), ("unknown", "not known")],
)
def test_every_verdict_on_a_run_has_a_reason_in_words(verdict: str, first: str, reason: str) -> None:
    words = say("run_verdict", {"verdict": verdict, "reason_code": reason})
    assert words.startswith(f"{first}: ")
    assert "_" not in words


@pytest.mark.parametrize("kind", RUN_KINDS)
def test_every_kind_of_run_has_a_name(kind: str) -> None:
    assert say("kind", kind) in {"pre-training", "sweep", "fine-tuning", "RL"}
