"""How fast a bill lands: a made FOCUS file in CSV, read, added up a second time and stored.

Run `python -m bench.bill [rows]` from the root of the checkout. Prints seconds of processor, rows a second and the peak
memory of the process, and how many times as long it takes as DuckDB's own scan and cast of the same file.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from warehouse.connection import Limits, connect
from warehouse.landing.arrivals import Workspace
from warehouse.landing.landing import land
from warehouse.sources.source import Source

NODES = 2_000
NIGHT = date(2026, 12, 1)


def made_bill(rows: int, path: Path) -> None:
    """One row per node and hour; most columns say the same in every row, as they do in bills."""
    row, hour = pl.col("row"), pl.datetime(2026, 11, 1) + pl.duration(hours=pl.col("row") // NODES)
    cost = pl.format("{}.{}", 20 + row * 7919 % 97, 100_000_000 + row * 104_729 % 900_000_000)
    same = {
        "BillingAccountId": "payer", "BillingCurrency": "USD", "BillingPeriodStart": "2026-11-01T00:00:00Z",
        "BillingPeriodEnd": "2026-12-01T00:00:00Z", "ChargeCategory": "Usage", "ConsumedQuantity": "1",
        "ConsumedUnit": "Hours", "InvoiceId": "2026-11", "RegionId": "region-1", "ServiceName": "Compute",
        "SkuId": "node-hour", "SkuPriceDetails": '{"InstanceType":"p5.48xlarge","GpuCount":"8"}',
    }  # fmt: skip
    pl.select(pl.int_range(rows).alias("row")).select(
        *(pl.lit(value).alias(name) for name, value in same.items()),
        hour.dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("ChargePeriodStart"),
        hour.dt.offset_by("1h").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("ChargePeriodEnd"),
        cost.alias("BilledCost"),
        cost.alias("EffectiveCost"),
        pl.format("node-{}", row % NODES).alias("ResourceId"),
        pl.concat_str(pl.lit('{"pool":"train-'), row % 4, pl.lit('","team":"core"}')).alias("Tags"),
    ).write_csv(path)


def scanned(path: Path) -> float:
    """Seconds of processor that DuckDB takes to read every column of the bill as text and cast money and times."""
    begin = time.process_time()
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "CREATE TABLE bill AS SELECT * REPLACE (BilledCost::DECIMAL(38, 12) AS BilledCost, "
            "EffectiveCost::DECIMAL(38, 12) AS EffectiveCost, ChargePeriodStart::TIMESTAMPTZ AS ChargePeriodStart, "
            "ChargePeriodEnd::TIMESTAMPTZ AS ChargePeriodEnd) FROM read_csv(?, all_varchar = true)",
            [str(path)],
        )
    return time.process_time() - begin


def main(rows: int) -> None:
    """Lands one file in a project of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "inbox").mkdir()
        made_bill(rows, root / "inbox" / "bill.csv")
        connection = connect(root / "var", Limits())
        begin = time.process_time()
        source = Source("cloud", "gpu_billing", "focus", "inbox/*.csv")
        found = land(Workspace(root, root / "var"), [source], connection, NIGHT, NIGHT)
        seconds = time.process_time() - begin
        connection.close()
        floor = scanned(root / "inbox" / "bill.csv")
    if found.rejections:
        raise RuntimeError(f"the made bill was rejected: {found.rejections[0]}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows:,} rows: {seconds:.1f} s of processor, {rows / seconds:,.0f} rows a second, peak {peak:,.0f} MB")
    print(
        f"DuckDB's scan and cast of the same file: {floor:.1f} s of processor, so {seconds / floor:.1f} times as long"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
