"""Which models are so near to a model that its users could be served by them.

The nearest is the model it was made from. Next come those of its family and those made from the same base, of at least
half its size: a smaller one would be another product. What was made from a model is no host for it, whatever family it
is of: it was trained for something narrower, and may have lost the rest. Whether the users accept a host is the quality
gate of the card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LEAST_SHARE: Final = 0.5


@dataclass(frozen=True)
class Lineage:
    """The models near to one: what it was made from, its family and siblings, and what was made from it, by name."""

    bases: Sequence[str] = ()
    relatives: Sequence[str] = ()
    descendants: Sequence[str] = ()


def lineages_of(models: pl.DataFrame) -> dict[str, Lineage]:
    """The lineage of each model."""
    bases = dict(models.filter(pl.col("base_model_id").is_not_null()).select("model_id", "base_model_id").iter_rows())
    descendants: dict[str, list[str]] = {}
    for name in models.get_column("model_id").sort():
        for ancestor in _ancestors(name, bases):
            descendants.setdefault(ancestor, []).append(name)
    relatives: dict[str, list[str]] = {}
    for model_id, other in _related(models).sort("model_id", "other").iter_rows():
        if other not in descendants.get(model_id, ()):
            relatives.setdefault(model_id, []).append(other)
    return {
        name: Lineage([bases[name]] if name in bases else [], relatives.get(name, []), descendants.get(name, []))
        for name in models.get_column("model_id").sort()
    }


def _ancestors(name: str, bases: Mapping[str, str]) -> list[str]:
    """What a model was made from, and what that was made from; a circle ends where it closes."""
    ancestors: list[str] = []
    while name in bases and bases[name] not in ancestors:
        name = bases[name]
        ancestors.append(name)
    return ancestors


def _related(models: pl.DataFrame) -> pl.DataFrame:
    """One model and one of its family or made from the same base, of at least half its size."""
    size = pl.coalesce("active_params", "params")
    sized = models.select("model_id", "family", "base_model_id", size=size)
    others = models.select(other="model_id", other_base="base_model_id", other_family="family", other_size=size)
    joins = (("family", "other_family"), ("base_model_id", "other_base"))
    pairs = pl.concat(
        [
            sized.join(others, left_on=own, right_on=their).select("model_id", "size", "other", "other_size")
            for own, their in joins
        ]
    )
    is_large = (pl.col("other_size") >= _LEAST_SHARE * pl.col("size")).fill_null(value=True)
    return pairs.filter(is_large, pl.col("model_id") != pl.col("other")).select("model_id", "other").unique()
