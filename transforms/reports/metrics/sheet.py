"""The numbers of the model sheets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

SPENT = "pretraining_usd + posttraining_usd + inference_usd"


def sheet_numbers(night: Night, model_id: str) -> Iterator[Number]:
    """Lifetime cost, cost of imbalance, what its best action returns, and what is not yet amortised."""
    ours = f"model_id = {literal(model_id)}"
    tonight = f"as_of = {literal(night.as_of)} AND {ours}"
    number = partial(Number, "sheet")
    yield number(f"{model_id}:lifetime", f"Lifetime cost of {model_id}", night.currency, "economics.thirds",
                 f"sum({SPENT})", SPENT.replace(" +", ","), tonight)  # fmt: skip
    yield number(f"{model_id}:penalty", f"Cost of imbalance of {model_id}", "ratio", "economics.thirds",
                 "sum(penalty_ratio)", "penalty_ratio", tonight)  # fmt: skip
    rank = best_rank(night, model_id)
    for p in (10, 50, 90) if rank else ():
        column = f"net_present_value_usd_p{p}"
        yield number(f"{model_id}:value_p{p}", f"Value of the first action on {model_id}, P{p}", night.currency,
                     "decisions.recommendations", f"sum({column})", column,
                     f"as_of = {literal(night.as_of)} AND rank = {rank}")  # fmt: skip
    yield number(f"{model_id}:carried", f"Training of {model_id} not yet amortised", night.currency,
                 "reports.runoffs", "sum(closing_usd)", "closing_usd", ours)  # fmt: skip


def best_rank(night: Night, model_id: str) -> int | None:
    """The rank of the best action on a model."""
    acted = night.tables["recommendations"].filter(pl.col("model_id") == model_id, pl.col("action") != "hold")
    return int(acted["rank"].min()) if acted.height else None  # type: ignore[arg-type]
