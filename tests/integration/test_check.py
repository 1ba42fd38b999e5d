"""`trisect check` as the way in: what each source is, what no rule reaches, and the lines that would."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from orchestration.commands import check
from warehouse.errors import HeldError
from warehouse.sample import write_empty

NOW = "2026-11-21T02:00:00Z"
ROW = {
    "BilledCost": "80",
    "EffectiveCost": "80",
    "BillingCurrency": "USD",
    "ChargeCategory": "Usage",
    "BillingPeriodStart": "2026-11-01T00:00:00Z",
    "BillingPeriodEnd": "2026-12-01T00:00:00Z",
    "ChargePeriodStart": "2026-11-20T00:00:00Z",
    "ChargePeriodEnd": "2026-11-20T01:00:00Z",
    "ConsumedQuantity": "1",
    "ConsumedUnit": "Hours",
    "ResourceId": "i-0abc",
    "InvoiceId": "inv-1",
    "SkuPriceDetails": '{"InstanceType": "p5.48xlarge", "GpuCount": "8"}',
    "Tags": '{"team": "core"}',
}
SOURCE = '\n[[source]]\nname = "cloud"\nkind = "gpu_billing"\nformat = "focus"\nfiles = "inbox/cloud/*.csv"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A company as `trisect init` leaves it, with one bill and no rule."""
    folder = tmp_path / "company"
    folder.mkdir()
    write_empty(folder)
    with (folder / "trisect.toml").open("a", encoding="utf-8") as settings:
        settings.write(SOURCE)
    (folder / "inbox/cloud").mkdir(parents=True)
    with (folder / "inbox/cloud/bill.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(ROW), lineterminator="\n")
        writer.writeheader()
        writer.writerow(ROW)
    return folder


def checked(project: Path, *words: str) -> str:
    command = [str(Path(sys.executable).with_name("trisect")), "check", "--project", str(project), "--now", NOW, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_user_reads_what_was_recognised_and_pastes_the_line_that_is_missing(project: Path) -> None:
    said = checked(project)

    assert "cloud: FOCUS 1.0–1.4, version 1.2: 1 rows in 1 files; 2026-11-20 to 2026-11-20; USD; 8 GPU-hours" in said
    assert "cloud: no rule reaches 80.00 of 80.00 USD (100.0%)" in said
    assert "cloud: 80.00 USD, 8 GPU-hours" in said

    lines = said.partition("then paste to the end of policy/attribution.csv:\n")[2].splitlines(keepends=True)
    assert lines == ["100,cloud,tag:team,core,pool,core,,,,\n"]
    with (project / "policy/attribution.csv").open("a", encoding="utf-8") as rules:
        rules.writelines(lines)
    document = json.loads(checked(project, "--json"))

    assert document["suggestions"] == []
    assert document["sources"][0]["gpu_hours"] == 8.0
    assert document["sources"][0]["unmatched_cost"] == 0.0
    assert not (project / "var").exists()  # it changes nothing


def test_what_would_hold_the_night_is_said_before_it_is_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bill = project / "inbox/cloud/bill.csv"
    bill.write_text(bill.read_text(encoding="utf-8").replace("USD", "EUR"), encoding="utf-8")

    with pytest.raises(HeldError, match=r"missing_fx: policy/fx\.csv has no rate for EUR in 2026-11"):
        check(project, datetime.fromisoformat(NOW), form="json", detail="quiet")
    [held] = json.loads(capsys.readouterr().out)["holds"]
    assert (held["reason"], held["source"]) == ("missing_fx", "cloud")
