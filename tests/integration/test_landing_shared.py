"""Real and public bills, to the last digit of their totals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from warehouse.connection import Limits, connect
from warehouse.landing.arrivals import Workspace
from warehouse.landing.landing import land
from warehouse.sources.billing import focus
from warehouse.sources.decode.staging_copy import spooled, unpack
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.registry import FORMATS
from warehouse.sources.source import Source

NIGHT, RUN_ON = date(2025, 5, 16), date(2025, 5, 17)
CLOUD = Source("cloud", "gpu_billing", "focus", "*")


def read(file: Path, folder: Path) -> Reading:
    """One bill, seen by both readers."""
    found = spooled(file.parent, file.name)
    content = unpack(found, folder / "content")
    delivered = Delivered(file.name, found.sha256, found.bytes, content, datetime(2026, 11, 20, tzinfo=UTC))
    reading = focus.read(delivered, CLOUD)
    FORMATS[CLOUD.kind, CLOUD.format].verify(delivered, CLOUD, reading)
    return reading


def test_the_public_sample_of_focus_1_0_adds_up(shared: Path, tmp_path: Path) -> None:
    reading = read(shared / "data/focus_sample_1_0/focus_sample.csv", tmp_path)
    assert (reading.rows, reading.refused.height) == (1000, 0)
    assert reading.totals == {"USD": (Decimal("20.520226728990"), Decimal("14.976514185860"))}
    assert reading.flags == ("effective_rounded", "tz_assumed")  # 610 costs rounded to 0, times without a zone
    charges = reading.frames["charge_rows"]
    assert (charges["billed_cost"] < 0).sum() == 13  # PROVENANCE.md counts them
    assert (charges["consumed_quantity"] < 0).sum() == 12
    assert charges["charge_category"].value_counts().sort("charge_category").rows() == [
        ("Adjustment", 2),
        ("Credit", 1),
        ("Usage", 997),
    ]
    assert charges["list_cost"].sum() == pytest.approx(Decimal("20.391"), abs=Decimal("0.0005"))
    keys = {key for text in charges["tags"].unique() for key in json.loads(text)}
    assert {"org", " org"} <= keys  # two keys, as they were written


@pytest.mark.parametrize(
    ("name", "billed", "effective"),
    [
        ("focus_1_2_cost_and_usage_aws", "60758.516684874341", "60758.516684874341"),
        ("focus_1_2_cost_and_usage_gcp", "80201.456813659778", "80201.456813659778"),
        ("focus_1_3_cost_and_usage_aws", "56042.135853910743", "56042.135853910743"),
        ("focus_1_3_cost_and_usage_gcp", "72439.408835320992", "72439.408835320992"),
    ],
)
def test_generated_bills_of_focus_1_2_and_1_3_add_up(
    shared: Path, tmp_path: Path, name: str, billed: str, effective: str
) -> None:
    reading = read(shared / f"data/focus_generated/{name}.csv.gz", tmp_path)
    assert (reading.rows, reading.refused.height) == (3000, 0)
    assert reading.totals == {"USD": (Decimal(billed), Decimal(effective))}


def test_allocated_rows_of_focus_1_3_keep_their_host_and_carry_the_tags_of_their_workload(
    shared: Path, tmp_path: Path
) -> None:
    reading = read(shared / "data/focus_generated/focus_1_3_cost_and_usage_aws.csv.gz", tmp_path)
    tagged = [json.loads(text) for text in reading.frames["charge_rows"]["tags"] if '"workload"' in text]
    assert {"ingestion"} <= {tags["workload"] for tags in tagged}
    assert all(tags["Environment"] for tags in tagged)  # a key that only Tags has stays


@pytest.fixture(scope="module")
def landed(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The bills of the public scenario."""
    var = tmp_path_factory.mktemp("var")
    connection = connect(var, Limits(memory="500MB"))
    sources = (
        Source("northcloud", "gpu_billing", "focus", "inbox/northcloud/*.csv.gz"),
        Source("meridian", "gpu_billing", "focus", "inbox/meridian/**/part-*", "append"),
    )
    landing = land(
        Workspace(shared / "scenarios/first_light", var), sources, connection, date(2025, 5, 16), date(2025, 5, 17)
    )
    assert (landing.rejections, landing.holds) == ((), ())
    yield connection
    connection.close()


def test_the_scenario_has_the_files_that_its_answer_names(shared: Path, landed: duckdb.DuckDBPyConnection) -> None:
    expected = json.loads((shared / "scenarios/first_light/expected.json").read_text(encoding="utf-8"))
    columns = ("source", "file", "sha256", "bytes", "rows", "accepted", "quarantined", "duplicates", "blank")
    wanted = [tuple(file[name] for name in columns) for file in expected["files"]]
    bills = sorted(file for file in wanted if file[0] in {"northcloud", "meridian"})
    assert landed.execute(f"SELECT {', '.join(columns)} FROM raw.files ORDER BY ALL").fetchall() == bills


def test_the_scenario_bills_what_its_answer_says(shared: Path, landed: duckdb.DuckDBPyConnection) -> None:
    expected = json.loads((shared / "scenarios/first_light/expected.json").read_text(encoding="utf-8"))
    wanted = [
        (total["source"], total["currency"], Decimal(total["billed_cost"]), Decimal(total["effective_cost"]))
        for total in expected["totals"]
    ]
    query = (
        "SELECT source, currency, sum(billed_cost), sum(effective_cost) FROM raw.charge_rows GROUP BY ALL ORDER BY ALL"
    )
    assert landed.execute(query).fetchall() == sorted(wanted)
