"""Google Cloud's billing export to BigQuery, standard or detailed, saved as Parquet, JSONL or CSV.

Nested columns are Parquet's own or JSON text. The detailed export has the column `resource`, the standard one has not.

Reference: Google, Cloud Billing: Structure of Standard data export; Structure of Detailed data export.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Final

import polars as pl

from warehouse.sources.billing.charge_reader import Shaped, float_flags, read_bill
from warehouse.sources.billing.native_mapping import blank_cells, charge_cells, native_layout
from warehouse.sources.casts.casts import TEXT_NULLS, null_if
from warehouse.sources.casts.number_casts import size
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.source import Source
from warehouse.sources.training.chips import chip

NAMES: Final = {
    "billed_cost": ("cost",),
    "geography": ("location",),
    **{
        name: (name,)
        for name in (
            *("billing_account_id", "service", "sku", "usage_start_time", "usage_end_time", "project", "labels"),
            *("system_labels", "currency", "usage", "credits", "invoice", "cost_type", "adjustment_info"),
            *("export_time", "resource", "cost_at_list", "subscription"),
        )
    },
}
REQUIRED: Final = tuple(
    (name,) for name in ("billed_cost", "currency", "usage_start_time", "usage_end_time", "invoice")
)
DETAILED, STANDARD = "gcp_detailed", "gcp_standard"
_CATEGORIES: Final = {"regular": "Usage", "tax": "Tax", "adjustment": "Adjustment", "rounding_error": "Adjustment"}
_COMMITMENT: Final = r"(?i)^commitment\b|\bcommitment v\d"
_ACCELERATOR: Final = r"(?i)\bGPU\b|\bTPU|\bnvidia\b"
_PER_HOUR: Final = {
    "seconds": 3600,
    "second": 3600,
    "chip-seconds": 3600,
    "gpu-seconds": 3600,
    "minutes": 60,
    "hour": 1,
    "hours": 1,
}
_PROJECT: Final = "project:"
_NO_CREDIT: Final = -1


def read(delivered: Delivered, source: Source) -> Reading:
    """The charges of the export; each credit of a row is a charge of its own.

    Raises:
        RejectedFile: as warehouse.sources.decode.records.batches.
    """
    return read_bill(delivered, source, layout(source), _shaped)


def version(columns: Collection[str]) -> str:
    """Which of the two exports a file with these columns, in small letters, is."""
    return "detailed" if "resource" in columns else "standard"


def layout(source: Source) -> Layout:
    """The columns of both exports."""
    return native_layout(source, NAMES, REQUIRED)


def _shaped(batch: Batch) -> Shaped:
    facts = _unfolded(batch.rows)
    expanded = _with_credits(facts)
    is_credit = pl.col("credit") != _NO_CREDIT
    is_accelerator = (
        pl.col("sku_name").str.contains(_ACCELERATOR)
        & ~pl.col("sku_name").str.contains(_COMMITMENT)
        & (pl.col("cost_type") == "regular")
        & ~is_credit
    )
    category = (
        pl.when(is_credit)
        .then(pl.lit("Credit"))
        .when((pl.col("cost_type") == "regular") & pl.col("sku_name").str.contains(_COMMITMENT))
        .then(pl.lit("Purchase"))
        .otherwise(pl.col("cost_type").replace(_CATEGORIES))
    )
    amount = pl.when(is_credit).then("credit_amount").otherwise("billed_cost")
    cells = charge_cells(
        expanded,
        {
            "charge_category": category,
            "charge_class": pl.when(pl.col("adjustment_id").is_not_null()).then(pl.lit("Correction")),
            "charge_description": pl.when(is_credit)
            .then(pl.concat_str("sku_name", "credit_name", separator=": ", ignore_nulls=True))
            .otherwise("sku_name"),
            "billed_cost": amount,
            "effective_cost": amount,
            "list_cost": pl.when(~is_credit).then("cost_at_list"),
            "consumed_quantity": pl.when(~is_credit).then("usage_amount"),
            "consumed_unit": pl.when(~is_credit).then("usage_unit"),
            "gpu_model": pl.when(is_accelerator).then(_chips(expanded["sku_name"])),
            "gpu_hours": pl.when(is_accelerator).then(_gpu_hours(expanded)),
            "exported_at": pl.col("export_time"),
        },
    )
    return Shaped(
        cells,
        layers=expanded.select("labels", "system_labels", "project_labels"),
        labels=expanded.select(),
        others=pl.concat(
            [
                expanded.select("credit_name", "credit_id", "adjustment_id", "export_time"),
                _unmapped_rows(batch.unmapped, expanded["row"]),
            ],
            how="horizontal",
        ),
        providers=blank_cells("provider", expanded.height),
        flags=float_flags(batch) | {DETAILED if "resource" in batch.present else STANDARD},
        row=expanded["row"],
    )


def _unmapped_rows(unmapped: pl.DataFrame, row: pl.Series) -> pl.DataFrame:
    """What nobody asked for, of each charge's row."""
    return unmapped[row] if unmapped.width else row.to_frame().select()


def _unfolded(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the members of their nested columns as columns, and times without the word UTC."""
    nested = [
        _members(rows["service"], {"service_name": "description"}),
        _members(rows["sku"], {"sku_id": "id", "sku_name": "description"}),
        _members(rows["project"], {"sub_account_id": "id", "project_labels": "labels"}),
        _members(rows["geography"], {"region": "region"}),
        _members(rows["usage"], {"usage_amount": "amount", "usage_unit": "unit"}),
        _members(rows["invoice"], {"month": "month"}),
        _members(rows["adjustment_info"], {"adjustment_id": "id"}),
        _members(rows["subscription"], {"commitment_discount_id": "instance_id"}),
        _members(rows["resource"], {"resource_id": "global_name", "resource_name": "name"}),
    ]
    month = pl.col("month").str.slice(0, 4) + "-" + pl.col("month").str.slice(4, 2) + "-01"
    account = pl.col("billing_account_id")
    return (
        pl.concat([rows, *nested], how="horizontal")
        .with_row_index("row")
        .with_columns(
            pl.col("usage_start_time", "usage_end_time", "export_time").str.replace(r"\s*UTC$", "Z"),
            pl.col("cost_type").fill_null("regular").str.strip_chars().str.to_lowercase(),
            pl.col("project_labels").map_batches(_project_tags, return_dtype=pl.String),
            pl.concat_str("month", account, separator="-").alias("invoice_id"),
            month.alias("billing_period_start"),
            month.str.to_date("%Y-%m-%d", strict=False)
            .dt.offset_by("1mo")
            .dt.to_string("%Y-%m-%d")
            .alias("billing_period_end"),
        )
        .with_columns(pl.col("usage_start_time").alias("charge_start"), pl.col("usage_end_time").alias("charge_end"))
    )


def _with_credits(facts: pl.DataFrame) -> pl.DataFrame:
    """Each row, and below one another a row for each of its credits."""
    texts = facts.select("row", "credits").filter(
        ~pl.col("credits").is_in(["", "[]", "NULL", "null"]).fill_null(value=True)
    )
    listed_credits = [
        (row, position, *credit) for row, text in texts.iter_rows() for position, credit in enumerate(_credits(text))
    ]
    names = ("row", "credit", "credit_amount", "credit_name", "credit_id")
    types = (pl.UInt32, pl.Int64, pl.String, pl.String, pl.String)
    listed = pl.DataFrame(listed_credits, schema=dict(zip(names, types, strict=True)), orient="row")
    itself = facts.with_columns(
        pl.lit(_NO_CREDIT, dtype=pl.Int64).alias("credit"),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in names[2:]),
    )
    return pl.concat([itself, facts.join(listed, on="row").select(itself.columns)]).sort("row", "credit")


def _credits(text: str) -> list[tuple[str | None, str | None, str | None]]:
    """Amount, name and id of each credit; what cannot be read is an amount that is none, which refuses the row."""
    try:
        document = _decoded(text)
    except ValueError:
        return [(text, None, None)]
    if not isinstance(document, list):
        return [(text, None, None)]
    return [
        (_text(credit.get("amount")), _text(credit.get("full_name") or credit.get("name")), _text(credit.get("id")))
        if isinstance(credit, dict)
        else (_text(credit), None, None)
        for credit in document
    ]


def _members(cells: pl.Series, members: Mapping[str, str]) -> pl.DataFrame:
    """Members of the JSON objects of a column, each as text; most rows of an export share a few objects."""
    distinct = cells.unique()
    rows = [_read_members(text, members) for text in distinct]
    table = pl.DataFrame(rows, schema=dict.fromkeys(members, pl.String), orient="row").with_columns(
        distinct.alias("document")
    )
    joined = cells.to_frame("document").join(table, on="document", how="left", nulls_equal=True, maintain_order="left")
    return joined.drop("document")


def _read_members(text: str | None, members: Mapping[str, str]) -> tuple[str | None, ...]:
    try:
        document: Any = None if text is None or text in TEXT_NULLS else _decoded(text)
    except ValueError:
        document = None
    return tuple(_text(document.get(member)) if isinstance(document, dict) else None for member in members.values())


_decoded: Final[Callable[[str], Any]] = partial(json.loads, parse_float=str, parse_int=str)


def _text(value: object) -> str | None:
    """A member as text: nested ones as JSON."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _project_tags(labels: pl.Series) -> pl.Series:
    """The labels of the project as tags whose keys begin with `project:`."""
    known_labels = {text: _prefixed(text) for text in labels.drop_nulls().unique()}
    return pl.Series([known_labels.get(text) for text in labels], dtype=pl.String)


def _prefixed(text: str) -> str:
    """Keys with the prefix, of a list of keys and values or of an object; all else is left to whoever reads tags."""
    try:
        document = _decoded(text)
    except ValueError:
        return text
    if isinstance(document, dict):
        return json.dumps({_PROJECT + key: value for key, value in document.items()}, ensure_ascii=False)
    if not isinstance(document, list) or not all(isinstance(pair, dict) for pair in document):
        return text
    return json.dumps({_PROJECT + str(pair.get("key")): pair.get("value") for pair in document}, ensure_ascii=False)


def _chips(names: pl.Series) -> pl.Series:
    """The chip that a SKU sells: `Nvidia H100 80GB GPU running in Iowa` sells an H100, `Tpu v5p …` a TPU v5p."""
    words = {name: _chip(name) for name in null_if(names).drop_nulls().unique()}
    return pl.Series([words.get(name) for name in names], dtype=pl.String)


def _chip(name: str) -> str | None:
    spaced = name.replace("TpuV", "TPU v").replace("Tpu-V", "TPU v").replace("Tpu ", "TPU ")
    named = chip(spaced)
    return None if named == spaced.strip() else named


def _gpu_hours(rows: pl.DataFrame) -> pl.Series:
    """Hours of accelerators: the quantity is time of single chips; another unit tells nothing."""
    per_hour = (
        null_if(rows["usage_unit"]).str.to_lowercase().replace_strict(_PER_HOUR, default=None, return_dtype=pl.Float64)
    )
    return (size(rows["usage_amount"]).values / per_hour).cast(pl.String)
