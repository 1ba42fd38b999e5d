"""The HTML twin: cells know the head of their column, and the keyboard reaches what scrolls."""

from __future__ import annotations

import re
from importlib.resources import files

from templates.twin import for_screens

TABLE = (
    '<section class="left"><h2><b>What moved</b> <span class="unit">US$</span></h2><table class="movers">'
    '<thead><tr><th scope="col">What</th><th scope="col" class="n">Allo-<br>cated</th>'
    '<th scope="col" class="n" colspan="2">Share, %<br><svg><text>1</text></svg></th></tr></thead>'
    '<tbody><tr><th scope="row">a</th><td class="n">3</td><td></td><td>5</td></tr></tbody>'
    '<tfoot><tr><th scope="row">all</th><td>9</td><td colspan="2">x</td></tr></tfoot></table></section>'
)


def test_a_cell_carries_the_words_of_its_head_without_the_breaks_of_paper() -> None:
    shown = for_screens(TABLE)
    assert re.findall(r'<td[^>]*data-label="([^"]*)"', shown) == [
        "Allocated", "Share, %", "Share, %", "Allocated",
    ]  # fmt: skip
    assert '<td colspan="2">x</td>' in shown


def test_a_hyphen_that_belongs_to_a_word_stays_where_its_line_is_broken_on_paper() -> None:
    shown = for_screens(TABLE.replace("Allo-<br>cated", "Pre-<br>training"))
    assert 'data-label="Pre-training"' in shown


def test_a_section_with_a_table_can_be_reached_and_is_named_by_its_heading() -> None:
    assert 'tabindex="0" role="region" aria-label="What moved US$"' in for_screens(TABLE)
    assert for_screens("<section><h2>Words</h2><p>none</p></section>") == "<section><h2>Words</h2><p>none</p></section>"


def test_a_section_without_a_table_takes_none_from_the_next() -> None:
    both = "<section><h2>First</h2><p>none</p></section>" + TABLE
    assert 'aria-label="First' not in for_screens(both)


def test_contents_stand_beside_the_text_on_wide_screens_and_rows_are_cards_on_narrow_ones() -> None:
    style = files("templates").joinpath("screen.css").read_text("utf-8")
    assert "(min-width: 1200px)" in style
    assert "content: attr(data-label)" in style.partition("(max-width: 500px)")[2]
