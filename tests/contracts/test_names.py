"""Names say what a thing is: the words that docs/naming.md forbids are no names of ours."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_ROOMS: Final = ("warehouse", "transforms", "templates", "orchestration")

FORBIDDEN: Final = frozenset(
    {"place", "carried", "found", "known", "told", "said", "kin", "letters", "glance", "df", "data", "tmp", "result"}
    | {"info", "helper", "utils"}
)


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The names that a module gives: functions, classes, parameters, variables, attributes and aliases, by line.

    Names of others are theirs: an attribute that is only read and a keyword of a call, which may be a column.
    """
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)):
                yield node.lineno, name


def _columns(module: Path, tree: ast.Module) -> frozenset[int]:
    """Lines of the columns of a schema: a table's columns are named in docs/reference, and published."""
    if not module.is_relative_to(_ROOT / "warehouse" / "schemas"):
        return frozenset()
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return frozenset(line.lineno for node in classes for line in node.body if isinstance(line, ast.Assign))


def _forbidden(module: Path) -> list[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    columns = _columns(module, tree)
    return [
        f"{module.relative_to(_ROOT)}:{line}: {name}"
        for line, name in [(1, module.stem), *_names(tree)]
        if name.strip("_").lower() in FORBIDDEN and line not in columns
    ]


MODULES: Final = tuple(module for room in _ROOMS for module in sorted((_ROOT / room).rglob("*.py")))


def test_no_name_is_a_forbidden_word() -> None:
    forbidden = [name for module in MODULES for name in _forbidden(module)]
    assert forbidden == [], "give each the name of what it is, as docs/naming.md has it"


def test_a_forbidden_word_is_seen_wherever_a_name_is_given() -> None:
    source = "def _told(known): ...\nclass Found: place: int\nfor said in []: self.carried = {glance: glance.kin}\n"
    names = {name.strip("_").lower() for _, name in _names(ast.parse(source))}
    assert names & FORBIDDEN == {"told", "known", "found", "place", "said", "carried"}
