"""Every message of a page, case by case: what is known decides which sentence stands, and names shrink to fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from templates import render
from templates.pages.bridge import DriverPart
from templates.pages.changes import Change
from templates.pages.document import Document, Page, document
from templates.pages.index import Ref
from templates.pages.night import Night
from templates.pages.page_frame import Furniture, Identity
from templates.typesetting.title_lines import LIMIT, fits

if TYPE_CHECKING:
    from bench.report_company import Company

UP, DOWN = Change(Decimal(4_600_000), Decimal(4_000_000)), Change(Decimal(3_400_000), Decimal(4_000_000))
FLAT, NO_BASE = Change(Decimal(4_100_000), Decimal(4_000_000)), Change(Decimal(4_100_000), Decimal(0))
LONG = "Constantinople-Extended-Mixture-405B"


def number(value: Any) -> Ref:
    """A number of the index."""
    return Ref("K-01", "one", Decimal(str(value)), "One", "USD", "economics.one", "one", "", "select 1", "0" * 8)


def part(name: str, change: int, *, lasts: bool = True) -> DriverPart:
    return DriverPart(name, Decimal(change), number(change), lasts)


@pytest.fixture(scope="module")
def report(tables: Any, built: dict[str, Any]) -> Document:
    return document(Night(tables), Identity(built["identity"], built["revision"], built["built_at"]))


@pytest.fixture(scope="module")
def title(report: Document) -> Callable[..., str]:
    """The title of a page of which some values are others."""

    def of(kind: str, **given: Any) -> str:
        page = next(page for page in report.pages if page.kind == kind)
        changed = replace(report, pages=(Page(**{**vars(page), "value": replace(page.value, **given)}),))  # type: ignore[type-var]
        written: str = render.titles(render.environment_of(changed), changed)[0]
        assert fits(written)
        return written.replace("\u00a0", " ")

    return of


SUMMARY: Mapping[str, tuple[dict[str, Any], str]] = {
    "over plan, cheaper": ({"plan": UP, "mtok": DOWN},
        "October cost $4.21M, 15 % over plan; a million tokens cost 15 % less than in September"),
    "under plan, dearer": ({"plan": DOWN, "mtok": UP},
        "October cost $4.21M, 15 % under plan; a million tokens cost 15 % more than in September"),
    "on plan, level": ({"plan": FLAT, "mtok": FLAT},
        "October cost $4.21M, on plan; a million tokens cost about as much as in September"),
    "plan, no price before": ({"plan": UP, "mtok": None, "served_share": number(0.44)},
        "October cost $4.21M, 15 % over plan; 44 % of it served users"),
    "no plan, up": ({"case": "no_plan", "change": UP},
        "October cost $4.21M, 15 % more than September; pre-training of Fjord-110B moved most"),
    "no plan, down": ({"case": "no_plan", "change": DOWN, "largest": None},
        "October cost $4.21M, 15 % less than September"),
    "no plan, flat": ({"case": "no_plan", "change": FLAT},
        "October cost $4.21M, level with September; pre-training of Fjord-110B moved most"),
    "no plan, below materiality": ({"case": "no_plan", "largest": None,
        "change": Change(Decimal(900), Decimal(500), Decimal(1_000))}, "October cost $4.21M, level with September"),
    "no plan, nothing before": ({"case": "no_plan", "change": NO_BASE, "largest": None}, "October cost $4.21M"),
    "one month": ({"case": "one_month", "served_share": number(0.44)},
        "October cost $4.21M; 44 % of it served users"),
    "one month, nothing known of service": ({"case": "one_month", "served_share": None}, "October cost $4.21M"),
    "nothing served": ({"case": "nothing_served", "training_share": Decimal(1)},
        "October cost $4.21M, all of it training; no model has served yet"),
    "nothing served, idle GPUs": ({"case": "nothing_served", "training_share": Decimal("0.8")},
        "October cost $4.21M, 80 % of it training; no model has served yet"),
    "credits outweigh cost": ({"plan": NO_BASE, "mtok": None, "served_share": None, "case": "one_month",
        "total": number(-1_200_000)}, "October cost −$1.20M"),
}  # fmt: skip
BRIDGE: Mapping[str, tuple[dict[str, Any], str]] = {
    "up, lasting": ({"change": UP, "parts": (part("Volume", 420_000),)},
        "Cost rose $600k; volume is 70 % of it, and lasts"),
    "down, one-off": ({"change": DOWN, "parts": (part("One-off", -480_000, lasts=False),)},
        "Cost fell $600k; one-off is 80 % of it, and will not recur"),
    "one driver is more than all": ({"change": UP, "parts": (part("Volume", 900_000), part("Price", -300_000))},
        "Cost rose $600k; volume is more than all of it, and lasts"),
    "flat": ({"change": FLAT, "parts": (part("Volume", 400_000), part("Price", -300_000))},
        "Cost stayed level; volume (+$400k) and price (−$300k) moved most"),
    "flat by one driver": ({"change": FLAT, "parts": (part("Volume", 100_000),)},
        "Cost stayed level; volume (+$100k) moved most"),
    "on a negative base": ({"change": Change(Decimal(-4_360_000), Decimal(-4_920_000)),
        "parts": (part("One-off training", 1_000_000, lasts=False), part("Volume", -440_000))},
        "Cost rose $560k; one-off training is more than all of it, and will not recur"),
}  # fmt: skip
OTHERS: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "tokens, up": ("unit_economics", {"change": UP, "loaded": number("3.42"), "cause": "more training is carried"},
        "A million tokens cost $3.42, 15 % more than in September, because more training is carried"),
    "tokens, down": ("unit_economics",
        {"change": DOWN, "loaded": number("0.342"), "cause": "a token takes less GPU time"},
        "A million tokens cost $0.342, 15 % less than in September, because a token takes less GPU time"),
    "tokens, no cause": ("unit_economics",
        {"change": UP, "loaded": number("3.42"), "used": number("2.05"), "cause": ""},
        "A million tokens cost $3.42, 15 % more than in September; serving alone is $2.05"),
    "tokens, flat": ("unit_economics", {"change": FLAT, "loaded": number("3.42"), "used": number("2.05")},
        "A million tokens cost $3.42, about as much as in September; serving alone is $2.05"),
    "tokens, first month": ("unit_economics", {"change": None, "loaded": number("3.42"), "used": number("0.0814")},
        "A million tokens cost $3.42 in October, $0.0814 of it for serving alone"),
    "tokens, no price": ("unit_economics", {"loaded": None}, "What a million tokens cost in October is not known"),
    "images": ("unit_economics", {"has_tokens": False, "unit_name": "image", "unit_price": "$0.0200"},
        "One unit of image cost $0.0200 in October, with idle and shared cost"),
    "waste, more": ("waste", {"total": number(500_000), "share": Decimal("0.119"), "points": Decimal("0.034"),
        "largest": "Idle of h100", "largest_amount": Decimal(310_000)},
        "$500k bought nothing: 12 % of cost, 3.4 points more than in September; Idle of h100 is $310k"),
    "waste, less": ("waste", {"total": number(500_000), "share": Decimal("0.119"), "points": Decimal("-0.034"),
        "largest": "Idle of h100", "largest_amount": Decimal(310_000)},
        "$500k bought nothing: 12 % of cost, 3.4 points less than in September; Idle of h100 is $310k"),
    "waste, level": ("waste", {"total": number(500_000), "share": Decimal("0.119"), "points": Decimal("0.001"),
        "largest": "Idle of h100", "largest_amount": Decimal(310_000)},
        "$500k bought nothing: 12 % of cost; Idle of h100 is $310k"),
    "waste, little": ("waste", {"total": number(80_000), "share": Decimal("0.021")},
        "Only 2.1 % of cost bought nothing"),
    "waste, none": ("waste", {"total": number(0)}, "Nothing is known to have bought nothing in October"),
    "carried in time": ("amortization", {"balance": number(3_300_000), "stranded": number(0), "months": number(9)},
        "$3.30M of training is still to be carried; at today’s traffic it takes 9 months"),
    "stranded": ("amortization", {"balance": number(3_300_000), "stranded": number(300_000)},
        "$3.30M of training is still to be carried; $300k of it is left when models retire"),
    "nobody carries": ("amortization", {"balance": number(3_300_000), "stranded": None, "months": None},
        "$3.30M of training is still to be carried; no model is carrying it yet"),
    "credits outweigh training": ("amortization", {"balance": number(-1_200_000)},
        "Credits are $1.20M more than the training that is still to be carried"),
    "all carried": ("amortization", {"balance": number(0)}, "No training is still to be carried"),
    "decisions": ("recommendations", {"count": 2, "low": number(290_000), "high": number(610_000),
        "largest": "Retrain Atlas-70B smaller"},
        "Two decisions worth $290k–610k a month; retrain Atlas-70B smaller first"),
    "one decision": ("recommendations", {"count": 1, "low": number(290_000), "high": number(610_000),
        "largest": "Retrain Atlas-70B smaller"},
        "One decision worth $290k–610k a month; retrain Atlas-70B smaller first"),
    "a decision of unknown worth": ("recommendations", {"count": 1, "low": None,
        "largest": "Retrain Atlas-70B smaller"}, "One decision to make; Retrain Atlas-70B smaller first"),
    "hold everything": ("recommendations", {"count": 0},
        "Nothing to change: no alternative saves enough with enough certainty"),
    "outlook, over plan": ("outlook", {"plan": UP, "within": number(0.18), "median": number(13_000_000)},
        "Q4 2026 is heading for $13.0M, 15 % over plan; 18 % chance to stay within it"),
    "outlook, under plan": ("outlook", {"plan": DOWN, "within": number(0.9), "median": number(13_000_000)},
        "Q4 2026 is heading for $13.0M, 15 % under plan; 90 % chance to stay within it"),
    "outlook, on plan": ("outlook", {"plan": FLAT, "within": None, "median": number(13_000_000)},
        "Q4 2026 is heading for $13.0M, on plan"),
    "outlook, no plan": ("outlook", {"plan": None, "low": number(12_100_000), "median": number(13_000_000),
        "high": number(14_000_000)}, "Q4 2026 is heading for $13.0M, between $12.1M and $14.0M"),
    "outlook, no spread": ("outlook", {"plan": None, "low": number(13_000_000), "median": number(13_000_000),
        "high": number(13_000_000)}, "Q4 2026 is heading for $13.0M at the demand of today"),
    "sheet, action": ("sheet", {"model_id": "Elm-12B", "state": "balanced", "action": "a 39 B retrain",
        "low": number(400_000), "high": number(4_800_000)},
        "Elm-12B: balanced; a 39 B retrain would return $400k–$4.80M before it retires"),
    "sheet, retire": ("sheet", {"model_id": "Elm-12B", "state": "balanced", "action": "retiring it",
        "low": number(400_000), "high": number(4_800_000)},
        "Elm-12B: balanced; retiring it would return $400k–$4.80M"),
    "sheet, hold": ("sheet", {"model_id": "Elm-12B", "state": "too young to judge", "action": ""},
        "Elm-12B: too young to judge; nothing to do"),
    "invoices tie out": ("reconciliation", {"invoices": 41, "failed": 0},
        "Every charge is in the ledger and 41 of 41 invoices tie out"),
    "invoices do not": ("reconciliation", {"invoices": 41, "failed": 2, "missed": "$1,204"},
        "2 of 41 invoices do not tie out, by $1,204"),
    "no invoice": ("reconciliation", {"invoices": 0, "failed": 0}, "No bill has arrived; there is nothing to tie out"),
    "method": ("method", {}, "How these numbers were made"),
}  # fmt: skip
VERDICTS: Mapping[str, tuple[dict[str, Any], str]] = {
    "some out": ({"case": "some_out", "outside": number(2), "judged": number(7), "distance": number(2_300_000)},
        "Two of seven judged models are outside the band; Atlas-70B cost $2.30M over equal thirds"),
    "one out": ({"case": "some_out", "outside": number(1), "judged": number(7), "distance": None},
        "One of seven judged models is outside the band"),
    "none out": ({"case": "inside", "widest": Decimal("0.083")},
        "All judged models are inside the band; the widest is Atlas-70B at 8 %"),
    "one model, heavy": ({"case": "one_model", "phase": "inference", "total": Decimal(18_300_000),
        "shares": (Decimal("0.27"), Decimal("0.16"), Decimal("0.57"))},
        "Atlas-70B is heavy in inference: 27 %, 16 %, 57 % of $18.3M"),
    "one model, inside": ({"case": "one_model", "phase": "", "standing": "inside the band",
        "total": Decimal(18_300_000), "shares": (Decimal("0.3"), Decimal("0.3"), Decimal("0.4"))},
        "Atlas-70B is inside the band: 30 %, 30 %, 40 % of $18.3M"),
    "all too young": ({"case": "all_young", "total": Decimal(7_000_000)},
        "No model is old enough to judge; Atlas-70B has cost most, $7.00M"),
    "adopted only": ({"case": "all_adopted", "total": Decimal(3_000_000)},
        "Every model stands on an adopted base; Atlas-70B has cost most, $3.00M"),
    "no model": ({"case": "no_models"}, "No model has direct cost yet; there is no balance to judge"),
    "no penalty known": ({"case": "inside", "widest": None},
        "No model is outside the band of 10 % around equal thirds"),
}  # fmt: skip


@pytest.mark.parametrize("case", SUMMARY)
def test_page_1_says_what_it_cost(title: Callable[..., str], case: str) -> None:
    given, words = SUMMARY[case]
    assert title("summary", **({"total": number(4_210_000)} | given)) == words


@pytest.mark.parametrize("case", BRIDGE)
def test_page_2_says_what_changed(title: Callable[..., str], case: str) -> None:
    given, words = BRIDGE[case]
    assert title("bridge", **given) == words


@pytest.mark.parametrize("case", VERDICTS)
def test_page_3_says_who_is_out_of_balance(title: Callable[..., str], report: Document, case: str) -> None:
    given, words = VERDICTS[case]
    page: Any = next(page.value for page in report.pages if page.kind == "thirds")
    assert title("thirds", verdict=replace(page.verdict, **({"model": "Atlas-70B"} | given))) == words


@pytest.mark.parametrize("case", OTHERS)
def test_the_other_pages_say_their_message(title: Callable[..., str], case: str) -> None:
    kind, given, words = OTHERS[case]
    assert title(kind, **given) == words


def test_a_long_name_is_shortened_until_the_message_fits(title: Callable[..., str]) -> None:
    low, high = number(400_000), number(4_800_000)
    state = "serving has outgrown training"
    words = title("sheet", model_id=LONG, state=state, action="an 11.6 B retrain", low=low, high=high)
    assert len(words) <= LIMIT
    assert words.startswith("Const")
    assert f": {state}; an 11.6 B retrain would return $400k–$4.80M" in words


@pytest.mark.parametrize(
    ("currency", "words"), [("EUR", "October cost EUR 4.36M, 18 % over plan"), ("JPY", "October cost JPY 4.36M, 18 %")]
)
def test_another_currency_stands_by_its_code(
    company: Company, tables_of: Callable[[Company], Any], built: dict[str, Any], currency: str, words: str
) -> None:
    night = Night(tables_of(replace(company, currency=currency)))
    other = document(night, Identity(built["identity"], 1, built["built_at"]))
    assert render.titles(render.environment_of(other), other)[0].replace("\u00a0", " ").startswith(words)


def test_a_month_that_is_not_closed_is_stamped_preliminary_and_a_reissue_revised(
    company: Company, tables_of: Callable[[Company], Any], tables: Any
) -> None:
    running = tables_of(replace(company, first_month=14, night=date(2026, 11, 21)))
    assert Furniture.of(Night(running), 1).stamps == ("PRELIMINARY",)
    assert Furniture.of(Night(tables), 1).stamps == (tables["subject"]["state"].item(),)
    assert Furniture.of(Night(tables), 2).stamps[1:] == ("REVISED r2",)
