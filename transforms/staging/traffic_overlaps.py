"""Traffic that two sources see: a gateway and an SDK both log a call, and only one of them may count."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from transforms.attribution import name_key
from transforms.staging.request_models import with_model
from warehouse.schemas.staging import CapturedTwice, TrafficOverlaps

AGREES_WITHIN: Final = 0.8
"""Two counts agree where the smaller is at least this part of the larger."""

_AT_THE_EDGE: Final = 0.05
"""Of the requests of an hour at most this part is taken for the start of the next one, or one request."""

_COUNTS: Final = ("requests", "tokens")
_PAIR: Final = ("day", "model", "source", "counterpart")


def traffic_overlaps(
    request_hours: pl.DataFrame,
    models: pl.DataFrame,
    attribution: pl.DataFrame,
    source_priorities: pl.DataFrame,
) -> pl.DataFrame:
    """One hour of one model and pair of sources that see the same traffic, by their priorities or by their counts.

    Two sources with different priorities see the same traffic wherever both tell of a model in an hour. Without, they
    do where the requests and tokens of the hours that both tell of agree over the day. A call at the end of an hour
    may begin in the next one for the other source.
    """
    if request_hours["source"].n_unique() == 1:
        return TrafficOverlaps.empty()
    hours = _hours(request_hours, models, attribution).join(source_priorities, on="source", how="left")
    pairs = pl.concat([_pairs(hours), _spilled(hours)]).with_columns(pl.col("hour").dt.date().alias("day"))
    settled = pairs.filter(pl.col("priority_counterpart") < pl.col("priority"))
    undecided = pairs.filter((pl.col("priority_counterpart") == pl.col("priority")).fill_null(value=True))
    sums = undecided.group_by(_PAIR).agg(
        pl.col(name).sum() for part in _COUNTS for name in (part, f"{part}_counterpart")
    )
    agreeing = sums.filter(pl.all_horizontal(_agree(name) for name in _COUNTS)).filter(_is_less())
    doubtful = undecided.join(agreeing.select(_PAIR), on=_PAIR, how="semi")
    overlaps = [rows.with_columns(is_settled=pl.lit(value=rows is settled)) for rows in (settled, doubtful)]
    return TrafficOverlaps.frame(pl.concat(overlaps)).sort(TrafficOverlaps.table_key)


def captured_twice(
    traffic_overlaps: pl.DataFrame,
    matching_calls: pl.DataFrame,
    models: pl.DataFrame,
    source_priorities: pl.DataFrame,
) -> pl.DataFrame:
    """One month of one model and pair of sources between which no priority decides, with what counts twice.

    What counts twice is known by the ids where both sources send them, else by counts of hours that agree.
    """
    by_ids = _by_ids(matching_calls, models, source_priorities)
    by_counts = traffic_overlaps.filter(~pl.col("is_settled")).with_columns(pl.col("hour").dt.date().alias("day"))
    by_pairs = by_ids.select(_PAIR)
    identified = pl.concat([by_pairs, by_pairs.rename(_SWAPPED).select(_PAIR)])
    unidentified = by_counts.select(*_PAIR, *_COUNTS).join(identified, on=_PAIR, how="anti")
    rows = pl.concat([by_ids.select(*_PAIR, *_COUNTS), unidentified])
    sums = rows.group_by("source", "counterpart", "model", pl.col("day").dt.month_start().alias("month")).agg(
        pl.col("requests").sum().alias("rows"),
        pl.col("tokens").sum().cast(pl.Float64),
        pl.col("day").min().alias("day_from"),
        pl.col("day").max().alias("day_to"),
    )
    named = sums.with_columns(pl.lit("captured_twice").alias("kind"), pl.col("model").alias("subject"))
    return CapturedTwice.frame(named).sort("source", "counterpart", "subject", "day_from")


_SWAPPED: Final = {"source": "counterpart", "counterpart": "source"}


def _by_ids(matching_calls: pl.DataFrame, models: pl.DataFrame, source_priorities: pl.DataFrame) -> pl.DataFrame:
    """Calls that two sources send under one id, where no priority decides which of them counts."""
    keys = pl.concat(
        [models.select("model_id", name="model_id"), models.select("model_id", name="aliases").explode("name")]
    ).drop_nulls()
    named = keys.with_columns(name_key(keys["name"]).alias("key")).unique("key", keep="first", maintain_order=True)
    there = source_priorities.rename({"source": "counterpart", "priority": "priority_counterpart"})
    return (
        matching_calls.with_columns(name_key(matching_calls["model"]).alias("key"))
        .join(named.select("key", "model_id"), on="key", how="left")
        .with_columns(pl.coalesce("model_id", "key", "source").alias("model"))
        .join(source_priorities, on="source", how="left")
        .join(there, on="counterpart", how="left")
        .filter((pl.col("priority") == pl.col("priority_counterpart")).fill_null(value=True))
    )


def _hours(request_hours: pl.DataFrame, models: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """Requests and tokens by source, hour and model; requests of no named model are left out."""
    modelled = with_model(request_hours.with_row_index("subject"), models, attribution)
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).alias("tokens")
    rows = modelled.select("source", "hour", model_of(modelled).alias("model"), "requests", tokens).drop_nulls("model")
    return rows.group_by("source", "hour", "model").agg(pl.col(_COUNTS).sum())


def model_of(modelled: pl.DataFrame) -> pl.Series:
    """The model of each row, else its name as sent, as two sources may write it."""
    return modelled["model_id"].zip_with(modelled["model_id"].is_not_null(), name_key(modelled["model"]))


def _pairs(hours: pl.DataFrame) -> pl.DataFrame:
    """Each source with each other one that tells of the same model in the same hour."""
    joined = hours.join(hours, on=["hour", "model"], suffix="_counterpart")
    return joined.filter(pl.col("source") != pl.col("source_counterpart")).rename({"source_counterpart": "counterpart"})


def _spilled(hours: pl.DataFrame) -> pl.DataFrame:
    """Few requests of an hour of which another source tells nothing, and as many more than this one beside that hour.

    Hours of one day are compared; the counterpart is shown with what it tells of them.
    """
    by = ["hour", "model", "source", "source_counterpart"]
    theirs = hours.rename({name: f"{name}_counterpart" for name in ("source", "priority", *_COUNTS)})
    ours = hours.select("hour", "model", "source", requests_beside="requests", tokens_beside="tokens")
    spilled = []
    for apart in (timedelta(hours=-1), timedelta(hours=1)):
        pairs = (
            hours.with_columns((pl.col("hour") + apart).alias("beside"))
            .filter(pl.col("beside").dt.date() == pl.col("hour").dt.date())
            .join(theirs, left_on=["beside", "model"], right_on=["hour", "model"])
            .filter(pl.col("source") != pl.col("source_counterpart"))
            .join(theirs, on=["hour", "model", "source_counterpart"], how="anti")
            .join(ours, left_on=["beside", "model", "source"], right_on=["hour", "model", "source"], how="left")
        )
        more = {name: pl.col(f"{name}_counterpart") - pl.col(f"{name}_beside").fill_null(0) for name in _COUNTS}
        few = pl.max_horizontal(1, pl.col("requests_counterpart") * _AT_THE_EDGE)
        fits = (pl.col("requests") <= few) & (pl.col("requests") <= more["requests"])
        same = pl.col("tokens") * AGREES_WITHIN <= more["tokens"]
        spilled.append(
            pairs.filter(fits & same).with_columns(
                pl.col("requests").alias("requests_counterpart"),
                pl.min_horizontal(pl.col("tokens"), more["tokens"]).alias("tokens_counterpart"),
            )
        )
    once = (
        pl.concat(spilled).unique(by, keep="first", maintain_order=True).rename({"source_counterpart": "counterpart"})
    )
    return once.select(_pairs(hours.clear()).columns)


def _agree(name: str) -> pl.Expr:
    """Whether two sources tell of about the same count."""
    here, there = pl.col(name), pl.col(f"{name}_counterpart")
    return pl.min_horizontal(here, there) >= AGREES_WITHIN * pl.max_horizontal(here, there)


def _is_less() -> pl.Expr:
    """Of a pair the source that tells of less, so that a doubt is never larger than it must be; else the later name."""
    here, there = pl.col("tokens"), pl.col("tokens_counterpart")
    return (here < there) | ((here == there) & (pl.col("source") > pl.col("counterpart")))
