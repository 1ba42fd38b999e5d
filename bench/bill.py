"""How fast a bill lands: a made file, read, added up a second time and stored.

Run `python -m bench.bill [rows] [kind …]` from the root of the checkout: focus.csv, aws_cur.csv or aws_cur.parquet.
Prints seconds of processor, rows a second and the peak memory, and how many times as long it takes as DuckDB's own scan
and cast of the same file. The process that parses files is counted with the one that asked it, and its start as well.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from warehouse.connection import Limits, connect
from warehouse.landing.arrivals import Workspace
from warehouse.landing.landing import READER, land
from warehouse.sources.source import Source

NODES = 2_000
NIGHT = date(2026, 12, 1)


KINDS: Final = ("focus.csv", "aws_cur.csv", "aws_cur.parquet")
_AS_IN_CUR: Final = {
    "BillingAccountId": "bill_payer_account_id",
    "BillingCurrency": "line_item_currency_code",
    "BillingPeriodStart": "bill_billing_period_start_date",
    "BillingPeriodEnd": "bill_billing_period_end_date",
    "ConsumedQuantity": "line_item_usage_amount",
    "ConsumedUnit": "pricing_unit",
    "InvoiceId": "bill_invoice_id",
    "RegionId": "product_region_code",
    "ServiceName": "line_item_product_code",
    "ChargePeriodStart": "line_item_usage_start_date",
    "ChargePeriodEnd": "line_item_usage_end_date",
    "BilledCost": "line_item_unblended_cost",
    "ResourceId": "line_item_resource_id",
    "Tags": "resource_tags",
}
_MONEY: Final = ("BilledCost", "EffectiveCost", "line_item_unblended_cost")
_TIMES: Final = ("ChargePeriodStart", "ChargePeriodEnd", "line_item_usage_start_date", "line_item_usage_end_date")


def made_bill(rows: int, path: Path, kind: str = "focus.csv") -> None:
    """One row per node and hour; most columns say the same in every row, as they do in bills."""
    bill = _charges(rows)
    if kind.startswith("aws_cur"):
        bill = bill.select(pl.col(name).alias(cur) for name, cur in _AS_IN_CUR.items()).with_columns(
            pl.format("li-{}", pl.int_range(rows)).alias("identity_line_item_id"),
            pl.format("{}/{}", *_TIMES[2:]).alias("identity_time_interval"),
            pl.lit("Usage").alias("line_item_line_item_type"),
            pl.lit("USE2-BoxUsage:p5.48xlarge").alias("line_item_usage_type"),
            pl.lit("p5.48xlarge").alias("product_instance_type"),
        )
    if kind.endswith("parquet"):
        numbers = pl.col("line_item_unblended_cost", "line_item_usage_amount").cast(pl.Float64)
        bill.with_columns(numbers, pl.col("^.*_date$").str.to_datetime(time_zone="UTC")).write_parquet(path)
    else:
        bill.write_csv(path)


def _charges(rows: int) -> pl.DataFrame:
    row, hour = pl.col("row"), pl.datetime(2026, 11, 1) + pl.duration(hours=pl.col("row") // NODES)
    cost = pl.format("{}.{}", 20 + row * 7919 % 97, 100_000_000 + row * 104_729 % 900_000_000)
    same = {
        "BillingAccountId": "payer", "BillingCurrency": "USD", "BillingPeriodStart": "2026-11-01T00:00:00Z",
        "BillingPeriodEnd": "2026-12-01T00:00:00Z", "ChargeCategory": "Usage", "ConsumedQuantity": "1",
        "ConsumedUnit": "Hours", "InvoiceId": "2026-11", "RegionId": "region-1", "ServiceName": "Compute",
        "SkuId": "node-hour", "SkuPriceDetails": '{"InstanceType":"p5.48xlarge","GpuCount":"8"}',
    }  # fmt: skip
    return pl.select(pl.int_range(rows).alias("row")).select(
        *(pl.lit(value).alias(name) for name, value in same.items()),
        hour.dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("ChargePeriodStart"),
        hour.dt.offset_by("1h").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("ChargePeriodEnd"),
        cost.alias("BilledCost"),
        cost.alias("EffectiveCost"),
        pl.format("node-{}", row % NODES).alias("ResourceId"),
        pl.concat_str(pl.lit('{"pool":"train-'), row % 4, pl.lit('","team":"core"}')).alias("Tags"),
    )


def scanned(path: Path) -> float:
    """Seconds of processor that DuckDB takes to read every column of the bill as text and cast money and times."""
    begin = time.process_time()
    read = "read_parquet(?)" if path.suffix == ".parquet" else "read_csv(?, all_varchar = true)"
    with duckdb.connect(":memory:") as connection:
        names = [column for column, *_ in connection.execute(f"DESCRIBE FROM {read}", [str(path)]).fetchall()]
        casts = [f"{name}::DECIMAL(38, 12) AS {name}" for name in _MONEY if name in names]
        casts += [f"{name}::TIMESTAMPTZ AS {name}" for name in _TIMES if name in names]
        connection.execute(f"CREATE TABLE bill AS SELECT * REPLACE ({', '.join(casts)}) FROM {read}", [str(path)])
    return time.process_time() - begin


def processor_s() -> float:
    """Seconds of processor of this process and of those that it has ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def main(rows: int, kind: str) -> None:
    """Lands one file in a project of its own."""
    name, _, suffix = kind.partition(".")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "inbox").mkdir()
        bill = root / "inbox" / f"bill.{suffix}"
        made_bill(rows, bill, kind)
        connection = connect(root / "var", Limits())
        begin = processor_s()
        source = Source("cloud", "gpu_billing", name, f"inbox/*.{suffix}")
        found = land(Workspace(root, root / "var"), [source], connection, NIGHT, NIGHT)
        READER.stop()
        seconds = processor_s() - begin
        connection.close()
        floor, size = scanned(bill), bill.stat().st_size / 1e6
    if found.rejections:
        raise RuntimeError(f"the made bill was rejected: {found.rejections[0]}")
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(
        f"{kind}, {rows:,} rows, {size:,.0f} MB: {seconds:.1f} s of processor, {rows / seconds:,.0f} rows a second, "
        f"peak {peak:,.0f} MB; DuckDB's scan and cast {floor:.1f} s, so {seconds / floor:.1f} times as long"
    )


if __name__ == "__main__":
    for each in sys.argv[2:] or KINDS:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000, each)
