"""Which model a text names, and how a line of policy/ is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from warehouse.schemas.names import model_key

_PHASES: Final = (
    ("posttraining", r"sft|rlhf|dpo|grpo|fine.?tun|distil|post.?train|align"),
    ("pretraining", r"pre.?train|train"),
    ("inference", r"serv|infer|prod|api|chat"),
)
_WORD: Final = r"[a-z]+[a-z0-9]*|\d+(?:\.\d+)?[bm]"
"""A word of a name, or a size: 8b, 0.5b, 350m."""
_TELLING: Final = 4
"""Letters from which on the first word of a model's name is its own."""


def named_models(models: pl.DataFrame, token_usage: pl.DataFrame) -> dict[str, str]:
    """Every name of a model as it is compared, with its id: those of models.csv, then those that requests send."""
    sent = token_usage.filter(pl.col("model_id").is_null())["model"].drop_nulls().unique().sort()
    listed = models.select("model_id", "aliases").iter_rows()
    return {model_key(name): slug(name) for name in sent if model_key(name)} | {
        model_key(name): model_id for model_id, aliases in listed for name in (model_id, *(aliases or []))
    }


def model_in(text: str | None, names: Mapping[str, str]) -> str | None:
    """The model with the longest name that the text contains."""
    folded = model_key(text or "")
    name = max((name for name in names if name and name in folded), key=len, default=None)
    return None if name is None else names[name]


def model_like(text: str | None, names: Mapping[str, str]) -> str | None:
    """The one model whose name begins with a word of the text, where the text says no size that the name lacks."""
    words = re.findall(_WORD, model_key(text or ""))
    sizes = {word for word in words if word[0].isdigit()}
    alike = {
        model_id
        for name, model_id in names.items()
        if (parts := re.findall(_WORD, name)) and len(parts[0]) >= _TELLING
        if parts[0] in words and sizes <= set(parts)
    }
    return alike.pop() if len(alike) == 1 else None


def phase_in(text: str, otherwise: str) -> str:
    """The phase whose words the text has; a run is never inference."""
    phases = _PHASES[:2] if otherwise == "pretraining" else _PHASES
    return next((phase for phase, words in phases if re.search(words, text, re.IGNORECASE)), otherwise)


def slug(text: str) -> str:
    """A name as an id: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-") or "unnamed"


def line(*cells: object) -> str:
    """A line of CSV; a cell is quoted where it has to be."""
    values = ("" if cell is None else str(cell) for cell in cells)
    return ",".join(
        f'"{text.replace(chr(34), chr(34) * 2)}"' if re.search(r'[",\n\r]', text) else text for text in values
    )
