"""Many nights of a tiny company in one process, on a simulated clock: one of ten damaged, of twenty late or corrected.

    python -m bench.soak FOLDER NIGHTS

Over a year's end and a leap day, with changes of policy, a clock that is set back, and an outage after which the
missing nights are made up. Every tenth night is run by the command, with Dagster and its drawing; the others are the
same assets one after the other without both. Prints one line a night: seconds of the processor, memory, open files, and
the size of each store below var/; ends with an error where a night is not published, where its ledger is not the sum of
the bills, or where the rows of a file are not all accounted for.
"""

from __future__ import annotations

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
from orchestration.missing_nights import missing, yesterday
from orchestration.settings import load
from tests.faults.night import whole
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
BY_COMMAND = 10
"""Every so many nights one is run by the command."""
OUTAGE = range(25, 55)
"""Days on which nothing runs, though everything is delivered."""
DAMAGES: tuple[Callable[[Path], None], ...] = (
    lambda var: shutil.rmtree(var / "landed"),
    lambda var: (var / "warehouse.duckdb").write_bytes(b"garbage" * 4096),
    lambda var: shutil.rmtree(var / "dagster", ignore_errors=True),
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


def fault(project: Path, night: date, billed: Decimal) -> str:
    """What is wrong with a published night: its totals, or the rows of a file; nothing where it is as it must be."""
    standing = publish.nights(project / "var" / "published")
    if night not in standing:
        return "it is not published"
    document = publish.manifest(project / "var" / "published", night, standing[night])
    booked = sum((Decimal(total["ledger_billed_cost"]) for total in document["totals"]), Decimal(0))
    if booked != billed:
        return f"the ledger is {booked}, the bills are {billed}"
    parts = ("accepted", "quarantined", "duplicates", "blank")
    lost = [one["file"] for one in document["inputs"] if one["rows"] != sum(one[part] for part in parts)]
    return f"rows of {lost[0]} are not accounted for" if lost else ""


def changed_policy(project: Path, number: int) -> None:
    """A rule more, which reaches nothing that another does not."""
    rules = project / "policy" / "attribution.csv"
    rules.write_text(f"{rules.read_text().rstrip()}\n{100 + number},cloud,resource_id,spare-{number}-*,pool,chat,,,,\n")


def run(project: Path, night: date, now: datetime, number: int) -> bool:
    """Run one night; whether the command did."""
    if number % BY_COMMAND:
        whole(project, night, now)
        return False
    code = commands.run(project, night, night, now)
    if code not in {Exit.PUBLISHED, Exit.PUBLISHED_WITH_QUARANTINE}:
        sys.exit(f"{night}: exit {code}")
    return True


class Company:
    """What is delivered, and what goes wrong, drawn for ever from one seed."""

    def __init__(self, project: Path) -> None:
        """An empty project with its settings and rules."""
        write_empty(project)
        (project / "trisect.toml").write_text(SETTINGS)
        rules = project / "policy" / "attribution.csv"
        rules.write_text(rules.read_text().rstrip("\n") + ATTRIBUTION)
        for source in ("cloud", "gateway"):
            (project / "inbox" / source).mkdir(parents=True, exist_ok=True)
        self.project, self.billed = project, Decimal(0)
        self._chance, self._waiting = random.Random(7), None

    def day(self, number: int) -> str:
        """Let one day come: its files, late ones, corrections, changes and damage; in words."""
        day, chance, events = FIRST + timedelta(days=number), self._chance, []
        if number and chance.random() < 0.1 and number not in OUTAGE:
            damage = chance.randrange(len(DAMAGES))
            DAMAGES[damage](self.project / "var")
            events.append(f"damage {damage}")
        if self._waiting is not None:
            delivered(self.project, self._waiting, is_late=True)
            self._waiting, self.billed = None, self.billed + DAILY
            events.append("late")
        if number and chance.random() < 0.05:
            self._waiting = day
            events.append("absent")
        else:
            delivered(self.project, day, is_late=False)
            self.billed += DAILY
        if number and chance.random() < 0.03:
            corrected(self.project, day, FIRST + timedelta(days=chance.randrange(number)))
            self.billed += CORRECTION
            events.append("corrected")
        if number and chance.random() < 0.03:
            changed_policy(self.project, number)
            events.append("policy")
        return " ".join(events)


def main(project: Path, nights: int) -> None:
    """Run the nights."""
    company, done = Company(project), 0
    print("night,event,form,seconds,memory_mb,open_files,warehouse_mb,dagster_mb,published_mb,landed_mb", flush=True)
    for number in range(nights):
        event, day = company.day(number), FIRST + timedelta(days=number)
        now = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=3)
        if number in OUTAGE:
            continue
        for night in missing(load(project), yesterday(now)) if number else [day]:
            start = time.process_time()
            is_command = run(project, night, now, done)
            numbers = measured(project / "var", time.process_time() - start)
            print(f"{night},{event},{'command' if is_command else 'plain'},{numbers}", flush=True)
            done += 1
        if wrong := fault(project, day, company.billed):
            sys.exit(f"{day}: {event}: {wrong}")
        if number % 15 == 14:  # a clock that is set back has nothing to do, and changes nothing
            standing = publish.nights(project / "var" / "published")
            commands.run(project, None, None, now - timedelta(days=3))
            if publish.nights(project / "var" / "published") != standing:
                sys.exit(f"{day}: a clock that was set back has changed what is published")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        folder, nights = (*sys.argv[1:], *("", "5")[len(sys.argv) - 1 :])[:2]
        main(Path(folder or scratch).resolve(), int(nights))
