"""Every form of section 6 of the report's specification: how a number or a name is printed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from hashlib import sha256

import pytest

from templates import formats
from templates.formats import Money
from templates.table_unit import TableUnit
from templates.typesetting.typeface import distinction

USD, EUR = Money("USD"), Money("EUR")


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("4210338.114207", "$4.21M"),
        ("214400", "$214k"),
        ("1310000000", "$1.31B"),
        ("999960", "$1.00M"),  # three digits of 999,960 are 1,000,000
        ("740.4", "$740"),
        ("0", "$0"),
        ("-120000", "−$120k"),
        ("-0.2", "−$0.20"),  # something is not printed as nothing
        ("0.119", "$0.12"),
        ("-0.002", "$0"),  # less than half a cent rounds to nothing, so it has no sign
        ("999900000000", "$1.00T"),
        ("99999999999999999999.123456789012", "$100,000,000T"),  # 32 digits, as a bill may hold them
    ],
)
def test_money_has_three_significant_figures(amount: str, words: str) -> None:
    assert USD.short(Decimal(amount)) == words


def test_other_currencies_stand_before_the_number_by_their_code() -> None:
    assert EUR.short(Decimal(4210000)) == "EUR\u00a04.21M"
    assert EUR.per_mtok(Decimal("3.417")) == "EUR\u00a03.42"


def test_a_difference_has_its_sign_and_a_positive_one_is_more_cost() -> None:
    assert USD.change(Decimal(140000)) == "+$140k"
    assert USD.change(Decimal(-380000)) == "−$380k"


def test_a_range_names_its_currency_once_and_its_unit_where_it_changes() -> None:
    assert USD.span(Decimal(290000), Decimal(561000)) == "$290k–561k"
    assert USD.span(Decimal(400000), Decimal(4800000)) == "$400k–$4.80M"
    assert USD.span(Decimal(-400000), Decimal(1200000)) == "−$400k to $1.20M"


@pytest.mark.parametrize(
    ("rate", "words"), [("3.417", "$3.42"), ("0.08142", "$0.0814"), ("124.4", "$124"), ("0", "$0.00")]
)
def test_a_price_per_million_tokens_has_two_decimals_or_three_figures(rate: str, words: str) -> None:
    assert USD.per_mtok(Decimal(rate)) == words


@pytest.mark.parametrize(
    ("ratio", "text", "title"),
    [(0.1194, "12\u00a0%", "12\u00a0%"), (0.034, "3.4\u00a0%", "3\u00a0%"), (0.0996, "10\u00a0%", "10\u00a0%"),
     (0.002, "0.2\u00a0%", "0.2\u00a0%"), (0, "0\u00a0%", "0\u00a0%")],
)  # fmt: skip
def test_percent_is_whole_from_ten_and_titles_are_whole_at_once(ratio: float, text: str, title: str) -> None:
    assert formats.percent(ratio).replace("0.0\u00a0%", "0\u00a0%") == text
    assert formats.whole_percent(ratio) == title


@pytest.mark.parametrize(
    ("ratio", "words"), [(0.97, "97 %"), (0.985, "98.5 %"), (0.1, "10 %"), (0.0725, "7.25 %"), (0, "0 %")]
)
def test_a_setting_is_printed_as_it_was_set(ratio: float, words: str) -> None:
    assert formats.set_percent(ratio).replace("\u00a0", " ") == words


def test_tokens_have_three_figures_without_idle_zeros() -> None:
    assert formats.tokens(790e9) == "790\u00a0B"
    assert formats.tokens(2.1e12) == "2.1\u00a0T"
    assert formats.tokens_in_words(0.79e12) == ("0.79", "trillion")
    assert formats.tokens_in_words(41.2e9) == ("41.2", "billion")


def test_nothing_and_unknown_are_never_blank() -> None:
    unit = TableUnit.of(USD, [Decimal(18_300_000)])
    assert unit.cell(None) == "–"
    assert unit.cell(Decimal(0)) == "0"
    assert formats.plain(None) == "–"
    assert formats.percent(None) == "–"


def test_a_table_has_one_unit_and_fixed_decimals() -> None:
    unit = TableUnit.of(USD, [Decimal(18_300_000), Decimal(4_000)])
    assert (unit.words, unit.cell(Decimal(18_304_000)), unit.cell(Decimal(4_000))) == ("US$ million", "18.30", "0.00")
    assert TableUnit.of(USD, [Decimal(214_000)]).cell(Decimal(213_600)) == "214"


def test_the_exact_value_has_twelve_decimals() -> None:
    assert formats.exact(Decimal("4210338.114207")) == "4,210,338.114207000000"
    assert formats.exact(Decimal("-0.5")) == "−0.500000000000"


def test_a_long_name_is_shortened_in_its_middle() -> None:
    assert formats.name("Atlas-70B-instruct-2026", 18) == "Atlas-70B…uct-2026"
    assert len(formats.name("x" * 100_000)) == formats.NAME_LIMIT


def test_names_in_signs_that_the_fonts_lack_have_a_mark_that_tells_them_apart() -> None:
    # the mark is the beginning of the name's SHA-256: printf 𓀀𓀁-7B | sha256sum
    assert formats.name("𓀀𓀁-7B") == f"□-7B #{sha256('𓀀𓀁-7B'.encode()).hexdigest()[:4]}"
    large, small = formats.name("𓀀𓀁-𓁐", 18), formats.name("𓀀𓀁-𓂀", 18)
    assert large != small
    assert max(len(large), len(small)) <= 18


def test_a_word_of_two_scripts_has_a_mark_because_it_looks_like_another() -> None:
    latin, cyrillic = "kite-7b", "k\u0456te-7b"
    assert formats.name(latin) == latin
    assert formats.name(cyrillic).startswith(f"{cyrillic} #")
    assert formats.name("сокол-7b") == "сокол-7b"
    assert formats.name("São-Vicente-7B") == "São-Vicente-7B"


@pytest.mark.parametrize("limit", range(4, 41))
def test_a_name_with_a_mark_is_never_longer_than_its_limit(limit: int) -> None:
    assert len(formats.name("𓀀𓀁𓁐-instruct-𓂀𓃀-2026", limit)) <= max(limit, 5)


def test_marks_that_turn_text_around_are_taken_out_of_names() -> None:
    # without them it would look like the model that is called evil
    name = "\u202eevil\u202c\u200b"
    assert formats.name(name) == f"evil {distinction(name)}"


def test_an_empty_name_is_still_visible() -> None:
    assert formats.name("") == "□"


def test_months_are_words_in_titles_and_days_are_iso() -> None:
    assert formats.month_year(date(2026, 10, 1)) == "October 2026"
    assert formats.day(date(2026, 11, 21)) == "2026-11-21"
    assert formats.months(14.2) == "14\u00a0months"
    assert formats.months(60) == "5\u00a0years"


def test_amounts_of_more_than_28_digits_keep_them_all() -> None:
    amount = Decimal("-99999999999999999999.123456789012")

    assert formats.exact(amount) == "−99,999,999,999,999,999,999.123456789012"
    assert formats.plain(amount, 2) == "−99,999,999,999,999,999,999.12"
