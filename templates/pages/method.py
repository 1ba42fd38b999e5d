"""Page B: how these numbers were made, and the index of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from templates import formats
from templates.pages.edition import NAMES
from templates.pages.index import Ref
from templates.pages.night import Night
from templates.pages.page_frame import Identity
from templates.pages.sharing import Sharing, sharing
from templates.typesetting.typeface import is_ambiguous, readable

MOST_INPUTS: Final = 30
QUERY_WORDS: Final = 160
MOST_CHANGES: Final = 40


@dataclass(frozen=True)
class IndexRow:
    """One number of the index, ready to print."""

    ref: Ref
    title: str
    value: str
    unit: str
    source: str


@dataclass(frozen=True)
class InputRow:
    """One file of the inbox with its digest."""

    file: str
    rows: str
    sha256: str


@dataclass(frozen=True)
class ChangedRow:
    """One number that differs from the revision before."""

    k: str
    title: str
    was: str
    now: str
    unit: str


@dataclass(frozen=True)
class Method:
    """Everything that page B prints."""

    definitions: tuple[tuple[str, str], ...]
    policies: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]
    sharing: Sharing | None
    changes: tuple[ChangedRow, ...]
    index: tuple[IndexRow, ...]
    run: str
    digest: str
    inputs: tuple[InputRow, ...]
    more_inputs: int
    marked_names: tuple[tuple[str, str], ...]


DEFINITIONS: Final = (
    ("Effective cost", "what was consumed, commitments spread over the time they cover; used on every page but A"),
    ("Billed cost", "what invoices say; used to tie the ledger out to them"),
    ("Direct", "cost of GPU time that a model used in a phase, failed runs included"),
    ("Idle and unused", "GPU time of a pool that nobody used, and commitments that nobody drew on"),
    ("Shared", "cost that serves all models; shared out by direct cost where a fully loaded price is asked for"),
    ("Unallocated", "cost that no rule of attribution.csv matched; never hidden in another account"),
    ("Waste", "runs that failed, were cancelled or ran out of time; part of their phase, shown apart"),
    ("Pre-training", "first training, mid-training and continued pre-training"),
    ("Post-training", "fine-tuning, preference tuning, RL with its rollouts, distillation, candidates' evaluation"),
    ("Cost of imbalance", "what the mix costs more than the target mix: product of (target / share) ^ target, less 1"),
    ("Fully loaded", "used + share of idle + share of shared + amortised training, per million tokens"),
    ("P10, P50, P90", "one in ten outcomes is lower, half are, nine in ten are"),
)  # fmt: skip


def method(night: Night, identity: Identity) -> Method:
    """Page B of the night."""
    files = sorted(night.tables["files"].to_dicts(), key=lambda row: (row["source"], row["file"]))
    refs = list(night.index)
    return Method(
        definitions=DEFINITIONS,
        policies=tuple(_policies(night)),
        left_out=tuple(_left_out(night)),
        sharing=sharing(night),
        changes=tuple(_changes(night)),
        index=tuple(_index_row(ref) for ref in refs),
        run=_run(identity),
        digest=refs[0].input_digest if refs else formats.UNKNOWN,
        inputs=tuple(
            InputRow(formats.name(row["file"], 60), formats.plain(row["rows"]), row["sha256"])
            for row in files[:MOST_INPUTS]
        ),
        more_inputs=max(len(files) - MOST_INPUTS, 0),
        marked_names=tuple(_marked_names(night)),
    )


def _marked_names(night: Night) -> list[tuple[str, str]]:
    """Names that paper prints with a mark, and how a browser shows them: the company, its models, their owners."""
    models = night.tables["models"]
    names = {night.settings["company"], *models["model_id"], *models["owner"]}
    return sorted((formats.name(name), readable(name)) for name in names if name and is_ambiguous(name))


def _policies(night: Night) -> list[tuple[str, str]]:
    settings = night.settings
    capital, gate = (formats.set_percent(settings[f"{name}_ratio"]) for name in ("discount", "quality_gate"))
    lines = [
        ("Target", f"{night.target_name} of pre-training, post-training and inference"),
        ("Band", f"a cost of imbalance under {formats.whole_percent(settings['dead_band_ratio'])} asks for nothing"),
        ("Scaling law", f"setting {settings['law']}; {formats.plain(settings['draws'])} draws"),
        ("Cost of capital", f"{capital} a year takes savings ahead back to today"),
        ("Quality gate", f"a student keeps at least {gate} of its teacher"),
        ("Materiality", f"a saving under {night.money.short(settings['materiality_usd'])} a month is not asked for"),
    ]
    for row in night.tables["lives"].sort("model_id", "valid_from", nulls_last=False).head(6).to_dicts():
        since = f" from {formats.day(row['valid_from'])}" if row["valid_from"] else ""
        months = [formats.months(row["months"])] if row["months"] is not None else []
        expected = [f"{formats.tokens(row['expected_tokens'])} tokens expected"] if row["expected_tokens"] else []
        life = ", ".join([*months, *expected]) or "no length given"
        model = "all models" if row["model_id"] == "*" else formats.name(row["model_id"], 24)
        lines.append((f"Life of {model}", f"{row['method'].replace('_', ' ')}{since}: {life}"))
    for row in night.tables["fx"].filter(month=night.subject["month"]).sort("currency").to_dicts():
        rate = formats.plain(row["rate"], 6)
        lines.append(
            (f"Rate of {row['currency']}", f"{rate} {settings['currency']} in {formats.month_year(row['month'])}")
        )
    return lines


def _left_out(night: Night) -> list[tuple[str, str]]:
    rows = night.tables["pages"].sort("position").to_dicts()
    return [(NAMES.get(row["page"], row["page"]), row["reason"] or "") for row in rows if not row["is_shown"]]


def _changes(night: Night) -> list[ChangedRow]:
    """Numbers that differ from the revision published before; the inputs that arrived since are the cause."""
    earlier = night.earlier
    if earlier is None:
        return []
    before = {row["number_id"]: row["value"] for row in earlier.to_dicts()}
    now = {ref.number_id: ref for ref in night.index}
    moved = [name for name, ref in now.items() if before.get(name) != ref.value]
    return [_changed(now[name], before.get(name)) for name in moved[:MOST_CHANGES]]


def _changed(ref: Ref, was: Decimal | None) -> ChangedRow:
    return ChangedRow(ref.k, formats.name(ref.title, 60), _amount(was), _amount(ref.value), ref.unit)


def _amount(value: formats.Quantity | None) -> str:
    return formats.UNKNOWN if value is None else formats.exact(value)


def _index_row(ref: Ref) -> IndexRow:
    rows = f", {ref.filter}" if ref.filter else ""
    return IndexRow(
        ref=ref,
        title=formats.name(ref.title, 60),
        value=formats.exact(ref.value),
        unit=ref.unit,
        source=formats.name(f"{ref.relation} ({ref.fields}{rows})", QUERY_WORDS),
    )


def _run(identity: Identity) -> str:
    try:
        ours = version("trisect")
    except PackageNotFoundError:
        ours = "from source"
    moment = formats.day(identity.built_at.date())
    return f"Trisect {ours}, built {moment} {identity.built_at:%H:%M} UTC, run {formats.name(identity.identity, 64)}"
