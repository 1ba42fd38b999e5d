"""Which rule a record follows: globs over the record's fields, the first open rule in order of precedence."""

from __future__ import annotations

import json
from datetime import date
from typing import Final

import polars as pl

from transforms.periods import is_open
from warehouse.schemas.names import field_key, model_key

BEFORE_ALL: Final = date(1, 1, 1)


def first_rules(fields: pl.DataFrame, rules: pl.DataFrame) -> pl.DataFrame:
    """One subject and the first open rule that matches one of its fields; subjects without a rule are absent.

    Args:
        fields: one row per field that a subject has: `subject, source, day, field, value`.
        rules: the rows of policy.attribution that may decide.
    """
    filled = fields.filter(pl.col("value").is_not_null() & (pl.col("value") != ""))
    ordered = rules.with_columns(rule_field(pl.col("field")).alias("field"))
    hits = _hits(filled.select("field", "value").unique(), ordered)
    dated = ordered.select("position", pl.col("source").alias("rule_source"), "valid_from", "valid_to")
    first = (
        filled.join(hits, on=["field", "value"])
        .join(dated, on="position")
        .filter(pl.col("rule_source").is_in(["*"]) | (pl.col("rule_source") == pl.col("source")))
        .filter(is_open(pl.col("day")))
        .group_by("subject")
        .agg(pl.col("position").min())
    )
    return first.join(rules.drop("source", "field", "pattern"), on="position")


def rule_field(field: pl.Expr) -> pl.Expr:
    """The name of a field as it is compared: keys of tags and labels are trimmed and without case."""
    parts = field.str.extract_groups(r"(?s)^(tag:|label:|sku_detail:)(.*)$").struct
    key = pl.concat_str(parts.field("1"), parts.field("2").str.strip_chars().str.to_lowercase())
    return pl.coalesce(key, field)


def keyed_fields(documents: pl.Series, kind: str, wanted: pl.Series) -> pl.DataFrame:
    """One row per member of each JSON object that a rule names: `document, field, value`.

    Of keys that differ in case and blanks only, the last in the document counts.
    """
    names = set(wanted)
    rows = [
        (document, field, value)
        for document in documents.drop_nulls().unique()
        for field, value in {field_key(kind + key): str(value) for key, value in json.loads(document).items()}.items()
        if field in names
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("document", "field", "value"), pl.String), orient="row")


def glob_regex(pattern: str) -> str:
    """A glob as a regular expression for the whole value: `*` is any text, `?` one character, nothing else special."""
    wild = {"*": ".*", "?": "."}
    return "(?s)^" + "".join(wild.get(character) or pl.escape_regex(character) for character in pattern) + "$"


def policy_day(days: pl.Series, rules: pl.DataFrame) -> pl.Series:
    """Each day as the first day of its stretch without a change of rules: a whole stretch follows the same rules."""
    changes = pl.concat([rules["valid_from"], rules["valid_to"]]).drop_nulls().unique().sort()
    starts = pl.concat([pl.Series([BEFORE_ALL], dtype=pl.Date), changes])
    return starts.gather(changes.search_sorted(days, side="right"))


def name_key(names: pl.Series) -> pl.Series:
    """Model names as they are compared; those of plain ASCII without a step in Python, which long ones would fill."""
    frame = names.alias("name").to_frame()
    is_plain = pl.col("name").str.contains(r"^[ -~]*$")
    keys = frame.select(pl.when(is_plain).then(pl.col("name").str.strip_chars(" ").str.to_lowercase()))["name"]
    others = frame.filter(~is_plain)["name"].unique().to_list()
    if not others:
        return keys.alias(names.name)
    wide = names.replace_strict(others, [model_key(name) for name in others], default=None, return_dtype=pl.String)
    return keys.zip_with(keys.is_not_null(), wide).alias(names.name)


def _hits(values: pl.DataFrame, rules: pl.DataFrame) -> pl.DataFrame:
    """Every (field, value) with every rule whose pattern it matches, whatever the dates."""
    keyed = values.with_columns(pl.col("value").str.to_lowercase().alias("key"))
    patterns = rules.select("position", "field", pl.col("pattern").str.to_lowercase().alias("key"))
    is_glob = pl.col("key").str.contains(r"[*?]")
    plain = keyed.join(patterns.filter(~is_glob), on=["field", "key"]).select("field", "value", "position")
    by_field = keyed.partition_by("field", as_dict=True)
    wild = [
        by_field[(field,)]
        .filter(pl.col("key").str.contains(glob_regex(pattern)))
        .select("field", "value", pl.lit(position, dtype=pl.Int64).alias("position"))
        for position, field, pattern in patterns.filter(is_glob).sort("position").iter_rows()
        if (field,) in by_field
    ]
    return pl.concat([plain, *wild])
