"""Every message of a page, case by case: the code of the night decides which sentence stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from templates.pages.bridge import DriverPart
from templates.pages.document import document
from templates.pages.headline_metrics import Comparison
from templates.pages.index import Ref
from templates.pages.night import Night
from templates.pages.page_frame import Furniture, Identity
from templates.titles import titled
from templates.typesetting.title_lines import LIMIT, fits
from templates.wording import unmarked

if TYPE_CHECKING:
    from bench.report_company import Company

LONG = "Constantinople-Extended-Mixture-405B"
UP, DOWN = Comparison("+$600k", "up", Decimal("0.15")), Comparison("−$600k", "down", Decimal("-0.15"))
FLAT, NONE = Comparison("+$100k", "flat", Decimal("0.025")), Comparison("–", "unknown")


def number(value: Any) -> Ref:
    """A number of the index."""
    return Ref("K-01", "one", Decimal(str(value)), "One", "USD", "economics.one", "one", "", "select 1", "0" * 8)


def part(words: str, change: int, share: str | None = None, persistence: str = "mixed") -> DriverPart:
    return DriverPart(words, Decimal(change), number(change), persistence, Decimal(share) if share else None)


@pytest.fixture(scope="module")
def title(tables: Any) -> Callable[..., str]:
    """The title of a page by its code, from the given facts alone."""

    def of(kind: str, code: str, detail: str = "", **given: Any) -> str:
        value = SimpleNamespace(**given)
        if kind == "thirds":
            value = SimpleNamespace(verdict=value, target_name="equal thirds", band="10 %")
        written = unmarked(titled(Night(tables), kind, value, (code, detail)))
        assert fits(written)
        return written.replace("\u00a0", " ")

    return of


GAP: Mapping[str, Any] = {
    "model_id": "crane", "code": "unused", "monthly_usd": Decimal(234_000), "tokens": 0.0, "paid_until": None,
}  # fmt: skip
OCTOBER: Mapping[str, Any] = {
    "gap": None, "gap_usd": None,
    "month": "October", "previous": "September", "total": number(2_310_000), "plan": UP, "before": FLAT,
    "decisions": number(3), "waiting": 0, "saving": number(670_000), "one_off": number(1_340_000),
    "missing": "a bill arrives",
    "unallocated_share": Decimal(1), "training_share": Decimal(1), "unmatched_tokens": 3_080_000_000_000,
}  # fmt: skip
SUMMARY: Mapping[str, tuple[str, str, dict[str, Any], str]] = {
    "decisions": ("decisions", "", {},
        "Approve 3 decisions: $670k a year for $1.34M; October cost $2.31M, 15 % over plan"),
    "one decision, no plan": ("decisions", "", {"decisions": number(1), "plan": NONE, "before": DOWN},
        "Approve 1 decision: $670k a year for $1.34M; October cost $2.31M, 15 % less than September"),
    "some wait for an evaluation": ("decisions", "", {"decisions": number(8), "waiting": 3},
        "Approve 5 decisions, evaluate 3: $670k a year for $1.34M; October cost $2.31M, 15 % over plan"),
    "all wait for an evaluation": ("decisions", "", {"waiting": 3},
        "Evaluate 3 decisions: $670k a year for $1.34M; October cost $2.31M, 15 % over plan"),
    "nothing needed": ("nothing_needed", "", {"plan": DOWN},
        "October cost $2.31M, 15 % under plan; no decision is needed"),
    "a model that serves nobody": ("usage_gap", "unused", {"before": FLAT, "plan": NONE, "gap": GAP},
        "October cost $2.31M, level with September; crane costs $234k a month and serves nobody"),
    "a model with a few tokens": ("usage_gap", "unused", {"plan": NONE, "gap": {**GAP, "tokens": 3_000.0}},
        "October cost $2.31M, level with September; crane costs $234k a month for 3 k tokens"),
    "a model without requests": ("usage_gap", "no_requests", {"plan": NONE, "gap": {**GAP, "code": "no_requests"}},
        "October cost $2.31M, level with September; what crane serves for $234k a month is not known"),
    "nothing valued": ("nothing_valued", "telemetry", {"missing": "requests are delivered"},
        "October cost $2.31M, 15 % over plan; no decision can be valued until requests are delivered"),
    "flat": ("nothing_needed", "", {"plan": NONE}, "October cost $2.31M, level with September; no decision is needed"),
    "nothing before": ("nothing_needed", "", {"plan": NONE, "before": NONE},
        "October cost $2.31M; no decision is needed"),
    "thirteen times the plan": ("nothing_needed", "", {"plan": Comparison("", "up", Decimal(12))},
        "October cost $2.31M, 13 times plan; no decision is needed"),
    "no bill": ("no_bill", "", {}, "No bill has arrived; what October cost is not known"),
    "credits": ("credits", "", {"total": number(-250_000), "decisions": None},
        "Credits of October are $250k more than its cost"),
    "no rule": ("unattributed", "", {}, "October cost $2.31M; 100 % of it has no rule"),
    "no model serves": ("nothing_served", "nothing_served", {},
        "October cost $2.31M, all of it training; no model has served yet"),
    "no telemetry": ("nothing_served", "no_telemetry", {"training_share": Decimal("0.8")},
        "October cost $2.31M, 80 % of it training; what was served is not known"),
    "telemetry of unknown models": ("nothing_served", "unmatched", {},
        "October cost $2.31M; 3.08 T tokens were served by models that policy does not name"),
}  # fmt: skip
BRIDGE: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "the largest of each sign": ("level_cancelling",
        {"increase": part("more volume", 210_000), "decrease": part("less one-off training", -232_000)},
        "Cost stayed level; more volume (+$210k) and less one-off training (−$232k) nearly cancel"),
    "level without cancelling": ("level_two",
        {"increase": part("more volume", 40_000), "decrease": part("efficiency", -232_000)},
        "Cost stayed level; more volume (+$40.0k) and efficiency (−$232k) moved most"),
    "level by one": ("level_one", {"largest": part("price", 9_000)}, "Cost stayed level; price (+$9.00k) moved most"),
    "up, lasting": ("rose", {"change": number(600_000), "along": part("more volume", 420_000, "0.7", "lasts")},
        "Cost rose $600k; more volume is 70 % of it, and lasts"),
    "down, passing": ("fell", {"change": number(-600_000), "along": part("other cost", -660_000, "1.1", "passes")},
        "Cost fell $600k; other cost is more than all of it, and does not last"),
    "up, nobody knows": ("rose", {"change": number(600_000), "along": part("price", 420_000, "0.7")},
        "Cost rose $600k; price is 70 % of it"),
    "on a base without meaning": ("changed", {"change": number(600_000), "largest": part("price", 420_000)},
        "Cost changed by +$600k; price (+$420k) moved most"),
}  # fmt: skip
VERDICT: Mapping[str, Any] = {
    "model": "heron-34b", "outside": number(6), "judged": number(9), "distance": number(1_500_000),
    "widest": Decimal("0.083"), "shares": (Decimal("0.27"), Decimal("0.16"), Decimal("0.57")),
    "total": Decimal(5_790_000), "spent": None, "standing": "heavy in inference",
}  # fmt: skip
OTHERS: Mapping[str, tuple[str, str, str, dict[str, Any], str]] = {
    "some out": ("thirds", "some_out", "", VERDICT,
        "6 of 9 models are outside the band; heron-34b cost $1.50M more than a balanced mix"),
    "none out": ("thirds", "all_in", "", VERDICT,
        "All 9 models are inside the band; the widest is heron-34b at 8 %"),
    "one model": ("thirds", "one_model", "", VERDICT, "heron-34b is heavy in inference: 27 %, 16 %, 57 % of $5.79M"),
    "all young": ("thirds", "all_young", "", VERDICT,
        "No model is old enough to judge; heron-34b has cost most, $5.79M"),
    "all retired": ("thirds", "all_retired", "", VERDICT,
        "Every model has retired; there is no balance to judge any more"),
    "tokens, level, wasted": ("unit_costs", "tokens_flat", "some",
        {"loaded": number("0.551"), "previous": "September", "wasted": number(420_000),
         "wasted_share": Decimal("0.18")},
        "A million tokens cost $0.551, level with September; $420k was wasted or idle, 18 % of cost"),
    "tokens, dearer, no run log": ("unit_costs", "tokens_up", "idle_only",
        {"loaded": number("3.42"), "previous": "September", "change_ratio": Decimal("0.15"), "wasted": number(90_000)},
        "A million tokens cost $3.42, 15 % more than in September; idle capacity cost $90.0k"),
    "nothing known of waste": ("unit_costs", "not_known", "not_known", {"in_month": "in October"},
        "What a million tokens cost in October is not known; what was wasted or idle is not known"),
    "images": ("unit_costs", "units", "small",
        {"unit_article": "An", "unit_name": "image", "unit_price": "$0.0032", "in_month": "in October",
         "wasted_share": Decimal("0.021")},
        "An image cost $0.0032 in October; only 2.1 % of cost was wasted or idle"),
    "schedules": ("amortization", "schedule", "", {"balance": number(5_230_000), "last_end": date(2028, 4, 18)},
        "$5.23M of training is not yet amortised; the schedules end by April 2028"),
    "traffic": ("amortization", "pace", "", {"balance": number(5_230_000), "longest_months": Decimal("16.6")},
        "$5.23M of training is not yet amortised; at the traffic of four weeks that takes 17 months"),
    "an end that is known": ("amortization", "past_retirement", "",
        {"balance": number(5_230_000), "stranded": number(746_000), "early_life": ("heron-70b",)},
        "$5.23M of training is not yet amortised; shorten heron-70b or write off $746k"),
    "credits outweigh training": ("amortization", "credit", "", {"balance": number(-1_200_000)},
        "Credits are $1.20M more than the training that is not yet amortised"),
    "sign by a day": ("decisions", "decisions", "",
        {"count": number(5), "low": number(570_000), "high": number(820_000), "median": None, "waiting": 4,
         "sign_by": date(2026, 11, 27), "first": lambda _: "Release reserve-a100"},
        "Five decisions worth $570k–820k a year; release reserve-a100 by 27 November"),
    "only evaluations": ("decisions", "decisions", "", {"count": None, "waiting": 2},
        "Two decisions wait for an evaluation; none can be signed yet"),
    "nothing to change": ("decisions", "nothing_needed", "", {},
        "Nothing to change: every alternative costs more than it saves"),
    "no value": ("decisions", "nothing_valued", "bills", {"missing": "a bill arrives"},
        "No decision can be valued yet: it waits until a bill arrives"),
    "sheet": ("sheet", "inference_heavy", "",
        {"model_id": "Elm-12B", "state": "serving has outgrown training", "action": "a 39 B retrain",
         "low": number(400_000), "high": number(4_800_000), "is_retirement": False},
        "Elm-12B: serving has outgrown training; a 39 B retrain would return $400k–$4.80M"),
    "invoices tie out": ("reconciliation", "tied", "", {"tied": number(11), "stated": number(11)},
        "Every charge is in the ledger and 11 of 11 stated invoice totals tie out"),
    "invoices that state no total": ("reconciliation", "no_total_stated", "", {"is_accrued": False},
        "Every charge is in the ledger; no invoice states a total of its own"),
    "no bill but prices of owned GPUs": ("reconciliation", "no_total_stated", "", {"is_accrued": True},
        "No bill has arrived; every charge is of GPUs that rates.csv prices"),
    "invoices do not": ("reconciliation", "not_tied", "", {"failed": 2, "invoices": 41, "missed": "$1,204"},
        "2 of 41 invoices do not tie out, by $1,204"),
    "method": ("method", "method", "", {}, "How these numbers were made"),
}  # fmt: skip


@pytest.mark.parametrize("case", SUMMARY)
def test_page_1_says_what_to_decide_and_what_it_cost(title: Callable[..., str], case: str) -> None:
    code, detail, given, words = SUMMARY[case]
    assert title("summary", code, detail, **(OCTOBER | given)) == words


@pytest.mark.parametrize("case", BRIDGE)
def test_page_3_names_drivers_by_size_and_says_only_of_facts_that_they_last(
    title: Callable[..., str], case: str
) -> None:
    code, given, words = BRIDGE[case]
    assert title("bridge", code, **given) == words


@pytest.mark.parametrize("case", OTHERS)
def test_the_other_pages_say_their_message(title: Callable[..., str], case: str) -> None:
    kind, code, detail, given, words = OTHERS[case]
    assert title(kind, code, detail, **given) == words


def test_a_long_name_is_shortened_and_then_a_clause_goes(title: Callable[..., str]) -> None:
    facts = {"state": "serving has outgrown training", "action": "an 11.6 B retrain", "low": number(400_000),
             "high": number(4_800_000), "is_retirement": False}  # fmt: skip
    words = title("sheet", "inference_heavy", model_id=LONG, **facts)
    assert len(words) <= LIMIT
    assert words.startswith("Const")
    assert ": serving has outgrown training; an 11.6 B retrain would return $400k–$4.80M" in words


@pytest.mark.parametrize("size", [1, 10**3, 10**12, 10**15])
def test_no_amount_is_too_long_for_a_title(title: Callable[..., str], size: int) -> None:
    huge = {"total": number(999.4 * size), "saving": number(888.8 * size), "one_off": number(777.7 * size)}
    assert title("summary", "decisions", **(OCTOBER | huge | {"month": "1 to 30 September", "decisions": number(88)}))


@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_another_currency_stands_by_its_code(
    company: Company, tables_of: Callable[[Company], Any], built: dict[str, Any], currency: str
) -> None:
    night = Night(tables_of(replace(company, currency=currency)))
    other = document(night, Identity(built["identity"], 1, built["built_at"]))
    words = unmarked(other.pages[0].title).replace("\u00a0", " ")
    assert f"October cost {currency} 4.36M" in words


def test_a_month_that_is_not_closed_is_stamped_preliminary_and_a_reissue_revised(
    company: Company, tables_of: Callable[[Company], Any], tables: Any
) -> None:
    running = tables_of(replace(company, first_month=14, night=date(2026, 11, 21)))
    assert Furniture.of(Night(running), 1).stamps == ("PRELIMINARY",)
    assert Furniture.of(Night(tables), 1).stamps == (tables["subject"]["state"].item(),)
    assert Furniture.of(Night(tables), 2).stamps[1:] == ("REVISED r2",)


COMPUTE: Mapping[str, Any] = {
    "fits": number(2), "judged": number(6), "beyond": number("4.49"), "is_above": True, "model": "heron-34b",
    "small_batches": number(551_000), "deployments": 7, "runs_going": 3, "stops": 1,
}  # fmt: skip
COMPUTE_TITLES: Mapping[str, tuple[str, str, dict[str, Any], str]] = {
    "some fit": ("split_some", "", {},
        "An equal split of training and serving fits 2 of 6 models; heron-34b is 4.5 times past it"),
    "short of it": ("split_some", "", {"is_above": False, "fits": number(0), "judged": number(3)},
        "An equal split fits none of 3 models; heron-34b is 4.5 times short of it"),
    "without demand": ("split_some", "", {"beyond": None},
        "An equal split of training and serving fits 2 of 6 models; heron-34b serves nothing"),
    "one does not": ("split_some", "", {"judged": number(1), "fits": number(0)},
        "An equal split of training and serving does not fit heron-34b; its demand is 4.5 times past it"),
    "one does": ("split_all", "", {"judged": number(1)}, "An equal split of training and serving fits heron-34b"),
    "all fit": ("split_all", "", {}, "An equal split of training and serving fits all 6 models"),
    "batches": ("batches", "", {}, "Small batches cost $551k a month on 7 deployments"),
    "one deployment": ("batches", "", {"deployments": 1}, "Small batches cost $551k a month on 1 deployment"),
    "large batches": ("batches_full", "", {}, "No GPU time is lost to small batches"),
    "no durations": ("batches_unknown", "", {},
        "What small batches cost is not known: no request says how long it took"),
    "no demand": ("demand_unknown", "", {}, "Whether an equal split fits is not known: demand cannot be forecast yet"),
    "runs": ("runs", "", {}, "Three training runs are going on"),
    "a run to stop": ("runs", "stop", {}, "Three training runs are going on; one should stop or roll back"),
    "one run": ("runs", "", {"runs_going": 1}, "One training run is going on"),
}  # fmt: skip


@pytest.mark.parametrize("case", COMPUTE_TITLES.values(), ids=COMPUTE_TITLES)
def test_the_title_of_page_7(title: Callable[..., str], case: tuple[str, str, dict[str, Any], str]) -> None:
    code, detail, given, words = case
    assert title("compute", code, detail, **{**COMPUTE, **given}) == words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "crane costs $234k a month and serves nobody; nothing else is worth changing"),
        ({"paid_until": date(2029, 6, 1)},
         "crane costs $234k a month and serves nobody; its GPUs are paid until June 2029"),
        ({"code": "no_tokens"}, "What crane serves for $234k a month is not known; nothing else is worth changing"),
    ],
)  # fmt: skip
def test_page_2_names_the_model_whose_use_is_the_question(
    title: Callable[..., str], given: dict[str, Any], words: str
) -> None:
    assert title("decisions", "usage_gap", gap=GAP | given, gap_usd=None) == words


def test_page_2_asks_for_no_signature_where_every_decision_waits(title: Callable[..., str]) -> None:
    assert title("decisions", "decisions", count=number(1), waiting=1) == (
        "One decision waits for an evaluation; none can be signed yet"
    )


def test_a_price_of_few_tokens_or_under_credits_is_none(title: Callable[..., str]) -> None:
    facts = {"in_month": "in October", "wasted": number(0)}
    assert title("unit_costs", "few_tokens", "idle_only", **facts) == (
        "Too few tokens were served in October for a price; no idle capacity was measured"
    )
    assert title("unit_costs", "credits", "not_known", **facts) == (
        "Credits in October were more than what tokens cost; what was wasted or idle is not known"
    )


def test_a_balance_that_takes_decades_has_no_date(title: Callable[..., str]) -> None:
    facts = {"balance": number(166_000), "longest_months": Decimal(344), "last_end": date(2053, 12, 1)}
    assert title("amortization", "mixed", **facts) == (
        "$166k of training is not yet amortised; at the traffic of four weeks some takes 29 years"
    )


@pytest.mark.parametrize(
    ("code", "given", "words"),
    [
        ("named", {}, "assistant took 58 % of serving, $730k; a million tokens cost it $0.344"),
        ("named", {"price": None}, "assistant took 58 % of serving, $730k"),
        ("unnamed", {}, "60 % of serving names no team; assistant is the largest that does, $730k"),
        ("nothing", {"largest_usd": None}, "What serving cost by team is not known"),
    ],
)
def test_the_title_of_teams_and_tenants(
    title: Callable[..., str], code: str, given: dict[str, Any], words: str
) -> None:
    facts = {"dimension": "team", "largest": "assistant", "largest_usd": number(730_000), "share": Decimal("0.58"),
             "unnamed_share": Decimal("0.6"), "price": Decimal("0.344")}  # fmt: skip
    assert title("served", code, **facts | given) == words
