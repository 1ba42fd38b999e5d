"""Plants one defect at a time in the modules that move money, and says how many of them their tests catch.

    python -m bench.mutation [DEFECTS_A_MODULE] [MODULE …]

A defect is a comparison, an operator, a constant or a call that says the opposite. Which ones is drawn for ever from
a fixed seed, so that two runs plant the same. The module is changed where it stands, and restored whatever happens: run
it in a checkout of its own.
"""

from __future__ import annotations

import ast
import random
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
LEDGER: Final = "tests/unit/transforms/ledger"
MODULES: Final = {
    "transforms/money.py": ("tests/unit/transforms/test_money.py",),
    "transforms/largest_remainder.py": ("tests/unit/transforms/test_money.py", f"{LEDGER}/test_postings.py"),
    "transforms/ledger/postings.py": (f"{LEDGER}/test_postings.py", f"{LEDGER}/test_worked_charge.py"),
    "transforms/ledger/allocation_targets.py": (f"{LEDGER}/test_postings.py", f"{LEDGER}/test_charge_rules.py"),
    "warehouse/landing/dedup.py": ("tests/unit/warehouse/test_run_copies.py", "tests/integration/test_landing.py"),
    "warehouse/landing/supersession.py": ("tests/integration/test_supersession.py",),
    "transforms/decisions/supply/supply.py": ("tests/unit/transforms/decisions/test_supply.py",),
}
"""Each module and the tests that should see what is wrong with it, the quickest first."""
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


def is_caught(tests: tuple[str, ...]) -> bool:
    """Whether one of the tests is red."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode != 0  # noqa: S603


def main(most: int, names: tuple[str, ...]) -> None:
    """Plant, test, restore."""
    planted = caught = 0
    for name in names or tuple(MODULES):
        path = ROOT / name
        text = path.read_text()
        every = list(defects(ast.parse(text)))
        chosen = random.Random(name).sample(every, min(most, len(every)))
        seen = 0
        try:
            for line, what, tree in sorted(chosen, key=lambda defect: defect[:2]):
                path.write_text(ast.unparse(tree))
                is_seen = is_caught(MODULES[name])
                seen += is_seen
                print(f"{name}:{line}: {what}: {'caught' if is_seen else 'LIVES'}", flush=True)
        finally:
            path.write_text(text)
        planted, caught = planted + len(chosen), caught + seen
        print(f"{name}: {seen} of {len(chosen)} caught, {len(every)} can be planted", flush=True)
    print(f"{caught} of {planted} caught")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2, tuple(sys.argv[2:]))
