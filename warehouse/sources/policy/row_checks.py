"""What one row of a policy table must fulfil by itself, beyond the types of its cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from warehouse.schemas.quality_metrics import better_direction
from warehouse.sources.casts.currencies import IN_USE
from warehouse.sources.policy.faults import Fault
from warehouse.vocabulary import PHASES

Row = Mapping[str, Any]

EVERYTHING: Final = "*"
ABOVE_ZERO: Final[Mapping[str, tuple[str, ...]]] = {
    "models": ("params", "active_params"),
    "lives": ("months", "expected_tokens"),
    "fx": ("rate",),
    "instances": ("gpus",),
}
ORDERED: Final = (("valid_from", "valid_to"), ("released_on", "retires_on"))
REQUEST_FIELDS: Final = ("deployment", "model", "team", "tenant", "task")


def faults_of_row(name: str, file: str, row: Row) -> Iterator[Fault]:
    """What is wrong with one row of one table."""
    yield from _reversed(file, row)
    yield from _not_above_zero(file, row, ABOVE_ZERO.get(name, ()))
    if name in RULES:
        yield from RULES[name](file, row)


def _reversed(file: str, row: Row) -> Iterator[Fault]:
    for start, end in ORDERED:
        if row.get(start) and row.get(end) and row[end] < row[start]:
            yield Fault(file, row["line"], f"{end} before {start}", str(row[end]), f"write a day after {row[start]}")


def _not_above_zero(file: str, row: Row, columns: Iterable[str]) -> Iterator[Fault]:
    for column in columns:
        if row[column] is not None and row[column] <= 0:
            yield Fault(file, row["line"], f"{column}: not above zero", str(row[column]), "write more than zero")


def _rule_of_models(file: str, row: Row) -> Iterator[Fault]:
    if row["params"] and row["active_params"] and row["active_params"] > row["params"]:
        value = f"{row['active_params']:g} of {row['params']:g}"
        remedy = "a token uses at most all parameters: correct one of the two"
        yield Fault(file, row["line"], "active_params above params", value, remedy)


def _rule_of_attribution(file: str, row: Row) -> Iterator[Fault]:
    """A pool, model or deployment needs its name; a model's cost needs a phase unless requests say it serves."""
    if row["target"] in {"pool", "model", "deployment"} and not row["target_id"]:
        yield Fault(file, row["line"], "target_id: empty cell", row["target"], f"name the {row['target']}")
    if row["target"] == "model" and not row["phase"] and row["field"].lower() not in REQUEST_FIELDS:
        remedy = f"write one of {', '.join(PHASES)}"
        yield Fault(file, row["line"], "phase: empty cell under target model", row["target_id"] or "", remedy)


def _rule_of_lives(file: str, row: Row) -> Iterator[Fault]:
    if row["method"] == "straight_line" and row["months"] is None:
        yield Fault(file, row["line"], "months: empty cell under straight_line", row["model_id"], "write the months")


def _rule_of_fx(file: str, row: Row) -> Iterator[Fault]:
    if row["currency"].upper() not in IN_USE:
        yield Fault(
            file, row["line"], "currency: no currency in use", row["currency"], "write its ISO 4217 code, as EUR"
        )


def _rule_of_rates(file: str, row: Row) -> Iterator[Fault]:
    """A price, or two values with the days they hold on; a rise in value is no cost."""
    opening, closing = row["opening_usd"], row["closing_usd"]
    for column, filled, other in (("closing_usd", opening, closing), ("opening_usd", closing, opening)):
        if filled is not None and other is None:
            remedy = "write what the GPUs are worth on valid_from and on valid_to, or neither"
            yield Fault(file, row["line"], f"{column}: empty cell beside a value", row["pool_id"], remedy)
    if opening is None and closing is None and row["usd_per_gpu_hour"] is None:
        remedy = "write a price, or opening_usd and closing_usd"
        yield Fault(file, row["line"], "usd_per_gpu_hour: empty cell", row["pool_id"], remedy)
    if opening is not None and closing is not None and opening < closing:
        remedy = f"write at most {opening.normalize():f}: a rise in value is no cost"
        yield Fault(file, row["line"], "closing_usd above opening_usd", f"{closing.normalize():f}", remedy)
    first, after = row["valid_from"], row["valid_to"]
    if opening is not None and not (first and after and first != after):
        remedy = "write valid_from and a later valid_to: the value is lost between them"
        yield Fault(file, row["line"], "loss of value without days", row["pool_id"], remedy)


def _rule_of_budgets(file: str, row: Row) -> Iterator[Fault]:
    if row["phase"] not in {EVERYTHING, *PHASES}:
        remedy = f"write {EVERYTHING} or one of {', '.join(PHASES)}"
        yield Fault(file, row["line"], "phase: unknown word", row["phase"], remedy)


def _rule_of_workloads(file: str, row: Row) -> Iterator[Fault]:
    """A metric of unknown direction is asked about: read the wrong way, it moves users to a worse model."""
    if row["better"] is None and better_direction(row["quality_metric"]) is None:
        remedy = "write higher or lower: whether more of it is better"
        what = "better: empty cell, and the metric is in no list"
        yield Fault(file, row["line"], what, row["quality_metric"], remedy)


def _rule_of_commitments(file: str, row: Row) -> Iterator[Fault]:
    renewal = row["renewal"]
    if renewal is not None and not re.fullmatch(r"ends|renews|notice:\d+", renewal):
        yield Fault(
            file, row["line"], "renewal: unknown word", renewal, "write ends, renews or notice:<days>, as notice:90"
        )


RULES: Final[Mapping[str, Callable[[str, Row], Iterator[Fault]]]] = {
    "models": _rule_of_models,
    "attribution": _rule_of_attribution,
    "lives": _rule_of_lives,
    "fx": _rule_of_fx,
    "rates": _rule_of_rates,
    "budgets": _rule_of_budgets,
    "workloads": _rule_of_workloads,
    "commitment_terms": _rule_of_commitments,
}
