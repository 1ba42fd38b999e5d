"""What must hold of a report before it is laid out, and of its layout before it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from templates.typesetting.paper_fallback import PART
from templates.typesetting.title_lines import LIMIT, fits
from templates.wording import unmarked

if TYPE_CHECKING:
    from weasyprint import Document as Layout

    from templates.pages.document import Document

SLACK: Final = 1.0
SEEN: Final = ("TextBox", "InlineReplacedBox", "BlockReplacedBox")
OWN_FONTS: Final = "Trisect"
CONTINUED: Final = ("reconciliation",)


class ReportFault(Exception):  # noqa: N818 - the night fails with this word
    """Something of the report cannot be printed as it should be."""


def prove(report: Document) -> None:
    """Titles fit, and every table that says so adds up.

    Raises:
        ReportFault: A title is too long, or the rows of a table do not add up.
    """
    for page in report.pages:
        title = unmarked(page.title)
        if not fits(title):
            raise ReportFault(
                f"the title of page {page.name!r} has {len(title)} characters: {title!r}; at most {LIMIT} on two "
                "lines are printed: shorten its template in words/titles.j2"
            )
        for fault in getattr(page.value, "faults", ()):
            raise ReportFault(f"page {page.name!r} does not add up: {fault}; find the table that the page is made from")


def prove_layout(layout: Layout, report: Document) -> None:
    """Nothing leaves its place, and pages are as many as they should be.

    Raises:
        ReportFault: A text overflows, or a page breaks that must not.
    """
    for fault in misplaced(layout):
        raise ReportFault(
            f"text {fault.what} on sheet {fault.sheet} of the report: {fault.words[:80]!r}; give it room, or say less, "
            "where the page is made"
        )
    sheets = _sheets(layout)
    for page in report.pages:
        is_whole = page.kind not in CONTINUED and not (report.night.is_flowing and page.kind != "summary")
        if is_whole and sheets.get(page.anchor, 0) != 1:
            raise ReportFault(
                f"page {page.name!r} takes {sheets.get(page.anchor, 0)} sheets of paper instead of one; "
                "show fewer rows where the page is made"
            )


@dataclass(frozen=True)
class Misplaced:
    """A text out of its place: its page's anchor and which of the page's parts it is in, none in head and foot."""

    sheet: int
    anchor: str | None
    part: int | None
    words: str
    what: str


def misplaced(layout: Layout) -> Iterator[Misplaced]:
    """Texts that run into the footer, and texts that leave the block that they stand in."""
    for number, page in enumerate(layout.pages, start=1):
        sheet = page._page_box  # noqa: SLF001 - the library has no other door to its layout
        placed = {id(box): (anchor, inner) for box, anchor, _, inner in _placed(sheet)}
        for what, boxes in (("runs into the footer", _below(sheet)), ("overflows", _overflowing(sheet))):
            for box in boxes:
                words = getattr(box, "text", "") or f"a figure ({box.element_tag})"
                yield Misplaced(number, *placed[id(box)], words, what)


def late_parts(layout: Layout) -> dict[str, frozenset[int]]:
    """The outermost parts of which something stands on a second sheet of their page, by the anchor of the page."""
    begun: set[str] = set()
    late: dict[str, set[int]] = {}
    for page in layout.pages:
        anchors = set()
        for box, anchor, outer, _ in _placed(page._page_box):  # noqa: SLF001 - as above
            if anchor is not None:
                anchors.add(anchor)
                if anchor in begun and outer is not None and type(box).__name__ in SEEN:
                    late.setdefault(anchor, set()).add(outer)
        begun |= anchors
    return {anchor: frozenset(places) for anchor, places in late.items()}


def _placed(
    box: Any,  # noqa: ANN401 - boxes of the layout library are untyped
    anchor: str | None = None,
    outer: int | None = None,
    inner: int | None = None,
) -> Iterator[tuple[Any, str | None, int | None, int | None]]:
    """Every box with the page of the report, and the outermost and innermost part of that page, that it is in."""
    element = getattr(box, "element", None)
    if element is not None and element.tag == "article":
        anchor, outer, inner = element.get("id"), None, None
    part = element.get(PART) if element is not None and anchor is not None else None
    if part is not None:
        inner = int(part)
        outer = inner if outer is None else outer
    yield box, anchor, outer, inner
    for child in getattr(box, "children", ()):
        yield from _placed(child, anchor, outer, inner)


def prove_fonts(layout: Layout) -> None:
    """Every glyph comes from our own fonts.

    Raises:
        ReportFault: The layout fell back to a font of the machine, or a glyph is missing.
    """
    for font in layout.fonts.values():
        if not font.family.startswith(OWN_FONTS):
            signs = "".join(sorted({str(text) for text in font.to_unicode.values()}))
            raise ReportFault(
                f"the report used the font {font.family!r} for {signs[:40]!r}; use signs that the bundled fonts have"
            )
        if font.missing:
            codes = ", ".join(f"U+{code:04X}" for code in sorted(font.missing)[:5])
            raise ReportFault(
                f"the bundled font {font.family!r} lacks {codes}; use other signs in our own words, or add them in "
                "templates/fonts/build_fonts.py"
            )


def _sheets(layout: Layout) -> dict[str, int]:
    """On how many sheets of paper each page of the report stands."""
    counts: dict[str, int] = {}
    for page in layout.pages:
        anchors = {box.element.get("id") for box in _boxes(page._page_box) if _is_page(box)}  # noqa: SLF001 - as above
        for anchor in anchors:
            counts[anchor] = counts.get(anchor, 0) + 1
    return counts


def _is_page(box: Any) -> bool:  # noqa: ANN401 - boxes of the layout library are untyped
    return bool(box.element_tag == "article")


def _boxes(box: Any) -> Iterator[Any]:  # noqa: ANN401 - boxes of the layout library are untyped
    yield box
    for child in getattr(box, "children", ()):
        yield from _boxes(child)


def _below(page: Any) -> Iterator[Any]:  # noqa: ANN401 - boxes of the layout library are untyped
    """Texts and figures of the page itself that end below its foot."""
    foot = page.content_box_y() + page.height + SLACK
    own = (child for child in page.children if child.element_tag == "html")
    for box in (box for child in own for box in _boxes(child)):
        if type(box).__name__ in SEEN and box.position_y + box.margin_height() > foot:
            yield box


def _overflowing(page: Any) -> Iterator[Any]:  # noqa: ANN401 - boxes of the layout library are untyped
    """Texts that leave the block that they stand in, or the sheet: a table can be wider than its sheet."""
    edge = page.content_box_x() + page.width + SLACK
    for block in _boxes(page):
        if not hasattr(block, "content_box_x") or not hasattr(block, "children"):
            continue
        yield from _beyond(block, edge)


def _beyond(block: Any, edge: float) -> Iterator[Any]:  # noqa: ANN401 - boxes of the layout library are untyped
    lines = [child for child in block.children if type(child).__name__ == "LineBox"]
    limit = min(block.content_box_x() + block.width + SLACK, edge) if lines else 0
    texts = (box for line in lines for box in _boxes(line) if type(box).__name__ == "TextBox")
    return (text for text in texts if text.position_x + text.width > limit and text.text.strip())


def long_pages(layout: Layout, report: Document) -> frozenset[str]:
    """Anchors of pages that take more than their one sheet, or run into its foot."""
    sheets = _sheets(layout)
    below = {fault.anchor for fault in misplaced(layout) if fault.what != "overflows"}
    return frozenset(
        page.anchor
        for page in report.pages
        if (page.kind not in CONTINUED and sheets.get(page.anchor, 0) > 1) or page.anchor in below
    )


def fills(layout: Layout) -> dict[str, float]:
    """How far down its sheet each page reaches, as a share of the height of text; 1 where it goes on to another."""
    shares_by_page: dict[str, list[float]] = {}
    for page in layout.pages:
        box = page._page_box  # noqa: SLF001 - the library has no other door to its layout
        for article in (part for part in _boxes(box) if _is_page(part)):
            ends = [part.position_y + part.margin_height() for part in _boxes(article) if type(part).__name__ in SEEN]
            foot = max(ends, default=article.position_y)
            share = (foot - box.content_box_y()) / box.height
            shares_by_page.setdefault(article.element.get("id"), []).append(share)
    return {anchor: shares[0] if len(shares) == 1 else 1.0 for anchor, shares in shares_by_page.items()}
