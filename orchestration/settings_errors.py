"""A fault of trisect.toml said in four parts: what, where, which value, what to do."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, get_args

from orchestration.section import Section

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FILE: Final = "trisect.toml"
SECRETIVE: Final = "delivery"
"""The section whose values are never repeated: somebody may have put a password there."""

Path = tuple[str, ...]
_HEADER: Final = re.compile(r"\s*\[{1,2}\s*([\w.-]+)\s*\]")


def variable_of(section: str, key: str) -> str:
    """The environment variable that overrides a scalar."""
    return f"TRISECT_{section}_{key}".upper()


def explained(errors: Sequence[ErrorDetails], text: str, root: type[Section]) -> Iterator[str]:
    """Every fault that the validator reports, with line, value and remedy."""
    for error in errors:
        path = tuple(f"[{step}]" if isinstance(step, int) else step for step in error["loc"])
        if error["type"] == "extra_forbidden":
            within = ".".join(step for step in path[:-1] if not step.startswith("[")) or "the top level"
            yield sentence(path, f"unknown key {path[-1]!r} in {within}", _known_keys(root, path), text)
        elif error["type"] == "missing":
            yield sentence(path, f"the key {path[-1]!r} is missing", "", text)
        else:
            is_shown = path[0] != SECRETIVE and not isinstance(error["input"], dict | list)
            named = f"{path[-1]} = {error['input']!r}: {error['msg']}" if is_shown else error["msg"]
            yield sentence(path, named, _example(root, path), text)


def sentence(path: Path, what: str, remedy: str, text: str) -> str:
    """One sentence about one place of the settings."""
    variable = variable_of(path[0], path[-1]) if len(path) == 2 else ""  # noqa: PLR2004 - section and key
    line = line_of(text, path)
    where = f"environment variable {variable}" if variable in os.environ else FILE + (f", line {line}" if line else "")
    return f"{where}: {what}" + (f"; {remedy}" if remedy else "")


def line_of(text: str, path: Path) -> int:
    """The line of a key, else of the closest table around it; 0 where the file has neither."""
    lines = text.splitlines()
    start, line = _header_line(lines, path)
    for key in path[1:] if start else path:
        pattern = re.compile(rf"\s*(?:\[+\s*[\w.]+\.)?[\"']?{re.escape(key)}[\"']?\s*[=\]]")
        ends = (n for n in range(start, len(lines)) if n > start and _is_top(lines[n], path))
        reach = range(max(line - 1, 0), next(ends, len(lines)))
        line = next((n + 1 for n in reach if pattern.match(lines[n])), line)
    return line


def _header_line(lines: Sequence[str], path: Path) -> tuple[int, int]:
    """Index of the first line below the header of the path's table, and that header's line; of `source`, the nth."""
    wanted = int(path[1].strip("[]")) if len(path) > 1 and path[1].startswith("[") else 0
    headers = [n for n, line in enumerate(lines, 1) if path and (at := _HEADER.match(line)) and at[1] == path[0]]
    return (headers[wanted], headers[wanted]) if wanted < len(headers) else (0, 0)


def _is_top(line: str, path: Path) -> bool:
    """Whether another table begins here, not a part of the one that the path is in."""
    header = _HEADER.match(line)
    return header is not None and not header[1].startswith(f"{path[0]}.")


def _section(root: type[Section], path: Path) -> type[Section]:
    """The section that a path of keys lies in, as far as there are sections."""
    for step in (step for step in path[:-1] if not step.startswith("[")):
        field = root.model_fields.get(step)
        root = next((part for part in _parts(field.annotation) if _is_section(part)), root) if field else root
    return root


def _parts(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - an annotation
    return (annotation, *(part for inner in get_args(annotation) for part in _parts(inner)))


def _is_section(part: object) -> bool:
    return isinstance(part, type) and issubclass(part, Section)


def _known_keys(root: type[Section], path: Path) -> str:
    keys = list(_section(root, path).model_fields)
    near = difflib.get_close_matches(path[-1], keys, n=1)
    return f"known: {', '.join(keys)}" + (f"; did you mean {near[0]!r}?" if near else "")


def _example(root: type[Section], path: Path) -> str:
    """The words that a key allows, else its default as an example."""
    field = _section(root, path).model_fields.get(path[-1])
    if field is None:
        return ""
    words = [part for part in _parts(field.annotation) if isinstance(part, str)]
    if words:
        return f"write one of {', '.join(words)}"
    is_plain = isinstance(field.default, str | int | float) and field.default != ""
    return f"write it like {field.default!r}" if is_plain else ""
