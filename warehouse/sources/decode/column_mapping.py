"""Which columns a reader wants of a file, and where they are found in its header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from warehouse.sources.reader_protocol import RejectedFile
from warehouse.sources.source import Source

Unmapped = Literal["kept", "dropped"]
LastLine = Literal["ended", "any"]
MOST_COLUMNS: Final = 2000
_CONSTANTS: Final = MappingProxyType({"currency": "USD"})
"""Columns that are mostly one value for a whole source, with an example."""
_NO_TEXT: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class Layout:
    """What a reader wants of a file's columns.

    `names` maps a canonical column to the names it may have in a file, best first; of each group of `required` at least
    one canonical column must be there; a column of `constants` is there with one value, whatever the file says.
    Columns that nobody asked for are kept (bills) or dropped (they may hold prompts); of a bill whose rows have ids
    only those whose names begin with one of `kept_starts`. Where the settings name the columns, a missing one names
    its setting.
    """

    names: Mapping[str, tuple[str, ...]]
    required: tuple[tuple[str, ...], ...] = ()
    constants: Mapping[str, str] = field(default_factory=lambda: _NO_TEXT)
    unmapped: Unmapped = "dropped"
    last_line: LastLine = "any"
    separator: str = ","
    quoting: Literal["doubled", "none"] = "doubled"
    kept_starts: tuple[str, ...] | None = None
    is_named_by_settings: bool = False


@dataclass(frozen=True)
class ColumnMapping:
    """The column of the file for each canonical name, and the names of the columns that are kept beside them."""

    taken: Mapping[str, str]
    unmapped: tuple[str, ...]


def source_layout(
    source: Source,
    columns: Sequence[str],
    required: tuple[tuple[str, ...], ...],
    unmapped: Unmapped = "dropped",
    last_line: LastLine = "any",
) -> Layout:
    """The layout of a `table` source: canonical names, unless its settings name the column of the file."""
    mapped = {name: (source.columns.get(name, name),) for name in (*columns, *source.columns)}
    return Layout(mapped, required, source.constants, unmapped, last_line, is_named_by_settings=True)


def cleaned(header: Sequence[str]) -> list[str]:
    """Column names free of white space, no-break spaces and stray byte order marks around them.

    Raises:
        RejectedFile: limit, for more columns than any table needs.
    """
    if len(header) > MOST_COLUMNS:
        raise RejectedFile("limit", f"{len(header)} columns; {MOST_COLUMNS} are read at most")
    return [name.strip().strip("\ufeff").strip() for name in header]


def find(header: Sequence[str], layout: Layout) -> ColumnMapping:
    """The wanted columns in a cleaned header: by exact name, else whatever the case, else by the next name.

    Raises:
        RejectedFile: missing_column, then duplicate_column for two names equal up to case.
    """
    folded: dict[str, str] = {}
    for name in header:
        folded.setdefault(name.casefold(), name)
    named = {canonical: _first(names, header, folded) for canonical, names in layout.names.items()}
    taken = {canonical: name for canonical, name in named.items() if name and canonical not in layout.constants}
    _refuse_missing(layout, {*taken, *layout.constants}, header)
    _refuse_twins(header)
    used = set(taken.values())
    others = [name for name in header if name and name not in used] if layout.unmapped == "kept" else []
    return ColumnMapping(taken, tuple(name for name in others if _is_kept(name, layout)))


def _is_kept(name: str, layout: Layout) -> bool:
    starts = layout.kept_starts
    return starts is None or name.casefold().startswith(tuple(start.casefold() for start in starts))


def _first(names: Sequence[str], header: Sequence[str], folded: Mapping[str, str]) -> str | None:
    spelled = (name if name in header else folded.get(name.casefold()) for name in names)
    return next((name for name in spelled if name), None)


_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


def _refuse_missing(layout: Layout, present: set[str], header: Sequence[str]) -> None:
    for group in layout.required:
        if not present.intersection(group):
            wanted = " or ".join(layout.names.get(column, (column,))[0] for column in group)
            what = f"missing column {wanted}, found: {_shown(layout, header)}"
            raise RejectedFile("missing_column", what + (_separated(header) or _setting(layout, group)))


def _separated(header: Sequence[str]) -> str:
    """What to do where one name is the whole header, because something else than commas stands between the names."""
    only = header[0] if len(header) == 1 else ""
    mark = max(_SEPARATORS, key=only.count)
    if not only.count(mark):
        return ""
    return f"; its columns are separated by {_SEPARATORS[mark]}: save it with commas, and numbers with a decimal point"


def _setting(layout: Layout, group: Sequence[str]) -> str:
    """The settings that would give the column, for a format that has no names of its own."""
    if not layout.is_named_by_settings:
        return ""
    column = group[0]
    named = f'; name it in trisect.toml: [source.columns] {column} = "its name in the file"'
    value = _CONSTANTS.get(column)
    return named + (f', or for the whole source [source.constants] {column} = "{value}"' if value else "")


def _shown(layout: Layout, header: Sequence[str]) -> str:
    """Names of a log's other columns are not repeated: where a header is missing, they are content."""
    names = {name.casefold() for wanted in layout.names.values() for name in wanted}
    shown = [name for name in header if layout.unmapped == "kept" or name.casefold() in names]
    return f"{len(header)} columns ({', '.join(shown)[:300]})"


def _refuse_twins(header: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in filter(None, header):
        if name.casefold() in seen:
            raise RejectedFile("duplicate_column", f"two columns are called {name!r} up to case; name each once")
        seen.add(name.casefold())
