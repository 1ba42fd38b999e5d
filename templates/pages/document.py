"""The whole report as values: furniture, and the pages that are shown, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from templates import formats
from templates.pages.amortization import amortization
from templates.pages.bridge import bridge
from templates.pages.compute import compute
from templates.pages.decisions import decisions
from templates.pages.edition import LEADERSHIP, NAMES, Edition
from templates.pages.index import Ref
from templates.pages.method import method
from templates.pages.night import Night, Row
from templates.pages.page_frame import Furniture, Identity
from templates.pages.reconciliation import reconciliation
from templates.pages.served import served
from templates.pages.sheet import sheet
from templates.pages.summary import summary
from templates.pages.thirds import models_by_spend, thirds
from templates.pages.unit_costs import unit_costs
from templates.titles import titled

BUILDERS: Final[Mapping[str, Callable[[Night], object]]] = {
    "summary": summary,
    "decisions": decisions,
    "bridge": bridge,
    "thirds": thirds,
    "unit_costs": unit_costs,
    "served": served,
    "amortization": amortization,
    "compute": compute,
    "reconciliation": reconciliation,
}
BILLED: Final = ("reconciliation",)


@dataclass(frozen=True)
class Page:
    """One page: which template prints it, its value, its message, and the words in its footer and outline."""

    kind: str
    anchor: str
    name: str
    basis: str
    value: object
    code: str
    detail: str
    title: str = ""

    @property
    def template(self) -> str:
        """The file of the page's template."""
        return f"page_{self.kind}.html.j2"


@dataclass(frozen=True)
class Document:
    """The report of one night, before any of it is laid out."""

    night: Night
    furniture: Furniture
    identity: Identity
    pages: tuple[Page, ...]
    refs: tuple[Ref, ...]

    @property
    def has_index(self) -> bool:
        """Whether page B is there for references to lead to."""
        return any(page.kind == "method" for page in self.pages)

    @property
    def has_one_model(self) -> bool:
        """Whether one model at most has direct cost: such a company is told all in few pages."""
        return len(models_by_spend(self.night)) <= 1

    @property
    def title(self) -> str:
        """The document's title in its metadata."""
        return f"{self.furniture.company}: what our models cost, {self.furniture.period}"


def document(night: Night, identity: Identity, edition: Edition = LEADERSHIP) -> Document:
    """The report of a night for the readers of an edition."""
    furniture = Furniture.of(night, identity.revision)
    shown = night.tables["pages"].filter("is_shown").sort("position").to_dicts()
    owners = dict(night.tables["models"].select("model_id", "owner").iter_rows())
    pages = [
        _page(night, furniture, identity, row)
        for row in shown
        if edition.has(row["page"], owners.get(row["model_id"]) if row["model_id"] else None)
    ]
    return Document(night, furniture, identity, tuple(pages), tuple(night.index))


def _page(night: Night, furniture: Furniture, identity: Identity, row: Row) -> Page:
    kind = row["page"]
    if kind == "sheet":
        name, anchor = formats.name(row["model_id"], 24), f"model-{row['position']}"
        value: object = sheet(night, row["model_id"])
    else:
        name, anchor = NAMES[kind], kind.replace("_", "-")
        value = method(night, identity) if kind == "method" else BUILDERS[kind](night)
    basis = furniture.billed_basis if kind in BILLED else furniture.basis_of(night, kind)
    code, detail = row["title_code"], row["title_detail"] or ""
    return Page(kind, anchor, name, basis, value, code, detail, titled(night, kind, value, (code, detail)))
