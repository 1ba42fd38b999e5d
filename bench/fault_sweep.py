"""Makes every durable operation of a night go wrong, one run each, and says what came of it.

    python -m bench.fault_sweep FOLDER [FIRST-LAST] [KIND …]

Prints a line for each operation and kind: whether `current` was whole, whether earlier nights stood, whether the next
run healed to the same bytes. Without kinds each operation gets one of the four in turn; a kind sweeps all with it.
Without a span every operation is swept.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

from tests.integration.test_faults import BEFORE, FAULTS, KINDS, NIGHT, SETTINGS, Bench, delivered, published
from warehouse import publish


def main(folder: Path, words: tuple[str, ...]) -> None:
    """Sweep."""
    spans = [word for word in words if word not in KINDS]
    kinds = tuple(word for word in words if word in KINDS)
    shim, seed, golden = folder / "shim.so", folder / "seed", folder / "golden"
    shutil.rmtree(folder, ignore_errors=True)
    (seed / "policy").mkdir(parents=True)
    compiler = shutil.which("cc") or "cc"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", shim, FAULTS / "shim.c", "-ldl"], check=True)  # noqa: S603
    (seed / "trisect.toml").write_text(SETTINGS)
    delivered(seed, date.fromisoformat(BEFORE))
    bench = Bench(folder, shim)
    bench.run(seed, BEFORE)
    delivered(seed, date.fromisoformat(NIGHT))
    bench.run(bench.copy("golden"), NIGHT, FAULT_COUNT=str(folder / "count"))
    count, wanted = int((folder / "count").read_text()), published(golden)
    earlier = {name: digest for name, digest in wanted.items() if name.startswith(BEFORE)}
    results: Counter[tuple[str, str]] = Counter()
    first, last = (int(end) for end in (spans[0] if spans else f"1-{count}").split("-"))
    for at in range(first, min(last, count) + 1):
        for kind in kinds or (KINDS[at % len(KINDS)],):
            project = bench.copy("broken")
            code = bench.run(project, NIGHT, FAULT_AT=str(at), FAULT_KIND=kind)
            stands = project / "var" / "published"
            is_whole = publish.is_intact(stands / "current") and earlier.items() <= published(project).items()
            is_healed = bench.run(project, NIGHT) == 0 and published(project) == wanted
            outcome = "healed" if is_whole and is_healed else "not whole" if not is_whole else "not healed"
            results[kind, outcome] += 1
            print(f"{at},{count},{kind},{code},{outcome}", flush=True)
    print(dict(results))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        folder, *kinds = (*sys.argv[1:],) or (f"{scratch}/sweep",)
        main(Path(folder).resolve(), tuple(kinds))
