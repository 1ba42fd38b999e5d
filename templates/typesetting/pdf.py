"""From markup to a PDF file: archivable, tagged, reproducible, and free of anything from outside."""

from __future__ import annotations

import base64
import gc
import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, Final

import weasyprint
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from templates.pages.document import Document
from templates.pages.night import WHOLE_REPORT
from templates.typesetting import shaped_figures
from templates.typesetting.layout_checks import (
    Misplaced,
    fills,
    late_parts,
    long_pages,
    misplaced,
    prove_fonts,
    prove_layout,
)
from templates.typesetting.paper_fallback import PaperFallback
from templates.typesetting.typeface import (
    BUNDLED,
    FALLBACK,
    faces_by_name,
    fallback_families,
    fallback_files,
    font,
)

shaped_figures.use()

VARIANT: Final = "pdf/a-3a"
MOST_ATTACHED: Final = 3_000_000
GAP: Final = 0.04
MOST_TRIES: Final = 5
MOST_FALLBACKS: Final = 6
NOTHING_GIVEN_UP: Final = PaperFallback()
FEW_SHEETS: Final = 6
"""What a company of one model is told everything on."""
MOST_LEVELS: Final = 4
FULL: Final = 0.99
"""Two pages share a sheet where both and the gap between them fill no more of it."""
FIGURE: Final = re.compile(
    r'<svg [^>]*class="(?P<name>[^"]*)"[^>]*? width="(?P<width>[^"]*)" height="(?P<height>[^"]*)"[^>]*>'
    r"<title>(?P<alt>[^<]*)</title>.*?</svg>",
    re.DOTALL,
)
PDF_UA: Final = b"""<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>part of ISO 14289 that the file follows</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
"""


Composer = Callable[[Mapping[str, int], frozenset[str]], tuple[str, Document]]
"""Markup and values of the report: kinds of pages that were too long so many times, and pages that share a sheet."""


def printed(composed: Composer, attachments: Mapping[str, bytes]) -> bytes:
    """The PDF of a report; a page that is too long is made again with less, and thin pages share a sheet.

    Args:
        composed: Makes the markup.
        attachments: Exports that the file carries, by file name.

    Raises:
        ReportFault: The layout breaks a promise: overflow, page count, fonts.
    """
    with uncollected():
        return _printed(composed, attachments)


def figures_as_images(markup: str) -> str:
    """Figures within the page as images of the same drawing: the parser and the style sheets pass their inside by."""
    return FIGURE.sub(_image, markup)


def _image(svg: re.Match[str]) -> str:
    drawing = base64.b64encode(svg[0].encode()).decode("ascii")
    size = f"width:{svg['width']};height:{svg['height']}"
    return f'<img class="{svg["name"]}" style="{size}" alt="{svg["alt"]}" src="data:image/svg+xml;base64,{drawing}">'


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for cycles while a report is laid out: millions of small objects live until it is written."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _laid_out(markup: str, fallback: PaperFallback = NOTHING_GIVEN_UP) -> weasyprint.Document:
    fetcher = URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)
    scripts = fallback_files(markup)
    if scripts:
        markup = markup.replace(FALLBACK, ", ".join(fallback_families(scripts)))
    fonts, faces = _fonts(scripts)
    source = weasyprint.HTML(string=figures_as_images(markup), base_url=None, url_fetcher=fetcher)
    fallback.apply(source.etree_element)
    return source.render(font_config=fonts, stylesheets=[faces])


def thin_pages(filled: Mapping[str, float], report: Document) -> frozenset[str]:
    """Pages that have room on the sheet of the one before; page 1 stands alone."""
    joined, used = set(), 1.0
    for page in report.pages[1:]:
        share = filled.get(page.anchor, 1.0)
        if used + share + GAP <= FULL:
            joined.add(page.anchor)
            used += share + GAP
        else:
            used = share
    return frozenset(joined)


def _in_few_sheets(
    composed: Composer, squeezed: Mapping[str, int], report: Document, fallback: PaperFallback
) -> tuple[weasyprint.Document, Document] | None:
    """The report of a company of one model on at most six sheets: its pages go on below each other, with less each try.

    None where no try keeps to them without something that leaves its place: then the report stays as it is.
    """
    flowing = frozenset(page.anchor for page in report.pages[2:])
    for level in range(1, MOST_LEVELS + 1):
        less = {page.kind: squeezed.get(page.kind, 0) + level - 1 for page in report.pages}
        markup, shorter = composed({**less, WHOLE_REPORT: level}, flowing)
        layout = _laid_out(markup, PaperFallback(fallback.narrow))
        if len(layout.pages) <= FEW_SHEETS and not any(misplaced(layout)):
            return layout, shorter
    return None


def _squeezed(composed: Composer) -> tuple[dict[str, int], weasyprint.Document, Document]:
    """The layout after pages that are too long have been made again with less."""
    squeezed: dict[str, int] = {}
    markup, report = composed(squeezed, frozenset())
    layout = _laid_out(markup)
    for _ in range(MOST_TRIES):
        anchors = long_pages(layout, report)
        long = {page.kind for page in report.pages if page.anchor in anchors}
        if not long:
            break
        squeezed = {kind: squeezed.get(kind, 0) + (kind in long) for kind in {*squeezed, *long}}
        markup, report = composed(squeezed, frozenset())
        layout = _laid_out(markup)
    return squeezed, layout, report


def _fitted(markup: str, report: Document, layout: weasyprint.Document) -> tuple[PaperFallback, weasyprint.Document]:
    """The layout after pages on which something still does not fit have given it up."""
    fallback = NOTHING_GIVEN_UP
    for attempt in range(MOST_FALLBACKS):
        faults = list(misplaced(layout))
        anchors = _faulty(layout, report)
        if not anchors:
            break
        if attempt == MOST_FALLBACKS - 1:
            fallback = replace(fallback, bare=fallback.bare | anchors)
        elif anchors <= fallback.narrow:
            fallback = _with_less(fallback, faults, anchors, layout)
        else:
            fallback = replace(fallback, narrow=fallback.narrow | anchors)
        layout = _laid_out(markup, fallback)
    return fallback, layout


def _faulty(layout: weasyprint.Document, report: Document) -> frozenset[str]:
    """Anchors of the pages on which something does not fit."""
    return long_pages(layout, report) | {fault.anchor for fault in misplaced(layout) if fault.anchor}


def _with_less(
    fallback: PaperFallback, faults: list[Misplaced], anchors: frozenset[str], layout: weasyprint.Document
) -> PaperFallback:
    """Parts of each page left out: those in which the text stands, else those that a page too long has left over."""
    without = {(fault.anchor, fault.part) for fault in faults if fault.anchor and fault.part is not None}
    mended = {anchor for anchor, _ in without}
    without |= {(anchor, number) for anchor, numbers in late_parts(layout).items() for number in numbers
                if anchor in anchors - mended}  # fmt: skip
    bare = anchors - {anchor for anchor, _ in without}
    return replace(fallback, without=fallback.without | without, bare=fallback.bare | bare)


def _printed(composed: Composer, attachments: Mapping[str, bytes]) -> bytes:
    squeezed, layout, report = _squeezed(composed)
    fallback, layout = _fitted(composed(squeezed, frozenset())[0], report, layout)
    joined = thin_pages(fills(layout), report)
    if joined:
        together = _laid_out(composed(squeezed, joined)[0], fallback)
        layout = layout if _faulty(together, report) else together
    if report.has_one_model and len(layout.pages) > FEW_SHEETS:
        layout, report = _in_few_sheets(composed, squeezed, report, fallback) or (layout, report)
    fetcher = URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)
    prove_layout(layout, report)
    target = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the library leaves its own colour profile open
        layout.write_pdf(
            target,
            finisher=_finish,
            pdf_variant=VARIANT,
            pdf_identifier=hashlib.sha256(report.identity.identity.encode()).digest()[:16],
            attachments=_attached(attachments, report, fetcher),
            **_defaults(),
        )
    return target.getvalue()


@cache
def _fonts(fallback: tuple[str, ...]) -> tuple[FontConfiguration, weasyprint.CSS]:
    """The bundled fonts with those of the scripts that a report holds, loaded once per process."""
    configuration = FontConfiguration()
    faces = weasyprint.CSS(string=faces_by_name(fallback), font_config=configuration, url_fetcher=_Bundled())
    return configuration, faces


class _Bundled(URLFetcher):  # type: ignore[misc]  # the library has no types
    """Knows our own fonts by name and nothing else: inside the style sheet they would be parsed letter by letter."""

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        """The font of the name."""
        del headers
        scheme, _, name = url.partition(":")
        if scheme != BUNDLED:
            raise ValueError(f"{url} is none of the bundled fonts")
        return URLFetcherResponse(url, font(name), {"Content-Type": f"font/{name.rpartition('.')[2]}"})


def _defaults() -> dict[str, Any]:
    """The library's own settings for everything that is not said here."""
    own_options = {"pdf_variant", "pdf_identifier", "attachments"}
    return {name: value for name, value in weasyprint.DEFAULT_OPTIONS.items() if name not in own_options} | {
        "pdf_tags": True
    }


def _finish(layout: weasyprint.Document, pdf: Any) -> None:  # noqa: ANN401 - the library's own type is untyped
    """Last look at the fonts, what heads what in tables, and the PDF/UA identification inside the metadata."""
    prove_fonts(layout)
    _say_scopes(pdf)
    associated = pdf.catalog.get("AF", [])
    associated[:] = dict.fromkeys(associated)  # the library names each attachment twice
    reference = int(pdf.catalog["Metadata"].split()[0])
    metadata = pdf.objects[reference]
    end = b"</rdf:RDF>"
    metadata.stream = [part.replace(end, PDF_UA + end) for part in metadata.stream]


def _say_scopes(pdf: Any) -> None:  # noqa: ANN401 - the library's own type is untyped
    """Tells heads of columns from heads of rows: the library names the heads of each cell, and says no scope."""
    for tag in pdf.objects:
        if isinstance(tag, dict) and tag.get("S") == "/TH":
            row = pdf.objects[int(tag["P"].split()[0])]
            group = pdf.objects[int(row["P"].split()[0])]
            tag["A"]["Scope"] = "/Column" if group.get("S") == "/THead" else "/Row"


def _attached(
    attachments: Mapping[str, bytes], report: Document, fetcher: URLFetcher
) -> list[weasyprint.Attachment] | None:
    moment = report.identity.built_at
    return [
        weasyprint.Attachment(
            file_obj=io.BytesIO(content),
            name=name,
            description=f"{name} of night {report.night.subject['as_of']}",
            created=moment,
            modified=moment,
            relationship="Data",
            url_fetcher=fetcher,
        )
        for name, content in sorted(fitted(attachments).items())
    ] or None


def fitted(attachments: Mapping[str, bytes]) -> dict[str, bytes]:
    """Attachments of three megabytes in all: the largest are replaced by their first lines and a note."""
    kept = dict(attachments)
    while kept and sum(len(content) for content in kept.values()) > MOST_ATTACHED:
        largest = max(kept, key=lambda name: (len(kept[name]), name))
        half = kept[largest][: len(kept[largest]) // 2]
        head = half[: half.rfind(b"\n") + 1]
        if not head:
            del kept[largest]
        else:
            kept[largest] = head
    return kept
