"""Makes every durable operation of a night go wrong, one run each, and says what came of it.

    python -m bench.fault_sweep FOLDER [durable | whole | dagster] [FIRST-LAST[/STEP]] [in-turn] [KIND …]

Prints a line for each operation and kind: what the operation was, how the run ended, whether `current` was whole and
earlier nights stood, and whether the next run healed to the same bytes. Without kinds each operation gets all of them:
kill, torn, enospc, eio, power, and `twice`, which kills the healing run as well. Of a whole night every tenth operation
or so is a day's work for a small machine: name a step, and `in-turn` for one kind at each operation, the next at the
next. In the form `dagster` the operations of Dagster's own store count as well.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.integration.test_faults import BEFORE, KINDS, NIGHT, Bench, published
from warehouse import publish

TWICE = "twice"
STORED: dict[str, str] = {}
"""What the shim is told beside the fault: to count Dagster's store."""
FORMS = ("durable", "whole", "dagster")
IN_TURN = "in-turn"


def outcome(bench: Bench, at: int, count: int, kind: str, wanted: Mapping[str, str]) -> tuple[int, str]:
    """How the faulted run ended, and `healed`, `not whole` or `not healed`."""
    project = bench.copy("broken")
    earlier = {name: digest for name, digest in wanted.items() if name.startswith(BEFORE)}
    code = bench.run(project, NIGHT, FAULT_AT=str(at), FAULT_KIND="kill" if kind == TWICE else kind, **STORED)
    if kind == TWICE:
        bench.run(project, NIGHT, FAULT_AT=str(1 + at * 7 % count), FAULT_KIND="kill", **STORED)
    current = project / "var" / "published" / "current"
    if not publish.is_intact(current) or not earlier.items() <= published(project).items():
        return code, "not whole"
    is_healed = bench.run(project, NIGHT) == 0 and published(project) == wanted
    return code, "healed" if is_healed else "not healed"


def main(folder: Path, words: tuple[str, ...]) -> None:
    """Sweep."""
    kinds = tuple(word for word in words if word in {*KINDS, TWICE}) or (*KINDS, TWICE)
    form = next((word for word in words if word in FORMS), FORMS[0])
    span = next((word for word in words if word[0].isdigit()), "")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    bench, log = Bench(folder, form), folder / "operations"
    golden = bench.copy("golden")
    if form == "dagster":
        STORED["FAULT_STORE"] = "1"
    if bench.run(golden, NIGHT, FAULT_COUNT=str(log), **STORED):
        sys.exit((folder / "stderr").read_text())
    operations, wanted = log.read_text().splitlines(), published(golden)
    ends, _, step = span.partition("/")
    first, last = (int(end) for end in (ends or f"1-{len(operations)}").split("-"))
    results: Counter[tuple[str, str]] = Counter()
    for number, at in enumerate(range(first, min(last, len(operations)) + 1, int(step or 1))):
        for kind in (kinds[number % len(kinds)],) if IN_TURN in words else kinds:
            code, came_of_it = outcome(bench, at, len(operations), kind, wanted)
            results[kind, came_of_it] += 1
            what = operations[at - 1].replace(str(golden), "")
            print(f"{at},{len(operations)},{what},{kind},{code},{came_of_it}", flush=True)
    bench.close()
    print(dict(results))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        folder, *words = (*sys.argv[1:],) or (f"{scratch}/sweep",)
        main(Path(folder).resolve(), (*words,))
