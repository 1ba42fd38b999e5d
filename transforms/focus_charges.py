"""The ledger in the columns of FOCUS: each posting is an allocated charge of one day, account, model and phase."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from transforms.money import amount, split, units
from warehouse.schemas.columns import INSTANT
from warehouse.schemas.focus import FOCUS_CHARGES

GPU_HOURS: Final = "GPU-Hours"
_SECONDS_PER_HOUR: Final = 3600
_TAGS: Final = ("account", "model", "phase", "pool", "run", "deployment", "team", "tenant", "task")
_SHARED: Final = ("list_cost", "contracted_cost", "consumed_quantity")
_COPIED: Final = {
    "BillingAccountId": "billing_account_id",
    "CapacityReservationStatus": "capacity_reservation_status",
    "ChargeCategory": "charge_category",
    "ChargeClass": "charge_class",
    "ChargeDescription": "charge_description",
    "CommitmentDiscountId": "commitment_discount_id",
    "CommitmentDiscountStatus": "commitment_discount_status",
    "RegionId": "region",
    "ResourceId": "resource_id",
    "ResourceName": "resource_name",
    "ServiceName": "service_name",
    "SkuId": "sku_id",
    "SubAccountId": "sub_account_id",
    "Tags": "tags",
    "x_GpuModel": "gpu_model",
    "BilledCost": "billed_cost",
    "EffectiveCost": "effective_cost",
    "BillingCurrency": "currency",
    "InvoiceId": "invoice_id",
    "x_ChargeId": "charge_id",
    "x_PostingId": "posting_id",
    "x_Rule": "rule",
    "x_Source": "source",
}


def focus_charges(postings: pl.DataFrame, charges: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """One allocated charge per posting, in the order of the postings.

    BilledCost and EffectiveCost are the posting's own, so that they add up to the bill; list and contracted cost and
    the quantity of a charge are shared out among its postings as the costs are, losing no unit. GPU time is consumed in
    GPU-Hours, whatever the bill's unit was.

    Args:
        postings: rows of ledger.postings, all of the charges they belong to.
        charges: rows of staging.charges, those of the postings among them.
        models: policy.models.

    Reference: FOCUS 1.3, Data generator-calculated split cost allocation; FOCUS 1.5 (draft), model keys.
    """
    own = ("source", "billing_period_start", "invoice_id", "currency", "billed_cost", "effective_cost", "known_at")
    of_charge = charges.drop(*own, "charge_day", "file_sha256", "location", "gpu_hours", "gpu_hours_exact")
    rows = postings.join(of_charge, on="charge_id", how="left", maintain_order="left")
    if rows["charge_start"].null_count():
        missing = rows.filter(pl.col("charge_start").is_null())["charge_id"][0]
        raise ValueError(f"ledger.postings has charge {missing!r}, which staging.charges has not; compute both anew")
    shared = _shared_out(rows).with_columns(_tag_columns())
    day = pl.col("charge_date").cast(INSTANT)
    hours = (pl.col("gpu_seconds") / _SECONDS_PER_HOUR).cast(FOCUS_CHARGES["ConsumedQuantity"])
    has_gpus = pl.col("gpu_seconds") > 0
    return shared.with_columns(
        *_documents(shared, models),
        *(pl.col(name).alias(focus) for focus, name in _COPIED.items()),
        pl.concat_str(pl.lit("trisect:"), _method()).alias("AllocatedMethodId"),
        pl.coalesce("run_id", "deployment_id", "pool_id").alias("AllocatedResourceId"),
        pl.col("billing_period_start").cast(INSTANT).alias("BillingPeriodStart"),
        pl.col("billing_period_end").cast(INSTANT).alias("BillingPeriodEnd"),
        pl.max_horizontal("charge_start", day).alias("ChargePeriodStart"),
        pl.min_horizontal("charge_end", day.dt.offset_by("1d")).alias("ChargePeriodEnd"),
        pl.when(has_gpus).then(hours).otherwise("consumed_quantity").alias("ConsumedQuantity"),
        pl.when(has_gpus).then(pl.lit(GPU_HOURS)).otherwise("consumed_unit").alias("ConsumedUnit"),
        pl.col("contracted_cost").alias("ContractedCost"),
        pl.col("list_cost").alias("ListCost"),
    ).select(pl.col(name).cast(dtype) for name, dtype in FOCUS_CHARGES.items())


def _shared_out(rows: pl.DataFrame) -> pl.DataFrame:
    """Amounts that only the charge has, shared among its postings in proportion to the size of their costs."""
    weight = units("billed_cost").abs() + units("effective_cost").abs()
    weighed = rows.with_columns(
        *(units(name) for name in _SHARED),
        pl.when(weight.sum().over("charge_id") > 0).then(weight).otherwise(1).cast(pl.Int128).alias("weight"),
        *(pl.col(name).is_not_null().alias(f"has_{name}") for name in _SHARED),
    )
    filled = weighed.with_columns(pl.col(name).fill_null(0) for name in _SHARED)
    parts = split(filled, group="charge_id", weight="weight", amounts=_SHARED)
    return parts.with_columns(pl.when(f"has_{name}").then(amount(name)).alias(name) for name in _SHARED)


def _method() -> pl.Expr:
    """How the posting came about: by what a deployment served, by GPU time in a pool, or by a rule alone."""
    return (
        pl.when(pl.col("deployment_id").is_not_null())
        .then(pl.lit("served_tokens"))
        .when(pl.col("pool_id").is_not_null())
        .then(pl.lit("gpu_time"))
        .otherwise(pl.lit("rule"))
    )


def _tag_columns() -> list[pl.Expr]:
    """The dimensions of the posting under the names that they have as tags."""
    columns = {"model": "model_id", "pool": "pool_id", "run": "run_id", "deployment": "deployment_id"}
    return [pl.col(columns.get(tag, tag)).cast(pl.String).alias(tag) for tag in _TAGS]


def _documents(rows: pl.DataFrame, models: pl.DataFrame) -> list[pl.Series]:
    """The JSON columns; postings share a few documents, so that each is written once."""
    model_facts = {row["model_id"]: row for row in models.select("model_id", "family", "origin", "owner").to_dicts()}
    return [
        _written(rows.select(_TAGS), _allocated_tags).alias("AllocatedTags"),
        _written(rows.select("sku_price_details", "model"), lambda row: _price_details(row, model_facts)).alias(
            "SkuPriceDetails"
        ),
        _written(rows.select("account", "rule"), lambda row: {"Account": row[0], "Rule": row[1]}).alias(
            "AllocatedMethodDetails"
        ),
    ]


def _written(columns: pl.DataFrame, document: Any) -> pl.Series:  # noqa: ANN401 - any function of a row
    """The document of each row as JSON with its keys in order; null where it is empty."""
    distinct = columns.unique()
    texts = [
        json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":")) if members else None
        for members in map(document, distinct.iter_rows())
    ]
    named = distinct.with_columns(pl.Series("document", texts, dtype=pl.String))
    return columns.join(named, on=columns.columns, how="left", nulls_equal=True, maintain_order="left")["document"]


def _allocated_tags(row: Sequence[str | None]) -> Mapping[str, str]:
    """What the posting says of itself; `allocation` is account, model and phase in one, for rules to name."""
    named = {tag: value for tag, value in zip(_TAGS, row, strict=True) if value is not None}
    allocation = "/".join(named[tag] for tag in ("account", "model", "phase") if tag in named)
    return {**named, "allocation": allocation}


def _price_details(row: Sequence[str | None], model_facts: Mapping[str, Mapping[str, str | None]]) -> Mapping[str, str]:
    """What the bill says of the price, with the keys of 1.5 for the model that it is allocated to."""
    document, model = row
    details: dict[str, str] = json.loads(document) if document else {}
    if model is None:
        return details
    about = model_facts.get(model, {})
    keys = {"ModelId": model, "ModelFamily": about.get("family"), "ModelDeveloper": about.get("owner")}
    return {**details, **{key: value for key, value in keys.items() if value is not None}}
