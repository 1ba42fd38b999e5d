"""The last asset of a night: exports, report, manifest, published as one directory."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import dagster as dg
import polars as pl
from msgspec import structs

from orchestration import drawing
from orchestration.drawing import ReadTables, Sheet, draw
from orchestration.resources import Warehouse, key, night_of
from orchestration.settings import Report
from orchestration.table_assets import NIGHTS, OWNERS
from templates import render
from templates.pages.edition import Edition
from templates.typesetting.system_libraries import renderer_versions
from transforms.focus_charges import focus_charges
from warehouse import exports, publish
from warehouse.focus_files import write_focus
from warehouse.isolation import arrow
from warehouse.isolation.limited_process import LimitedProcess
from warehouse.ledger_files import write_ledger
from warehouse.manifest import Night, manifest
from warehouse.private_folders import private_folder
from warehouse.schemas import CATALOGUE, decisions, economics, ledger, reports, tables_of
from warehouse.schemas.ledger import Postings
from warehouse.schemas.policy import Models
from warehouse.schemas.reports import Numbers
from warehouse.schemas.staging import Charges
from warehouse.schemas.table import Table
from warehouse.table_files import write_tables

DRAWER: Final = LimitedProcess(drawing.__name__)
"""What draws the PDF: a child with limits, kept from one night to the next."""
# Which tables of the night leave the warehouse beside the ledger, under which names.
EXPORTED: Final = {
    "quarantine": "quarantine",
    "findings": "findings",
    "thirds": "thirds",
    "amortization": "amortization",
    "unit_costs": "unit_costs",
    "recommendations": "recommendations",
    "reconciliation": "reconciliation",
}
# The tables that leave the warehouse as Parquet for other tools; the postings leave it month by month.
TABLES: Final[list[type[Table]]] = [
    table for stage in (economics, decisions, ledger) for table in tables_of(stage) if table is not Postings
]
# Columns that say when and by which reading a row came, not what it is: a rebuild from the inbox may not know them.
HISTORY: Final = ("known_at",)
SORTED_BY: Final = {
    "quarantine": ("source", "file", "location", "reason"),
    "findings": ("source", "kind", "subject", "file", "day_from", "counterpart", "currency"),
}
# What the PDF carries where the settings ask for it; the ledger is too large and stands beside it.
ATTACHED: Final = (
    "thirds.csv",
    "unit_costs.csv",
    "amortization.csv",
    "recommendations.csv",
    "reconciliation.csv",
    "provenance.json",
)
READ: Final[list[type[Table]]] = [
    Postings,
    Charges,
    Models,
    *(CATALOGUE[name] for name in EXPORTED.values()),
    *TABLES,
    *tables_of(reports),
]
# Bytes that differ between two runs of one night at two times, though nothing in them is news.
TIMED: Final = (".pdf", ".html", "message.json")


@dg.asset(
    key=["published", "night"],
    deps=list(dict.fromkeys(map(key, READ))),
    group_name="published",
    partitions_def=NIGHTS,
    kinds={"pdf"},
    owners=OWNERS,
    freshness_policy=dg.FreshnessPolicy.cron(deadline_cron="0 9 * * *", lower_bound_delta=timedelta(hours=9)),
)
def night(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """One directory per published night: report, exports and manifest; never changed once published."""
    tables = warehouse.frames
    warehouse.require(READ)
    published = warehouse.project.published
    day = Night(
        night=night_of(context),
        state=tables["subject"]["state"].item(),
        version=version("trisect"),
        built_at=warehouse.clock(),
    )
    with private_folder(warehouse.project.var, "exports") as folder:
        small = exported(tables)
        files: dict[str, bytes | Path] = {
            **small,
            **write_ledger(warehouse.connection, folder, HISTORY, day.night),
            **write_tables(warehouse.connection, folder, TABLES, HISTORY),
            **write_focus(warehouse.connection, folder, focus_charges),
        }
        revision, is_news = standing(published, day, tables, files)
        if is_news:
            digest = hashlib.sha256(exports.document(manifest(day, revision, tables, files))).hexdigest()
            report, memory = warehouse.project.settings.report, warehouse.project.settings.limits.memory
            attached = {name: small[name] for name in ATTACHED} if report.attachments == "data" else {}
            files.update(rendered(tables, day, revision, digest, report, published, attached, memory))
            drawn = replace(day, renderer=renderer_versions())
            files["manifest.json"] = exports.document(manifest(drawn, revision, tables, files))
            publish.publish(published, day.night, revision, files)
    path = publish.directory(published, day.night, revision)
    metadata = {
        "directory": dg.MetadataValue.path(str(path)),
        "revision": dg.MetadataValue.int(revision),
        **{name: dg.MetadataValue.url(f"/published/{path.name}/leadership.{name}") for name in ("pdf", "html")},
    }
    return dg.MaterializeResult(metadata={**metadata, **_pictures(tables, warehouse.project.settings.report)})


def _pictures(tables: Mapping[str, pl.DataFrame], settings: Report) -> dict[str, dg.MetadataValue[Any]]:
    """The key figures of the report, for a look in Dagster's UI."""
    figures = render.thumbnails(tables, settings.paper)
    return {
        name.lower().replace(" ", "_"): dg.MetadataValue.md(
            f"![{name}](data:image/svg+xml;base64,{base64.b64encode(figure.encode()).decode()})"
        )
        for name, figure in figures.items()
    }


def exported(tables: Mapping[str, pl.DataFrame]) -> dict[str, bytes]:
    """The small tables that leave the warehouse, as the files of the contract."""
    files = {}
    for name, table in EXPORTED.items():
        rows = tables[table].drop(HISTORY, strict=False)
        order = SORTED_BY.get(table, CATALOGUE[table].table_key)
        files[f"{name}.csv"] = exports.csv(rows, order)
    files["provenance.json"] = exports.document(exports.rows(tables["numbers"], ("position",)))
    return files


def standing(
    published: Path, day: Night, tables: Mapping[str, pl.DataFrame], files: Mapping[str, bytes | Path]
) -> tuple[int, bool]:
    """The revision that says all this already and False, or the next one and True."""
    revision = publish.nights(published).get(day.night, 0)
    if not revision or not publish.is_intact(publish.directory(published, day.night, revision)):
        return revision + 1, True
    before = publish.manifest(published, day.night, revision)
    after = manifest(day, revision, tables, files)
    return (revision, False) if _content(before) == _content(after) else (revision + 1, True)


def _content(document: dict[str, Any]) -> dict[str, Any]:
    outputs = [output for output in document["outputs"] if not output["file"].endswith(TIMED)]
    # what drew the report is known once it is drawn, and says nothing new by itself
    return {**document, "built_at": None, "renderer": None, "outputs": outputs}


def rendered(
    tables: Mapping[str, pl.DataFrame],
    day: Night,
    revision: int,
    identity: str,
    settings: Report,
    published: Path,
    attachments: Mapping[str, bytes],
    memory: str,
) -> dict[str, bytes]:
    """The report as PDF (with the exports it carries) and HTML, and the cuts that the settings ask for."""
    read, earlier = ReadTables(tables), _earlier_numbers(published, day, revision)
    identified: Any = {
        "identity": identity,
        "revision": revision,
        "built_at": day.built_at,
        "paper": settings.paper,
        "earlier": earlier,
    }
    files = {
        "leadership.html": render.html(read, **identified).encode(),
        "message.json": render.message(read, **identified),
    }
    sheet = Sheet(
        built_at=day.built_at,
        identity=identity,
        revision=revision,
        paper=settings.paper,
        earlier=arrow.packed(earlier) if earlier is not None else None,
    )
    whole = structs.replace(sheet, attachments=dict(attachments))
    files["leadership.pdf"] = draw(DRAWER, read, whole, memory)
    for name, edition in _editions(tables["models"], settings).items():
        files[f"{name}.pdf"] = draw(DRAWER, read, structs.replace(sheet, edition=edition), memory)
    return files


def _editions(models: pl.DataFrame, settings: Report) -> dict[str, Edition]:
    """File name and reader of each cut."""
    finance = [Edition("finance")] if "finance" in settings.editions else []
    owners = sorted(set(models["owner"].drop_nulls())) if "owners" in settings.editions else []
    return {cut.stem: cut for cut in [*finance, *(Edition("owner", owner) for owner in owners)]}


def _earlier_numbers(published: Path, day: Night, revision: int) -> pl.DataFrame | None:
    """The numbers of the revision before, so that page B can say what a re-issue changed."""
    if revision == 1:
        return None
    before = publish.directory(published, day.night, revision - 1) / "provenance.json"
    return exports.read_rows(before.read_bytes(), Numbers) if before.is_file() else None
