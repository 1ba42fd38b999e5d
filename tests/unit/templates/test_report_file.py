"""The PDF as a file: tagged, archivable, reproducible, with our fonts and nothing from outside."""

from __future__ import annotations

import gc
import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
import pytest

from orchestration import drawing
from templates import render
from templates.figures.marks import attention, passed
from templates.pages.edition import Edition
from templates.typesetting import pdf as printing
from templates.typesetting import typeface
from templates.typesetting.layout_checks import ReportFault
from warehouse.isolation.limited_process import LimitedProcess

ATTACHED = {"thirds.csv": b"model_id\natlas\n", "provenance.json": b"[]\n"}


@pytest.fixture(scope="module")
def written(tables: Any, built: dict[str, Any]) -> bytes:
    return render.pdf(tables, attachments={}, **built)


def test_a_child_that_asks_for_each_table_it_misses_draws_the_same_bytes(
    tables: Any, built: dict[str, Any], written: bytes
) -> None:
    child, read = LimitedProcess(drawing.__name__), drawing.ReadTables(tables)
    assert drawing.draw(child, read, drawing.Sheet(**built), "2GB") == written
    assert read.read
    child.stop()


def test_a_report_that_takes_too_much_memory_is_named_with_what_to_do(tables: Any, built: dict[str, Any]) -> None:
    child, read = LimitedProcess(drawing.__name__), drawing.ReadTables(tables)
    with pytest.raises(drawing.DrawingError, match=r"more than 1 MB of memory; raise \[limits\] memory"):
        drawing.draw(child, read, drawing.Sheet(**built), "1MB")
    child.stop()


@pytest.fixture(scope="module")
def opened(written: bytes) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(io.BytesIO(written)) as pdf:
        yield pdf


@pytest.fixture(scope="module")
def sheets(written: bytes, words_of: Callable[[bytes], list[str]]) -> list[str]:
    """The text of each sheet of paper, as a reader without pictures has it."""
    return words_of(written)


def structure(element: Any) -> Iterator[Any]:
    """Every element of the tag tree."""
    yield element
    children = element.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield from structure(child)


def test_it_is_tagged_and_says_its_language_and_title(opened: pikepdf.Pdf) -> None:
    assert opened.Root.MarkInfo.Marked
    assert str(opened.Root.Lang) == "en"
    assert opened.Root.ViewerPreferences.DisplayDocTitle
    assert str(opened.docinfo["/Title"]) == "Example AI: what our models cost, October 2026, closed month"


def test_it_names_pdf_a_3a_and_pdf_ua_1(opened: pikepdf.Pdf) -> None:
    with opened.open_metadata() as metadata:
        assert metadata["pdfaid:part"] == "3"
        assert metadata["pdfaid:conformance"] == "A"
        assert metadata["pdfuaid:part"] == "1"


def test_its_metadata_carries_night_revision_and_digests(opened: pikepdf.Pdf) -> None:
    assert str(opened.docinfo["/Subject"]) == f"Night 2026-11-21, revision 1, run {'a' * 64}"
    assert str(opened.docinfo["/CreationDate"]) == "D:20261122040000+00'00"


def test_every_figure_has_an_alternative_text_and_every_table_headers(opened: pikepdf.Pdf) -> None:
    elements = list(structure(opened.Root.StructTreeRoot.K[0]))
    figures = [element for element in elements if element.S == "/Figure"]
    tables = [element for element in elements if element.S == "/Table"]
    assert len(figures) > 60
    assert all(0 < len(str(figure.Alt)) <= 250 for figure in figures)
    assert len(tables) >= 10
    assert all(any(cell.S == "/TH" for cell in structure(table)) for table in tables)


def test_each_page_has_one_first_heading_and_a_bookmark(opened: pikepdf.Pdf) -> None:
    headings = [element for element in structure(opened.Root.StructTreeRoot.K[0]) if element.S == "/H1"]
    with opened.open_outline() as outline:
        names = [item.title for item in outline.root]
    assert len(headings) == len(names) == 10
    assert names[:4] == ["Summary", "Decisions", "Bridge and outlook", "Thirds"]
    assert names[-2:] == ["Reconciliation and data quality", "Words and policies"]


def test_only_our_fonts_are_used_and_all_are_inside(opened: pikepdf.Pdf) -> None:
    fonts = [
        one for one in opened.objects if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor"
    ]
    assert fonts
    assert all("+Trisect" in str(font.FontName) for font in fonts)
    assert all("/FontFile2" in font or "/FontFile3" in font for font in fonts)


def inflated(content: bytes) -> Iterator[bytes]:
    """The file's bytes, and what its streams hold."""
    yield content
    for part in content.split(b"stream\n")[1:]:
        try:
            yield zlib.decompressobj().decompress(part)
        except zlib.error:
            continue


def test_nothing_is_embedded_launched_or_run(written: bytes) -> None:
    for part in inflated(written):
        for word in (b"/EmbeddedFile", b"/Launch", b"/JavaScript", b"/URI"):
            assert word not in part


def test_equal_tables_give_equal_bytes(tables: Any, built: dict[str, Any], written: bytes) -> None:
    assert render.pdf(tables, attachments={}, **built) == written


def test_attachments_are_data_of_the_time_of_the_night(tables: Any, built: dict[str, Any]) -> None:
    edition = Edition("finance")
    content = render.pdf(tables, attachments=ATTACHED, edition=edition, **built)
    assert content == render.pdf(tables, attachments=ATTACHED, edition=edition, **built)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert {name: pdf.attachments[name].get_file().read_bytes() for name in pdf.attachments} == ATTACHED
        for name in ATTACHED:
            assert str(pdf.attachments[name].obj.AFRelationship) == "/Data"


def test_the_cuts_hold_the_pages_of_their_readers(tables: Any, built: dict[str, Any]) -> None:
    finance = render.html(tables, edition=Edition("finance"), **built)
    owner = render.html(tables, edition=Edition("owner", "nobody"), **built)
    assert [part.split('"')[0] for part in finance.split('<article class="page ')[1:]] == [
        "bridge", "amortization", "reconciliation", "method",
    ]  # fmt: skip
    assert [part.split('"')[0] for part in owner.split('<article class="page ')[1:]] == ["summary", "reconciliation"]
    assert 'href="#K-' not in owner


def test_no_sheet_says_what_only_a_program_would(sheets: list[str]) -> None:
    assert not re.search(r"\b(nan|NaN|None|inf|Infinity|undefined)\b|\{\{|\{%|Decimal\(", "\n".join(sheets))


def test_figures_as_images_are_the_same_on_paper_to_the_byte(
    tables: Any, built: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = Edition("finance")
    as_images = render.pdf(tables, attachments={}, edition=edition, **built)
    monkeypatch.setattr(printing, "figures_as_images", str)
    assert render.pdf(tables, attachments={}, edition=edition, **built) == as_images


def test_every_figure_of_a_page_becomes_an_image_with_its_alternative_text() -> None:
    markup = f"<td>{passed()}</td><p>{passed()} and {attention()}</p>"
    images = printing.figures_as_images(markup)
    assert "<svg" not in images
    assert images.count('alt="passed"') == 2
    assert images.count('alt="needs attention"') == 1


def test_the_search_for_cycles_rests_while_a_report_is_laid_out_and_goes_on_after_one_that_failed() -> None:
    seen = []

    def failing() -> None:
        with printing.uncollected():
            seen.append(gc.isenabled())
            raise ReportFault("nothing fits")

    with pytest.raises(ReportFault):
        failing()
    assert seen == [False]
    assert gc.isenabled()


@pytest.mark.parametrize("name", ["../style.css", "TrisectSans-Regular.py", "/etc/hosts", "TrisectSans.ttf.ttf"])
def test_only_bundled_fonts_have_a_name(name: str) -> None:
    with pytest.raises(KeyError):
        typeface.font(name)
