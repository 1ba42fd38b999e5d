"""Which rule a record follows: allocation rules, section 2."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.attribution import first_rules, glob_regex, name_key, policy_day
from warehouse.schemas.names import model_key
from warehouse.schemas.policy import Attribution

DAY = date(2026, 11, 20)


def decided(
    fields: dict[str, str | None], rules: list[dict[str, Any]], *, source: str = "cloud", day: date = DAY
) -> str | None:
    record = [
        {"subject": 1, "source": source, "day": day, "field": name, "value": value} for name, value in fields.items()
    ]
    schema = {"subject": pl.Int64, "source": pl.String, "day": pl.Date, "field": pl.String, "value": pl.String}
    complete = [
        dict.fromkeys(Attribution.columns())
        | {"position": number, "line": number + 2, "source": "*", "target": "pool"}
        | rule
        for number, rule in enumerate(rules)
    ]
    found = first_rules(pl.DataFrame(record, schema=schema), pl.DataFrame(complete, schema=Attribution.polars_schema()))
    return found["target_id"].item() if found.height else None


def rule(field: str, pattern: str, target_id: str, **more: Any) -> dict[str, Any]:
    return {"field": field, "pattern": pattern, "target_id": target_id, **more}


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("gpu-*", "gpu-", True),
        ("gpu-?", "gpu-1", True),
        ("gpu-?", "gpu-", False),
        ("gpu-?", "gpu-12", False),
        ("GPU-*", "gpu-12", True),
        ("gpu", "my gpu", False),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("a*b?d", "a.....bXd", True),
        ("*", "line\nbreak", True),
        ("über-*", "ÜBER-1", True),
        ("a+b|c(", "A+B|C(", True),
    ],
)
def test_a_star_is_any_text_a_question_mark_one_character_and_nothing_else_is_special(
    pattern: str, value: str, *, matches: bool
) -> None:
    assert decided({"resource_id": value}, [rule("resource_id", pattern, "hit")]) == ("hit" if matches else None)


def test_the_smallest_position_decides_whatever_field_it_names() -> None:
    rules = [rule("service_name", "compute", "first"), rule("resource_id", "node-1", "second")]

    assert decided({"resource_id": "node-1", "service_name": "Compute"}, rules) == "first"


def test_an_empty_value_matches_nothing_not_even_a_star() -> None:
    assert decided({"resource_id": ""}, [rule("resource_id", "*", "hit")]) is None
    assert decided({"resource_id": None}, [rule("resource_id", "*", "hit")]) is None


def test_a_rule_whose_field_the_record_does_not_have_is_skipped() -> None:
    assert decided({"resource_id": "x"}, [rule("run_name", "*", "no"), rule("resource_id", "x", "yes")]) == "yes"


def test_a_rule_is_open_from_its_first_day_and_closed_on_its_last() -> None:
    rules = [rule("resource_id", "x", "old", valid_to=DAY), rule("resource_id", "x", "new", valid_from=DAY)]

    assert decided({"resource_id": "x"}, rules) == "new"
    assert decided({"resource_id": "x"}, rules, day=date(2026, 11, 19)) == "old"


def test_a_rule_of_another_source_is_skipped() -> None:
    rules = [rule("resource_id", "x", "other", source="aws"), rule("resource_id", "x", "own", source="cloud")]

    assert decided({"resource_id": "x"}, rules) == "own"


def test_keys_of_tags_are_compared_without_blanks_and_case() -> None:
    assert decided({"tag:team": "core"}, [rule("tag: Team ", "core", "hit")]) == "hit"


def test_days_of_a_stretch_without_a_change_of_rules_are_looked_up_once() -> None:
    rules = pl.DataFrame({"valid_from": [date(2026, 11, 1), None], "valid_to": [None, date(2026, 11, 10)]})
    days = pl.Series([date(2026, 10, 1), date(2026, 11, 1), date(2026, 11, 9), date(2026, 11, 10)])

    assert policy_day(days, rules).to_list() == [
        date(1, 1, 1),
        date(2026, 11, 1),
        date(2026, 11, 1),
        date(2026, 11, 10),
    ]


def test_spellings_of_one_model_name_have_one_key() -> None:
    spellings = ["caf\u00e9-1", "cafe\u0301-1", "caf\u00e9\u200b-1", " caf\u00e9-1 ", "CAF\u00c9-1", None]

    assert name_key(pl.Series(spellings)).to_list() == ["caf\u00e9-1"] * 5 + [None]


@given(st.text(), st.text())
def test_a_pattern_without_wildcards_matches_itself_only(pattern: str, value: str) -> None:
    plain = pattern.replace("*", "").replace("?", "")

    assert pl.Series([value]).str.contains(glob_regex(plain)).item() == (value == plain)


@given(st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=6), max_size=8))
def test_the_key_of_a_name_is_the_same_whichever_way_it_is_computed(names: list[str | None]) -> None:
    keys = [None if name is None else model_key(name) for name in names]
    assert name_key(pl.Series(names, dtype=pl.String)).to_list() == keys
