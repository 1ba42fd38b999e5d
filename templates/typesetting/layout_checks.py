"""What must hold of a report before it is laid out, and of its layout before it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

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
    """Nothing leaves its place, pages are as many as they should be, and only our fonts are used.

    Raises:
        ReportFault: A text overflows, a page breaks that must not, or a glyph is missing.
    """
    for number, page in enumerate(layout.pages, start=1):
        box = page._page_box  # noqa: SLF001 - the library has no other door to its layout
        for words in _below(box):
            raise ReportFault(
                f"text runs into the footer on sheet {number} of the report: {words[:80]!r}; give it room where the "
                "page is made"
            )
        for words in _overflowing(box):
            raise ReportFault(
                f"text overflows on sheet {number} of the report: {words[:80]!r}; shorten it where the page is made"
            )
    sheets = _sheets(layout)
    for page in report.pages:
        if page.kind not in CONTINUED and sheets.get(page.anchor, 0) != 1:
            raise ReportFault(
                f"page {page.name!r} takes {sheets.get(page.anchor, 0)} sheets of paper instead of one; "
                "show fewer rows where the page is made"
            )


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


def _below(page: Any) -> Iterator[str]:  # noqa: ANN401 - boxes of the layout library are untyped
    """Texts and figures of the page itself that end below its foot."""
    foot = page.content_box_y() + page.height + SLACK
    own = (child for child in page.children if child.element_tag == "html")
    for box in (box for child in own for box in _boxes(child)):
        is_seen = type(box).__name__ in SEEN and box.position_y + box.margin_height() > foot
        yield from [getattr(box, "text", "") or f"a figure ({box.element_tag})"] if is_seen else []


def _overflowing(page: Any) -> Iterator[str]:  # noqa: ANN401 - boxes of the layout library are untyped
    """Texts that leave the block that they stand in, or the sheet."""
    for block in _boxes(page):
        if not hasattr(block, "content_box_x") or not hasattr(block, "children"):
            continue
        yield from _beyond(block)


def _beyond(block: Any) -> Iterator[str]:  # noqa: ANN401 - boxes of the layout library are untyped
    lines = [child for child in block.children if type(child).__name__ == "LineBox"]
    limit = block.content_box_x() + block.width + SLACK if lines else 0
    texts = (box for line in lines for box in _boxes(line) if type(box).__name__ == "TextBox")
    return (text.text for text in texts if text.position_x + text.width > limit and text.text.strip())


def long_pages(layout: Layout, report: Document) -> set[str]:
    """Kinds of pages that take more than their one sheet."""
    sheets = _sheets(layout)
    return {page.kind for page in report.pages if page.kind not in CONTINUED and sheets.get(page.anchor, 0) > 1}


def fills(layout: Layout) -> dict[str, float]:
    """How far down its sheet each page reaches, as a share of the height of text; 1 where it goes on to another."""
    found: dict[str, list[float]] = {}
    for page in layout.pages:
        box = page._page_box  # noqa: SLF001 - the library has no other door to its layout
        for article in (part for part in _boxes(box) if _is_page(part)):
            ends = [part.position_y + part.margin_height() for part in _boxes(article) if type(part).__name__ in SEEN]
            foot = max(ends, default=article.position_y)
            share = (foot - box.content_box_y()) / box.height
            found.setdefault(article.element.get("id"), []).append(share)
    return {anchor: shares[0] if len(shares) == 1 else 1.0 for anchor, shares in found.items()}
