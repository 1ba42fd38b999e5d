"""Sentences are cut where a reader would pause, never in their middle."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from templates.sentences import sentence, shortened

from templates.formats import Money

DOLLARS = Money("USD")
REASON = (
    "saves 528,184 a month and pays back with a chance of 93%; its tokens per parameter lie beyond the data of the law"
)


def test_amounts_of_a_reason_take_the_forms_of_the_report() -> None:
    assert sentence(REASON, DOLLARS, 150) == (
        "saves $528k a month and pays back with a chance of 93\u00a0%; its tokens per parameter lie beyond the data of "
        "the law"
    )


def test_a_long_reason_ends_with_a_clause() -> None:
    assert sentence(REASON, DOLLARS, 76) == "saves $528k a month and pays back with a chance of 93\u00a0%"


def test_every_amount_of_a_sentence_is_money_and_other_numbers_are_not() -> None:
    words = "saves 1,204,331 a month beyond the 740 that other cards take out of 16 nodes"
    assert sentence(words, Money("EUR"), 150) == (
        "saves EUR\u00a01.20M a month beyond the EUR\u00a0740 that other cards take out of 16 nodes"
    )


def test_a_clause_that_is_too_long_ends_with_a_whole_word() -> None:
    assert shortened("its throughput has never been measured on this chip", 30) == "its throughput has never been…"


def test_a_comma_inside_a_number_ends_no_clause() -> None:
    assert shortened("needs 1,204,331 requests of evaluation before it may", 26) == "needs 1,204,331 requests…"


@given(st.text(max_size=300), st.integers(8, 120))
def test_no_sentence_is_longer_than_its_place(words: str, limit: int) -> None:
    assert len(shortened(words, limit)) <= limit
