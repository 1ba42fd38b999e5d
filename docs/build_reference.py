"""Writes docs/reference/, the formats of the README and of the menu: what the code says of itself, never out of date.

`python docs/build_reference.py` writes the pages, `python docs/build_reference.py --check` says which are not current.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from pydantic.fields import FieldInfo

from orchestration import settings
from orchestration.cli import EXIT_MEANINGS, trisect
from orchestration.section import Section
from orchestration.settings_errors import variable_of
from warehouse import vocabulary
from warehouse.schemas import STAGES, tables_of
from warehouse.schemas.columns import Column
from warehouse.schemas.findings import FINDING_KINDS
from warehouse.sources.registry import FORMATS

FOLDER: Final = Path(__file__).parent / "reference"
README: Final = Path(__file__).parent.parent / "README.md"
MENU: Final = README.parent / "mkdocs.yml"
BOUNDS: Final = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below", "min_length": "length at least"}


def pages() -> dict[str, str]:
    """File name -> text of every page of the reference."""
    stages = {f"tables-{stage.__name__.rpartition('.')[2]}.md": _tables(stage) for stage in STAGES}
    return {
        "index.md": _index(stages),
        "commands.md": _commands(),
        "settings.md": _settings(),
        "formats.md": _formats(),
        "reasons.md": _reasons(),
        **stages,
    }


def main() -> int:
    """Write the pages, or with --check name those that are not current."""
    written = {FOLDER / name: text for name, text in pages().items()} | {README: _readme(), MENU: _menu()}
    stale = [path for path, text in written.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        sys.stdout.writelines(f"{path.name} is not current; run python docs/build_reference.py\n" for path in stale)
        return bool(stale)
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.md"):
        if path not in written:
            path.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    return 0


def _readme() -> str:
    """The README, its table of formats with a name for each record that it lacks; what it says of others stays."""

    def row(match: re.Match[str]) -> str:
        named = set(re.findall(r"`(\w+)`", match[2]))
        more = [f"`{name}`" for kind, name in FORMATS if kind == match[1] and name not in named]
        return f"| `{match[1]}` | {', '.join([match[2], *more])} |"

    return re.sub(r"^\| `(\w+)` \| (.*) \|$", row, README.read_text(encoding="utf-8"), flags=re.MULTILINE)


def _menu() -> str:
    """The menu of the documentation, with the page of each format in the order of their names."""
    pages = sorted({record.page.removeprefix("docs/") for record in FORMATS.values()})
    lines = "".join(f"      - {page}\n" for page in pages)
    return re.sub(r"(?:^      - formats/\w+\.md\n)+", lines, MENU.read_text(encoding="utf-8"), flags=re.MULTILINE)


def _page(title: str, lead: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", lead, *parts]) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _index(stages: Iterable[str]) -> str:
    tables = "\n".join(f"- [Tables of `{name[7:-3]}`]({name})" for name in stages)
    return _page(
        "Reference",
        "Made from the code: `make docs` writes these pages, and a test holds them current.",
        "- [Commands and exit codes](commands.md)\n- [Settings](settings.md)\n- [Formats](formats.md)\n"
        f"- [Reasons and findings](reasons.md)\n{tables}",
    )


def _commands() -> str:
    parts = []
    for name, command in sorted(trisect.commands.items()):
        rows = [
            (
                ", ".join(f"`{word}`" for word in sorted(option.opts, key=len, reverse=True)),
                getattr(option, "help", None) or ("required" if option.required else "optional"),
            )
            for option in command.params
            if not getattr(option, "hidden", False)
        ]
        options = _table(("argument or option", "meaning"), rows) if rows else ""
        shown = "\n".join((command.epilog or "").split("\n\n")[1:])
        example = f"```sh\n{shown}\n```" if shown else ""
        said = (f"## trisect {name}", inspect.cleandoc(command.help or ""), options, example)
        parts.append("\n\n".join(part for part in said if part))
    codes = _table(("code", "meaning"), ((f"**{int(code)}**", meaning) for code, meaning in EXIT_MEANINGS.items()))
    return _page("Commands", "`trisect COMMAND --help` says the same.", *parts, f"## Exit codes\n\n{codes}")


def _settings() -> str:
    parts = []
    for name, section in _sections(settings.Settings, ""):
        rows = [
            (f"`{key}`", _allowed(field), _default(field), _variable(name, key))
            for key, field in section.model_fields.items()
            if not _section_of(field.annotation)
        ]
        if rows:
            meaning = inspect.cleandoc(section.__doc__ or "")
            parts.append(f"## [{name}]\n\n{meaning}\n\n" + _table(("key", "value", "default", "environment"), rows))
    return _page("Settings", "`trisect.toml`. Environment variables override scalars.", *parts)


def _sections(section: type[Section], name: str) -> Iterator[tuple[str, type[Section]]]:
    yield name, section
    for key, field in section.model_fields.items():
        if inner := _section_of(field.annotation):
            yield from _sections(inner, f"{name}.{key}".lstrip("."))


def _section_of(annotation: Any) -> type[Section] | None:  # noqa: ANN401 - an annotation
    return next((part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, Section)), None)


def _parts(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - an annotation
    return (annotation, *(part for inner in get_args(annotation) for part in _parts(inner)))


def _allowed(field: FieldInfo) -> str:
    words = [part for part in _parts(field.annotation) if isinstance(part, str)]
    named = [(word, getattr(limit, name, None)) for limit in field.metadata for name, word in BOUNDS.items()]
    bounds = [f"{word} {bound:g}" for word, bound in named if bound is not None]
    kinds = [part.__name__ for part in _parts(field.annotation) if isinstance(part, type) and part is not type(None)]
    return ", ".join([f"`{word}`" for word in words] or [" of ".join(dict.fromkeys(kinds)), *bounds])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    return "" if default in (None, "", [], {}) else f"`{default!r}`".replace("'", '"')


def _variable(section: str, key: str) -> str:
    is_scalar = section and "." not in section and section != "source"
    return f"`{variable_of(section, key)}`" if is_scalar else ""


def _formats() -> str:
    rows = [
        (f"`{kind}`", f"[`{name}`](../formats/{name}.md)", record.title, record.tier)
        for (kind, name), record in sorted(FORMATS.items())
    ]
    return _page(
        "Formats",
        "What `kind` and `format` of a `[[source]]` may say.",
        _table(("kind", "format", "reads", "tier"), rows),
    )


def _reasons() -> str:
    rows = _table(("reason", "meaning"), ((f"`{code}`", meaning) for code, meaning in vocabulary.ROW_REASONS.items()))
    files = _table(("reason", "meaning"), ((f"`{code}`", meaning) for code, meaning in vocabulary.FILE_REASONS.items()))
    nights = _table(
        ("reason", "meaning"), ((f"`{code}`", meaning) for code, meaning in vocabulary.NIGHT_REASONS.items())
    )
    findings = _table(
        ("kind", "doubt", "what to do"),
        ((f"`{code}`", "yes" if kind.is_doubt else "no", kind.remedy) for code, kind in sorted(FINDING_KINDS.items())),
    )
    return _page(
        "Reasons and findings",
        "What is written beside a row, a file or a night that does not count.",
        f"## Rows in quarantine\n\n{rows}",
        f"## Files that are rejected\n\n{files}",
        f"## Nights that are held\n\n{nights}",
        f"## Findings\n\nWhat each means to a user and what to do stands in [findings](../findings.md).\n\n{findings}",
    )


def _tables(stage: Any) -> str:  # noqa: ANN401 - a module or package of schemas
    name = stage.__name__.rpartition(".")[2]
    parts = [
        f"## {table.qualified()}\n\n{inspect.cleandoc(table.__doc__ or '')}\n\n"
        + _table(
            ("column", "type", "unit", "meaning"),
            ((f"`{key}`", _type(column), column.unit, _meaning(column)) for key, column in table.columns().items()),
        )
        for table in tables_of(stage)
    ]
    return _page(f"Tables of {name}", f"Schema `{name}` of `var/warehouse.duckdb`.", *parts)


def _type(column: Column) -> str:
    return column.sql + (", null" if column.is_nullable else "")


def _meaning(column: Column) -> str:
    allowed = ", ".join(f"`{word}`" for word in column.allowed)
    return f"{column.description} ({allowed})" if allowed else column.description


if __name__ == "__main__":
    sys.exit(main())
