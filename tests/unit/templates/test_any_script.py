"""Names in any script stand on paper in bundled fonts, and no two of them look alike."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from templates import formats, svg
from templates.typesetting import pdf
from templates.typesetting.shaped_figures import is_joined
from templates.typesetting.typeface import (
    LEFT_TO_RIGHT_MARK,
    PLACEHOLDER,
    distinction,
    everywhere,
    fallback_files,
    is_ambiguous,
    text_width,
)

WRITTEN = (
    "日本語モデル",
    "大型语言模型",
    "한국어모델",
    "Модель",
    "हिन्दी-मॉडल",
    "தமிழ்",
    "ภาษาไทย",
    "ქართული",
    "🦜model",
)
FROM_RIGHT = ("نموذج-اللغة", "מודל-עברי")


@pytest.mark.parametrize("name", WRITTEN)
def test_a_name_is_printed_in_its_script(name: str) -> None:
    assert formats.name(name) == name


@pytest.mark.parametrize("name", FROM_RIGHT)
def test_a_name_from_the_right_keeps_the_sentence_around_it_in_order(name: str) -> None:
    assert formats.name(name) == f"{LEFT_TO_RIGHT_MARK}{name}{LEFT_TO_RIGHT_MARK}"
    assert is_joined(formats.name(name))


def test_a_sign_without_a_font_is_a_box_with_a_mark() -> None:
    """Egyptian hieroglyphs are in none of the fonts."""
    assert formats.name("𓀀-7B") == f"{PLACEHOLDER}-7B {distinction('𓀀-7B')}"


@pytest.mark.parametrize(
    "name", ["аса", "ΒΑΚ", "wrеn-7b", "wren‑7b", "ｗren", "wren\u200b-7b", "wren\u00a07b"]
)  # fmt: skip
def test_what_is_drawn_like_another_name_has_a_mark(name: str) -> None:
    """Words of Cyrillic and Greek in Latin shapes, one Cyrillic letter, another hyphen, full width, hidden signs."""
    assert is_ambiguous(name)
    assert formats.name(name).endswith(distinction(name))


def test_shortened_names_are_told_apart_by_where_they_differ() -> None:
    names = [f"mistral-large-24{month}-instruct" for month in ("07", "11")] + [
        "x" * 100 + middle + "y" * 100 for middle in "ab"
    ]
    assert formats.name(names[0], 18) == formats.name(names[1], 18) == "mistral-l…instruct"
    with formats.beside(names):
        shown = [formats.name(name, 18) for name in names]
    assert shown[:2] == ["mistral…7-instruct", "mistral…1-instruct"]
    assert shown[2] != shown[3], "where names differ in their middle alone, a mark tells them apart"
    assert all(len(words) <= 18 for words in shown)


def test_a_sign_as_wide_as_high_counts_for_two_letters() -> None:
    """Of 18 letters the gap takes one; four signs are the most of the eight behind it, four of the nine before it."""
    assert formats.name("日本語の大きな言語モ", 18) == "日本語の…な言語モ"
    assert text_width("日本語", 10) == pytest.approx(30)


def test_each_sign_is_in_one_font_alone() -> None:
    """So the order in which fonts are asked decides nothing."""
    runs = json.loads(files("templates.fonts").joinpath("fallback.json").read_text("utf-8"))
    signs = [chr(code) for written in runs.values() for first, last, _ in written for code in range(first, last + 1)]
    assert len(signs) == len(set(signs)) > 20_000
    assert not everywhere() & set(signs)


def test_paper_holds_the_fonts_of_its_scripts_and_no_other() -> None:
    names = [formats.name(name) for name in ("日本語", "نموذج", "हिन्दी")]
    figure = svg.figure((300, 60), "names", [svg.text((0, 14 * place + 10), name) for place, name in enumerate(names)])
    style = 'body { font: 10pt "Trisect Sans", Trisect Fallback }'
    layout = pdf._laid_out(f"<style>{style}</style><p>{' and '.join(names)}</p>{figure}")
    layout.write_pdf()
    families = {font.family for font in layout.fonts.values()}
    assert families == {
        "Trisect Sans", "Trisect Sans Condensed", "Trisect Japanese", "Trisect Arabic", "Trisect Devanagari",
    }  # fmt: skip
    assert not any(font.missing for font in layout.fonts.values())
    assert fallback_files("Quillmere AI, 8 % over plan → £") == ()
