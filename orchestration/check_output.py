"""What `trisect check` says of each source: what it is, what no rule reaches, and the lines to paste."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from orchestration.settings import Project
from transforms.suggestion_names import line
from warehouse.landing.holds import Hold
from warehouse.sources.policy.files import header
from warehouse.sources.registry import FORMATS

HEADERS: Final = {
    "attribution.csv": "priority,source,field,pattern,target,target_id,phase,team,valid_from,valid_to",
    "models.csv": "model_id,aliases,family,base_model_id,teacher_model_id,origin,params,active_params,training_tokens,"
    "released_on,retires_on,owner",
    "deployments.csv": "deployment_id,model_id,pool_id,gpu_count,valid_from,valid_to",
}


def recognised(
    project: Project, profiles: pl.DataFrame, versions: Mapping[str, str], habits: Mapping[str, list[str]]
) -> list[dict[str, Any]]:
    """One record a source: its format and version, rows, period, currencies, GPU time, tokens and cache habit."""
    profile_of = {row["source"]: row for row in profiles.iter_rows(named=True)}
    records = []
    for source in project.settings.sources():
        record = FORMATS[source.kind, source.format]
        row = profile_of.get(source.name, {})
        profile = {key: value for key, value in row.items() if value is not None and key not in {"source", "kind"}}
        records.append(
            {
                "source": source.name,
                "kind": source.kind,
                "format": source.format,
                "title": record.title,
                "version": versions.get(source.name),
                **profile,
                **_habit(source.kind, source.options, habits.get(source.name, [])),
            }
        )
    return records


def _habit(kind: str, options: Mapping[str, str], proved: list[str]) -> dict[str, str]:
    """Whether cached tokens stand inside the input, and how that is known."""
    if kind != "request_telemetry":
        return {}
    if "cached" in options:
        return {"cached_tokens_are": f"{options['cached']} the input, as [source.options] says"}
    if proved:
        return {"cached_tokens_are": f"beside the input, as rows of {', '.join(proved)} prove"}
    return {"cached_tokens_are": "inside the input, as names and writers say"}


def sentences(records: list[dict[str, Any]]) -> Iterator[str]:
    """One line a source, and one for each kind of thing that no rule reaches."""
    for record in records:
        version = f", version {record['version']}" if record["version"] else ""
        if "files" not in record:
            yield f"{record['source']}: {record['title']}{version}: nothing has come"
            continue
        facts = [f"{record['rows']:,} rows in {record['files']:,} files"]
        if "first_day" in record:
            facts.append(f"{record['first_day']} to {record['last_day']}")
        facts += [", ".join(record["currencies"])] if record.get("currencies") else []
        facts += [f"{record['gpu_hours']:,.0f} GPU-hours"] if record.get("gpu_hours") else []
        facts += [f"{record['tokens']:,.0f} tokens"] if record.get("tokens") else []
        facts += [f"cached tokens {record['cached_tokens_are']}"] if record.get("cached_tokens") else []
        yield f"{record['source']}: {record['title']}{version}: {'; '.join(facts)}"
        yield from _unreached(record)


def _unreached(record: Mapping[str, Any]) -> Iterator[str]:
    amounts = (
        ("effective_cost", ", ".join(record.get("currencies") or [])),
        ("gpu_hours", "GPU-hours"),
        ("tokens", "tokens"),
    )
    for name, words in amounts:
        missed, whole = record.get(f"unmatched_{name.removeprefix('effective_')}"), record.get(name)
        if missed and whole and missed > 0:
            missing = f"{_number(missed, words)} of {_number(whole, words)} {words} ({missed / whole:.1%})"
            yield f"{record['source']}: no rule reaches {missing}"


def _number(amount: float, unit: str) -> str:
    """Tokens are whole; money and hours have two decimals."""
    return f"{amount:,.0f}" if unit == "tokens" else f"{amount:,.2f}"


def in_columns(project: Project, suggestions: pl.DataFrame) -> pl.DataFrame:
    """The suggestions with each line in the columns that its file of policy/ has, so that it can be pasted there."""
    headers = {file: header(project.root / "policy" / file) for file in HEADERS}
    lines = [
        _in_columns(written, HEADERS[file].split(","), headers[file] or HEADERS[file].split(","))
        for file, written in suggestions.select("file", "line").iter_rows()
    ]
    return suggestions.with_columns(pl.Series("line", lines, dtype=pl.String))


def _in_columns(written: str, ours: Sequence[str], theirs: Sequence[str]) -> str:
    cells = dict(zip(ours, next(csv.reader([written])), strict=True))
    return line(*(cells.get(name, "") for name in theirs))


def to_paste(project: Project, suggestions: pl.DataFrame) -> Iterator[str]:
    """By file of policy/ what each line would reach, and below it the lines, which can be pasted as they stand.

    A file that is not there yet is its header and the lines.
    """
    for (file,), rows in suggestions.group_by("file", maintain_order=True):
        best_first = rows.sort("source", "amount", descending=[False, True])
        yield f"lines for policy/{file}, best guess first, and what each reaches:"
        for number, row in enumerate(best_first.iter_rows(named=True), start=1):
            gpus = f", {row['gpu_hours']:,.0f} GPU-hours" if row["gpu_hours"] else ""
            yield f"  {number:2} {row['source']}: {_number(row['amount'], row['unit'])} {row['unit']}{gpus}"
        is_there = bool(header(project.root / "policy" / str(file)))
        where = "to the end of" if is_there else "into the new file"
        yield f"correct the targets, then paste {where} policy/{file}:"
        yield from () if is_there else (HEADERS[str(file)],)
        yield from best_first["line"]


def remedies(holds: tuple[Hold, ...]) -> Iterator[str]:
    """Settings that would let what is held be read."""
    for source in sorted({one.source for one in holds if one.reason == "not_a_replacement"}):
        yield f'setting for source {source}, if its folders add up and do not replace one another: delivery = "parts"'


def as_json(records: list[dict[str, Any]], suggestions: pl.DataFrame, holds: tuple[Hold, ...], notes: list[str]) -> str:
    """All of it as one JSON document."""
    document = {
        "sources": records,
        "suggestions": suggestions.to_dicts(),
        "holds": [{"reason": one.reason, "source": one.source, "detail": one.detail} for one in holds],
        "settings": list(remedies(holds)),
        "notes": notes,
    }
    return json.dumps(document, indent=1, ensure_ascii=False, default=_text)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
