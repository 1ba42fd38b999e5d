"""Which model a name means: ids and aliases of models.csv, compared as people read them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from warehouse.schemas.names import model_key
from warehouse.sources.policy.faults import Fault
from warehouse.sources.policy.files import Sheet


@dataclass(frozen=True)
class Names:
    """Every name of every model -> its model_id."""

    model_ids: Mapping[str, str]

    def canonical(self, name: str) -> str | None:
        """The model_id that this name means."""
        return self.model_ids.get(model_key(name))

    def hint(self, name: str) -> str:
        """What to do about a name that nothing has."""
        near = difflib.get_close_matches(model_key(name), self.model_ids, n=1)
        meant = f"; did you mean {self.model_ids[near[0]]!r}?" if near else ""
        return f"write a model_id of models.csv or add the model there{meant}"


def names_of(models: Sheet) -> tuple[Names, tuple[Fault, ...]]:
    """The names of models.csv, and those that two models share."""
    model_ids: dict[str, str] = {}
    lines: dict[str, int] = {}
    faults = []
    for line, model_id, name in _claims(models):
        key = model_key(name)
        if key in lines and lines[key] != line:
            what = f"name of a model stands in line {lines[key]} already"
            faults.append(Fault(models.file, line, what, name, "give each model its own names"))
        model_ids.setdefault(key, model_id)
        lines.setdefault(key, line)
    return Names(model_ids), tuple(faults)


def _claims(models: Sheet) -> Iterator[tuple[int, str, str]]:
    """Line, model and name, ids before aliases."""
    rows = models.rows.select("line", "model_id", "aliases").rows()
    yield from ((line, model_id, model_id) for line, model_id, _ in rows)
    yield from ((line, model_id, alias) for line, model_id, aliases in rows for alias in aliases)
