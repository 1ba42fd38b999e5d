"""The last asset of a night: exports, report, manifest, published as one directory."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import dagster as dg
import polars as pl

from orchestration.resources import Warehouse, key, night_of
from orchestration.settings import Report
from orchestration.table_assets import NIGHTS
from templates import render
from warehouse import exports, publish
from warehouse.manifest import Night, manifest
from warehouse.schemas import CATALOGUE, reports, tables_of
from warehouse.tables import Frames

# Which tables of the night leave the warehouse, under which names.
EXPORTED: Final = {
    "ledger": "postings",
    "quarantine": "quarantine",
    "thirds": "thirds",
    "amortization": "amortization",
    "unit_costs": "unit_costs",
    "recommendations": "recommendations",
    "reconciliation": "reconciliation",
}
# Columns that say when and by which reading a row came, not what it is: a rebuild from the inbox may not know them.
HISTORY: Final = ("known_at",)
SORTED_BY: Final = {"quarantine": ("source", "file", "location", "reason")}
# Bytes that differ between two runs of one night at two times, though nothing in them is news.
TIMED: Final = ("leadership.pdf", "leadership.html")


@dg.asset(
    key=["published", "night"],
    deps=[*(key(CATALOGUE[name]) for name in EXPORTED.values()), *map(key, tables_of(reports))],
    group_name="published",
    partitions_def=NIGHTS,
    kinds={"pdf"},
)
def night(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """One directory per published night: report, exports and manifest; never changed once published."""
    tables = Frames(warehouse.connection)
    published = warehouse.project.published
    day = Night(
        night=night_of(context),
        state=tables["subject"]["state"].item(),
        version=version("trisect"),
        built_at=warehouse.clock(),
    )
    files = exported(tables)
    revision, is_news = standing(published, day, tables, files)
    if is_news:
        digest = hashlib.sha256(exports.document(manifest(day, revision, tables, files))).hexdigest()
        files |= rendered(tables, day, revision, digest, warehouse.project.settings.report)
        files["manifest.json"] = exports.document(manifest(day, revision, tables, files))
        publish.publish(published, day.night, revision, files)
    path = publish.directory(published, day.night, revision)
    return dg.MaterializeResult(metadata={"directory": dg.MetadataValue.path(str(path)), "revision": revision})


def exported(tables: Mapping[str, pl.DataFrame]) -> dict[str, bytes]:
    """The tables that leave the warehouse, as the files of the contract."""
    files = {}
    for name, table in EXPORTED.items():
        rows = tables[table].drop(HISTORY, strict=False)
        order = SORTED_BY.get(table, CATALOGUE[table].table_key)
        files[f"{name}.csv"] = exports.csv(rows, order)
        if name == "ledger":
            files["ledger.parquet"] = exports.parquet(rows, order)
    files["provenance.json"] = exports.document(exports.rows(tables["numbers"], ("position",)))
    return files


def standing(
    published: Path, day: Night, tables: Mapping[str, pl.DataFrame], files: Mapping[str, bytes]
) -> tuple[int, bool]:
    """The revision that says all this already and False, or the next one and True."""
    revision = publish.nights(published).get(day.night, 0)
    if not revision or not publish.is_intact(publish.directory(published, day.night, revision)):
        return revision + 1, True
    before = publish.manifest(published, day.night, revision)
    after = manifest(day, revision, tables, files)
    return (revision, False) if _content(before) == _content(after) else (revision + 1, True)


def _content(document: dict[str, Any]) -> dict[str, Any]:
    outputs = [output for output in document["outputs"] if output["file"] not in TIMED]
    return {**document, "built_at": None, "outputs": outputs}


def rendered(
    tables: Mapping[str, pl.DataFrame], day: Night, revision: int, identity: str, settings: Report
) -> dict[str, bytes]:
    """The report as PDF and HTML."""
    identified: Any = {"identity": identity, "revision": revision, "built_at": day.built_at, "paper": settings.paper}
    return {
        "leadership.pdf": render.pdf(tables, attachments={}, **identified),
        "leadership.html": render.html(tables, **identified).encode(),
    }
