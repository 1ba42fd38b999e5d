"""Cells become words, counts and currencies; of several reasons the first of the closed list counts."""

from __future__ import annotations

import json

import polars as pl
import pytest

from warehouse.sources.billing.tags import json_objects, tags
from warehouse.sources.casts.casts import first_reason, free_text, key, word
from warehouse.sources.casts.currencies import currency
from warehouse.sources.casts.number_casts import count, measure, size


def texts(*cells: str | None) -> pl.Series:
    return pl.Series("cell", cells, dtype=pl.String)


def test_of_several_reasons_the_first_of_the_list_counts() -> None:
    late = pl.Series(["bad_currency", None, "token_mismatch"])
    early = pl.Series(["bad_date", None, None])
    assert first_reason(late, early).to_list() == ["bad_date", None, "token_mismatch"]


def test_free_text_is_composed_and_knows_two_words_for_nothing() -> None:
    cast = free_text(texts("cafe\u0301", "NULL", "", "N/A", "null", "a\x07b", "two\nlines\t"))
    assert cast.values.to_list()[:5] == ["caf\u00e9", None, None, "N/A", "null"]
    assert cast.reasons.to_list() == [None, None, None, None, None, "control_char", None]


def test_an_empty_id_is_a_missing_key() -> None:
    assert key(texts("a", "", None)).reasons.to_list() == [None, "missing_key", "missing_key"]


def test_a_word_is_told_whatever_its_case() -> None:
    cast = word(texts("usage", "TAX", "Rebate", "", None), {"Usage": "Usage", "Tax": "Tax"}, "missing_key")
    assert cast.values.to_list() == ["Usage", "Tax", None, None, None]
    assert cast.reasons.to_list() == [None, None, "missing_key", None, None]


def test_counts_are_whole_and_not_negative() -> None:
    cast = count(texts("12", "12.0", "5000000000", "1e3", "-5", "12.5", "many", "", "N/A", "1e30"))
    assert cast.values.to_list() == [12, 12, 5_000_000_000, 1000, None, None, None, None, None, None]
    bad = "bad_count"
    assert cast.reasons.to_list() == [None, None, None, None, bad, bad, bad, None, None, bad]


def test_gpus_may_be_fractions() -> None:
    cast = size(texts("0.5", "8", "-1", "inf", "x", None))
    assert cast.values.to_list() == [0.5, 8.0, None, None, None, None]
    assert cast.reasons.to_list() == [None, None, "bad_count", "bad_count", "bad_count", None]


def test_a_measure_keeps_nan_and_infinities() -> None:
    values = measure(texts("NaN", "-Infinity", "2.5e-3", "x", "None")).values.to_list()
    assert str(values) == "[nan, -inf, 0.0025, None, None]"


def test_currencies_are_those_in_use() -> None:
    cast = currency(texts("usd", "EUR", "XXX", "US$", "", "XAU", "DEM"))
    assert cast.values.to_list() == ["USD", "EUR", None, None, None, None, None]
    assert cast.reasons.to_list() == [None, None, *["bad_currency"] * 5]


def test_tags_become_texts_with_their_keys_in_order() -> None:
    cast = json_objects(texts('{"b": true, "a": 1.50, "gone": null, " a": "x"}', "", "NULL", None))
    assert cast.values.to_list() == ['{" a":"x","a":"1.50","b":"true"}', None, None, None]


def test_allocated_tags_lie_over_tags_key_by_key_and_custom_columns_join_them() -> None:
    layers = pl.DataFrame({"tags": ['{"team": "a", "env": "prod"}'], "allocated": ['{"team": "b"}']})
    cast = tags(layers, pl.DataFrame({"x_Project": ["p1"], "x_Empty": [""]}))
    assert cast.values.to_list() == ['{"env":"prod","team":"b","x_Project":"p1"}']


@pytest.mark.parametrize("spelling", ["team", "Team", " TEAM "])
def test_an_allocated_tag_takes_the_place_of_every_spelling_of_its_key(spelling: str) -> None:
    layers = pl.DataFrame(
        {"tags": ['{"team": "a", "Team ": "c", "env": "prod"}'], "allocated": [json.dumps({spelling: "b"})]}
    )
    (merged,) = tags(layers, pl.DataFrame()).values
    assert json.loads(merged) == {"env": "prod", spelling: "b"}


def test_a_custom_column_takes_the_place_of_a_tag_of_its_name() -> None:
    cast = tags(pl.DataFrame({"tags": ['{"X_Project ": "tagged"}']}), pl.DataFrame({"x_Project": ["p1"]}))
    assert cast.values.to_list() == ['{"x_Project":"p1"}']


def test_two_spellings_of_a_key_in_one_object_are_both_kept() -> None:
    cast = tags(pl.DataFrame({"tags": ['{"org": "a", " Org": "b"}']}), pl.DataFrame())
    assert cast.values.to_list() == ['{" Org":"b","org":"a"}']


def test_tags_without_outer_braces_get_them() -> None:
    assert json_objects(texts('"env": "prod","team": "a"')).values.to_list() == ['{"env":"prod","team":"a"}']


def test_tags_that_are_no_object_or_say_a_key_twice_are_refused() -> None:
    cast = json_objects(texts('{"a": "1"', '["a"]', '{"a": 1, "a": 2}', '{"a": "\\u0000"}', '{"a": "\\ud800"}'))
    assert cast.reasons.to_list() == ["bad_json", "bad_json", "bad_json", "control_char", "encoding"]
