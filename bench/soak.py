"""Many nights of a tiny company in one process, on a simulated clock: one of ten damaged, of twenty late or corrected.

    python bench/soak.py FOLDER NIGHTS

Prints one line a night: seconds, memory, open files, and the size of each store below var/; ends with an error where a
night is not published, or where its ledger is not the sum of the bills.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from orchestration import commands
from orchestration.exit_codes import Exit
from warehouse import publish
from warehouse.sample import write_empty

FIRST = date(2027, 12, 20)  # a year's end and a leap day follow
CHARGES = 8
REQUESTS = 60
DAILY = Decimal("1.25") * CHARGES
CORRECTION = Decimal("-0.25")
SETTINGS = """[company]
name = "Example AI"
[[source]]
name = "cloud"
kind = "gpu_billing"
format = "table"
files = "inbox/cloud/*.csv"
delivery = "append"
[source.constants]
currency = "USD"
[[source]]
name = "gateway"
kind = "request_telemetry"
format = "table"
files = "inbox/gateway/*.csv"
[limits]
memory = "1GB"
[retention]
dagster_nights = 10
"""
ATTRIBUTION = "\n1,cloud,resource_id,node-*,pool,chat,,,,\n2,gateway,deployment,*,deployment,chat,,,,\n"
DAMAGES: tuple[Callable[[Path], None], ...] = (
    lambda var: shutil.rmtree(var / "landed"),
    lambda var: (var / "warehouse.duckdb").write_bytes(b"garbage" * 4096),
    lambda var: shutil.rmtree(var / "dagster"),
    lambda var: flip(var / "warehouse.duckdb"),
    lambda var: (var / "published" / "current").unlink(),
    lambda var: next((var / "landed" / "requests").glob("*.parquet")).write_bytes(b"cut"),
)


def flip(path: Path) -> None:
    """Other bytes in the middle of a file."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 4096)


def delivered(project: Path, day: date, *, is_late: bool) -> None:
    """The files of one day; the charges of a late one come with those of the next."""
    put = project / "inbox" / "cloud" / f"{day}{'-late' if is_late else ''}.csv"
    rows = [f"{day}T{hour:02}:00:00Z,{day}T{hour + 1:02}:00:00Z,1.25,1.25,node-{hour}" for hour in range(CHARGES)]
    put.write_text("charge_start,charge_end,billed_cost,effective_cost,resource_id\n" + "\n".join(rows) + "\n")
    asked = [f"{day}-{n},{day}T{n % 24:02}:30:00Z,{day}T{n % 24:02}:30:05Z,m,chat,100,20" for n in range(REQUESTS)]
    header = "request_id,start_at,end_at,model,deployment,input_tokens,output_tokens\n"
    (project / "inbox" / "gateway" / f"{day}.csv").write_text(header + "\n".join(asked) + "\n")


def corrected(project: Path, night: date, day: date) -> None:
    """A correction of an earlier day, which comes with the files of a night."""
    row = f"{day}T00:00:00Z,{day}T01:00:00Z,{CORRECTION},{CORRECTION},node-0,Usage,Correction"
    header = "charge_start,charge_end,billed_cost,effective_cost,resource_id,charge_category,charge_class"
    (project / "inbox" / "cloud" / f"{night}-correction.csv").write_text(f"{header}\n{row}\n")


def size(path: Path) -> float:
    """Megabytes below a path; a file with several names counts once."""
    entries = {
        one.stat().st_ino: one.stat().st_size for one in path.rglob("*") if one.is_file() and not one.is_symlink()
    }
    return sum(entries.values()) / 1e6 if path.is_dir() else path.stat().st_size / 1e6 if path.exists() else 0.0


def measured(var: Path, seconds: float) -> str:
    """One line of numbers."""
    memory = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    held = [os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()]
    files = sum("/var/" in one for one in held)
    stores = [size(var / name) for name in ("warehouse.duckdb", "dagster", "published", "landed")]
    return f"{seconds:.1f},{memory:.0f},{files}," + ",".join(f"{one:.2f}" for one in stores)


def ledger_is_the_bills(project: Path, night: date, billed: Decimal) -> bool:
    """Whether the night's totals are what the delivered charges add up to."""
    revision = publish.nights(project / "var" / "published")[night]
    totals = publish.manifest(project / "var" / "published", night, revision)["totals"]
    return sum(Decimal(total["ledger_billed_cost"]) for total in totals) == billed


def main(project: Path, nights: int) -> None:
    """Run the nights."""
    write_empty(project)
    (project / "trisect.toml").write_text(SETTINGS)
    rules = project / "policy" / "attribution.csv"
    rules.write_text(rules.read_text().rstrip("\n") + ATTRIBUTION)
    for source in ("cloud", "gateway"):
        (project / "inbox" / source).mkdir(parents=True, exist_ok=True)
    chance, waiting, billed = random.Random(7), None, Decimal(0)
    print("night,event,seconds,memory_mb,open_files,warehouse_mb,dagster_mb,published_mb,landed_mb", flush=True)
    for number in range(nights):
        night = FIRST + timedelta(days=number)
        event = ""
        if number and chance.random() < 0.1:
            damage = chance.randrange(len(DAMAGES))
            DAMAGES[damage](project / "var")
            event = f"damage {damage}"
        if waiting is not None:
            delivered(project, waiting, is_late=True)
            waiting, event, billed = None, f"{event} late".strip(), billed + DAILY
        if number and chance.random() < 0.05:
            waiting, event = night, f"{event} absent".strip()
        else:
            delivered(project, night, is_late=False)
            billed += DAILY
        if number and chance.random() < 0.05:
            corrected(project, night, FIRST + timedelta(days=chance.randrange(number)))
            event, billed = f"{event} corrected".strip(), billed + CORRECTION
        start = time.perf_counter()
        code = commands.run(
            project, night, night, datetime.combine(night + timedelta(days=1), datetime.min.time(), UTC)
        )
        print(f"{night},{event},{measured(project / 'var', time.perf_counter() - start)}", flush=True)
        if code not in {Exit.PUBLISHED, Exit.PUBLISHED_WITH_QUARANTINE} or not ledger_is_the_bills(
            project, night, billed
        ):
            sys.exit(f"{night}: exit {code}, {json.dumps(event)}: the ledger is not the bills")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        folder, nights = (*sys.argv[1:], *("", "5")[len(sys.argv) - 1 :])[:2]
        main(Path(folder or scratch).resolve(), int(nights))
