"""The file as an independent reader of PDF sees it: valid, tagged throughout, whole in itself."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pikepdf
import pytest

from templates import render
from templates.pages.edition import Edition

SHOWING = {"Tj", "TJ", "'", '"', "Do", "S", "s", "f", "F", "f*", "B", "B*", "b", "b*"}
OUTWARD = {"/URI", "/Launch", "/GoToR", "/GoToE", "/JavaScript", "/SubmitForm", "/ImportData", "/Rendition", "/Movie"}
ATTACHED = {"thirds.csv": b"model_id\natlas\n"}


@pytest.fixture(scope="module")
def opened(tables: Any, built: dict[str, Any]) -> Iterator[pikepdf.Pdf]:
    """The whole report with one export attached."""
    with pikepdf.open(io.BytesIO(render.pdf(tables, attachments=ATTACHED, **built))) as pdf:
        yield pdf


@pytest.fixture(scope="module")
def elements(opened: pikepdf.Pdf) -> list[Any]:
    """Every element of the tag tree, in reading order."""
    return list(walked(opened.Root.StructTreeRoot.K[0]))


def walked(element: Any) -> Iterator[Any]:
    """An element and all below it."""
    yield element
    children = element.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield from walked(child)


def test_the_file_is_sound(opened: pikepdf.Pdf) -> None:
    assert opened.check_pdf_syntax() == []


def test_everything_drawn_is_tagged_or_marked_as_ornament(opened: pikepdf.Pdf) -> None:
    for number, page in enumerate(opened.pages, start=1):
        depth = 0
        for operands, operator in pikepdf.parse_content_stream(page):
            name = str(operator)
            depth += {"BDC": 1, "BMC": 1, "EMC": -1}.get(name, 0)
            assert depth > 0 or name not in SHOWING, (number, name, operands)
        assert depth == 0


def test_every_sheet_is_read_in_the_order_of_its_tags(opened: pikepdf.Pdf) -> None:
    assert all(page.obj.Tabs == "/S" for page in opened.pages if "/Annots" in page.obj)
    assert sorted(int(page.obj.StructParents) for page in opened.pages) == sorted(
        {int(page.obj.StructParents) for page in opened.pages}
    )


def test_headings_never_skip_a_level(elements: list[Any]) -> None:
    levels = [int(str(element.S)[2:]) for element in elements if str(element.S)[1:] in {"H1", "H2", "H3", "H4"}]
    assert levels[0] == 1
    assert all(later <= level + 1 for level, later in pairwise(levels))


def test_every_head_of_a_table_says_what_it_heads(elements: list[Any]) -> None:
    heads = [element for element in elements if element.S == "/TH"]
    assert len(heads) > 50
    assert {str(head.A.get("/Scope")) for head in heads} == {"/Column", "/Row"}


def test_every_link_stays_inside_and_leads_somewhere(opened: pikepdf.Pdf) -> None:
    names = {str(name) for name, _ in destinations(opened)}
    links = [one for page in opened.pages for one in page.obj.get("/Annots", []) if one.Subtype == "/Link"]
    assert len(links) > 30
    for link in links:
        target = link.get("/Dest", link.get("/A", {}).get("/D") if "/A" in link else None)
        assert target is not None
        assert not isinstance(target, pikepdf.String) or str(target) in names
        assert "/StructParent" in link


def destinations(opened: pikepdf.Pdf) -> Iterator[tuple[Any, Any]]:
    """The names that links lead to."""
    yield from pikepdf.NameTree(opened.Root.Names.Dests).items()


def test_nothing_points_out_of_the_file(opened: pikepdf.Pdf) -> None:
    for one in opened.objects:
        if isinstance(one, pikepdf.Dictionary):
            assert str(one.get("/S", "")) not in OUTWARD
            assert "/OpenAction" not in one
            assert "/AA" not in one
    assert "/AcroForm" not in opened.Root


def test_its_colours_have_a_profile_inside(opened: pikepdf.Pdf) -> None:
    intents = list(opened.Root.OutputIntents)
    assert [str(intent.S) for intent in intents] == ["/GTS_PDFA1"]
    assert len(intents[0].DestOutputProfile.read_bytes()) > 100


def test_every_font_gives_its_text_back(opened: pikepdf.Pdf) -> None:
    fonts = [one for one in opened.objects if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/Font"]
    composite = [font for font in fonts if font.Subtype == "/Type0"]
    assert composite
    assert all("/ToUnicode" in font for font in composite)


def test_an_export_is_associated_with_the_file_and_dated(opened: pikepdf.Pdf) -> None:
    (attached,) = opened.Root.AF
    inner = attached.EF.F
    assert str(attached.UF) == "thirds.csv"
    assert str(inner.Params.ModDate).startswith("D:20261122040000")
    assert "/Subtype" in inner


def test_every_bookmark_leads_to_a_sheet_in_order(opened: pikepdf.Pdf) -> None:
    with opened.open_outline() as outline:
        places = [page_of(opened, item.destination) for item in outline.root]
        sections = sum(len(item.children) for item in outline.root)
    assert places == sorted(places)
    assert places[0] == 0
    assert sections >= 20


def page_of(opened: pikepdf.Pdf, destination: Any) -> int:
    """The sheet that a bookmark leads to."""
    places = {page.obj.objgen: number for number, page in enumerate(opened.pages)}
    return places[destination[0].objgen]


def test_a_cut_is_as_sound_as_the_whole(tables: Any, built: dict[str, Any]) -> None:
    written = render.pdf(tables, attachments={}, edition=Edition("owner", "Foundation models"), **built)
    with pikepdf.open(io.BytesIO(written)) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert "/AF" not in pdf.Root
        assert pdf.Root.MarkInfo.Marked
