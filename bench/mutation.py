"""Plants one defect at a time in the modules that move money, and says how many of them their tests catch.

    python -m bench.mutation [DEFECTS_A_MODULE] [MODULE …]

A defect is a comparison, an operator, a constant or a call, in Python or in SQL, that says the opposite. Which ones
is drawn for ever from a fixed seed, so that two runs plant the same. No file is changed: the libraries are loaded once,
and each defect is planted where a fork of this process imports the module.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

import dagster  # noqa: F401 - loaded before the forks, as those that follow
import duckdb  # noqa: F401
import hypothesis
import pandera.polars  # noqa: F401
import polars as pl  # noqa: F401
import pyarrow.parquet  # noqa: F401
import pytest

ROOT: Final = Path(__file__).parent.parent
LEDGER: Final = "tests/unit/transforms/ledger"
ALLOCATION: Final = (
    f"{LEDGER}/test_postings.py",
    f"{LEDGER}/test_deployment_hours.py",
    f"{LEDGER}/test_pool_hours.py",
    "tests/properties/test_ledger_reference.py",
)
MODULES: Final = {
    "transforms/money.py": ("tests/unit/transforms/test_money.py",),
    "transforms/largest_remainder.py": ("tests/unit/transforms/test_money.py", f"{LEDGER}/test_postings.py"),
    "transforms/ledger/postings.py": ALLOCATION,
    "transforms/ledger/pool_cost_split.py": ALLOCATION,
    "transforms/ledger/allocation_targets.py": ALLOCATION,
    "warehouse/landing/dedup.py": ("tests/unit/warehouse/test_run_copies.py", "tests/integration/test_landing.py"),
    "warehouse/landing/supersession.py": (
        "tests/unit/warehouse/test_shrunken.py",
        "tests/integration/test_supersession.py",
        "tests/properties/test_deliveries.py",
        "tests/properties/test_arriving_deliveries.py",
    ),
    "transforms/decisions/supply/supply.py": ("tests/unit/transforms/decisions/test_supply.py",),
}
"""Each module and the tests that should see what is wrong with it, the quickest first."""
LONGEST_S: Final = 900
"""How long the tests of a module may take before a defect counts as one that keeps them from ending."""
UNSHRUNK: Final = "unshrunk"
"""A property that is broken need not look for its smallest example."""
OPPOSITES: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
CALLS: Final = {
    "min": "max",
    "max": "min",
    "is_null": "is_not_null",
    "is_not_null": "is_null",
    "min_horizontal": "max_horizontal",
    "max_horizontal": "min_horizontal",
    "first": "last",
    "last": "first",
}

IN_SQL: Final = {
    r" AND ": " OR ",
    r" OR ": " AND ",
    r" <> ": " = ",
    r" > ": " >= ",
    r" <= ": " < ",
    r" DESC": " ASC",
    r"NULLS LAST": "NULLS FIRST",
    r"NULLS FIRST": "NULLS LAST",
    r"\bmax\(": "min(",
    r"arg_max\(": "arg_min(",
    r"-position": "position",
}
"""The same within a statement of SQL."""
SQL: Final = re.compile(r"\b(SELECT|FROM|WHERE|ORDER BY|GROUP BY)\b")


def defects(tree: ast.Module) -> Iterator[tuple[int, str, ast.Module]]:
    """Every defect that can be planted: line, what was done, and the module with it."""
    for number, node in enumerate(ast.walk(tree)):
        for attribute in ("op", "ops"):
            found = getattr(node, attribute, None)
            kind = type(found[0] if isinstance(found, list) and found else found)
            if kind in OPPOSITES:
                planted = deepcopy(tree)
                other = list(ast.walk(planted))[number]
                opposite = OPPOSITES[kind]()
                setattr(other, attribute, [opposite, *found[1:]] if isinstance(found, list) else opposite)
                yield getattr(node, "lineno", 0), f"{kind.__name__} to {type(opposite).__name__}", planted
        if isinstance(node, ast.Attribute) and node.attr in CALLS:
            planted = deepcopy(tree)
            other = list(ast.walk(planted))[number]
            setattr(other, "attr", CALLS[node.attr])  # noqa: B010 - its class is known to us, not to the type checker
            yield node.lineno, f"{node.attr} to {CALLS[node.attr]}", planted
        if isinstance(node, ast.Constant) and type(node.value) in {int, bool}:
            planted = deepcopy(tree)
            other = list(ast.walk(planted))[number]
            value = not node.value if isinstance(node.value, bool) else node.value + 1
            setattr(other, "value", value)  # noqa: B010 - as above
            yield node.lineno, f"{node.value} to {value}", planted
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
            for pattern, instead in IN_SQL.items():
                for place in re.finditer(pattern, node.value):
                    planted = deepcopy(tree)
                    other = list(ast.walk(planted))[number]
                    text = f"{node.value[: place.start()]}{instead}{node.value[place.end() :]}"
                    setattr(other, "value", text)  # noqa: B010 - as above
                    line = node.lineno + node.value[: place.start()].count("\n")
                    yield line, f"{place[0].strip()} to {instead.strip()}", planted


class Planted(importlib.machinery.SourceFileLoader, importlib.abc.MetaPathFinder):
    """Imports one module with a defect."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        super().__init__(".".join(path.relative_to(ROOT).with_suffix("").parts), str(path))
        self._tree = ast.unparse(tree)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the method of every finder
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """The module itself, and no other."""
        return (
            importlib.util.spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None
        )

    def get_code(self, fullname: str) -> CodeType | None:  # noqa: ARG002
        """Its code with the defect."""
        return compile(self._tree, self.path, "exec")


def is_caught(path: Path, tree: ast.Module, tests: tuple[str, ...]) -> bool:
    """Whether one of the tests is red, or does not end, with the module so."""
    child = os.fork()
    if not child:
        os.chdir(ROOT)
        signal.alarm(LONGEST_S)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.meta_path.insert(0, Planted(path, tree))
        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile(UNSHRUNK, derandomize=True, deadline=None, phases=phases)
        loaded = "ignore::pytest.PytestAssertRewriteWarning"  # the libraries are, before pytest
        options = ["-q", "-x", "-p", "no:cacheprovider", f"--hypothesis-profile={UNSHRUNK}", "-W", loaded]
        os._exit(int(pytest.main([*options, *tests]) != pytest.ExitCode.OK))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def main(most: int, names: tuple[str, ...]) -> None:
    """Plant and test."""
    planted = caught = 0
    for name in names or tuple(MODULES):
        path = ROOT / name
        whole = ast.parse(path.read_text())
        if is_caught(path, whole, MODULES[name]):
            sys.exit(f"{name}: its tests are red without a defect")
        every = list(defects(whole))
        chosen = random.Random(name).sample(every, min(most, len(every)))
        seen = 0
        for line, what, tree in sorted(chosen, key=lambda defect: defect[:2]):
            is_seen = is_caught(path, tree, MODULES[name])
            seen += is_seen
            print(f"{name}:{line}: {what}: {'caught' if is_seen else 'LIVES'}", flush=True)
        planted, caught = planted + len(chosen), caught + seen
        print(f"{name}: {seen} of {len(chosen)} caught, {len(every)} can be planted", flush=True)
    print(f"{caught} of {planted} caught")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2, tuple(sys.argv[2:]))
