"""One request out of what a span or log record says."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from warehouse.sources.decode.json_text import BadLine
from warehouse.sources.requests.otlp_names import Said, objects, value_of

INFERENCE: Final = frozenset(
    {"chat", "text_completion", "generate_content", "embeddings", "completion", "embedding", "llm"}
)
APART: Final = frozenset({"anthropic"})
"""Providers that report input, cache reads and cache writes as disjoint parts."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_WHOLE: Final = re.compile(r"(\d{1,15})(?:\.0*)?", re.ASCII)
_HEX_LENGTHS: Final = {24: 32, 12: 16, 32: 32, 16: 16}
_NANO: Final = 1000
_HASH_DIGITS: Final = 16
_MICRO: Final = 1_000_000
_SHOWN: Final = 100
_DISCLOSABLE: Final = ("model", "input", "cached", "output")


class Usage(NamedTuple):
    """Tokens of one request; unknown ones None."""

    input: int | None
    cached: int | None
    output: int | None


def is_inference(said: Said) -> bool:
    """Whether the span is a request to a model; agents, tools and frameworks repeat what their children used."""
    operation = value_of(said, "operation")
    return isinstance(operation, str) and operation.lower() in INFERENCE


def identity(record: Mapping[str, Any]) -> str | None:
    """Trace and span; ids in base64 are recognised by their length. None if one is absent or all zero."""
    trace, span = _id(record.get("traceId")), _id(record.get("spanId"))
    return f"{trace}:{span}" if trace and span else None


def _id(sent: object) -> str | None:
    if not isinstance(sent, str) or not sent.strip("0"):
        return None
    digits = base64.b64decode(sent, validate=False).hex() if len(sent) in {24, 12} else sent.lower()
    return digits if digits.strip("0") else None


def answered(identity: str | None, said: Said) -> str | None:
    """The request's identity; two spans of one trace with one response (instrumented twice) are one request."""
    response = value_of(said, "response")
    return f"{identity.partition(':')[0]}/{response}" if identity and response else identity


def moment(record: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """The first of the times that is known, in microseconds since 1970.

    Raises:
        BadLine: bad_date.
    """
    known = (instant(record.get(name)) for name in names)
    return next((found for found in known if found is not None), None)


def instant(sent: object) -> int | None:
    """Nanoseconds since 1970, as text or number, cut to microseconds; 0 and nothing are unknown.

    Raises:
        BadLine: bad_date, if it is no whole number.
    """
    if sent is None or sent in ("", "0", 0):
        return None
    if isinstance(sent, bool) or not isinstance(sent, int | str) or not str(sent).isdecimal():
        raise BadLine("bad_date", "a time that is no whole number of nanoseconds")
    return int(sent) // _NANO


def text(said: Said, meaning: str) -> str | None:
    """A name, as sent; empty text is unknown.

    Raises:
        BadLine: control_char.
    """
    found = value_of(said, meaning)
    if found is None or found == "":
        return None
    words = str(found)
    if _CONTROL.search(words):
        raise BadLine("control_char", f"a control character in the {meaning}")
    return words


def tenant(said: Said) -> str | None:
    """The tenant; a person is known by a hash only."""
    named, person = text(said, "tenant"), text(said, "person")
    if named or not person:
        return named
    return hashlib.sha256(person.encode()).hexdigest()[:_HASH_DIGITS]


def usage(said: Said) -> Usage:
    """Tokens of the request: everything given to the model, the part of it from a cache, everything produced.

    Raises:
        BadLine: bad_count, or token_mismatch if more was cached than given.
    """
    given, cached, produced = (_count(said, meaning) for meaning in ("input", "cached", "output"))
    if str(value_of(said, "provider")).lower() in APART and given is not None:
        given += (cached or 0) + (_count(said, "cache_written") or 0)
    if (cached or 0) > (given or 0):
        raise BadLine("token_mismatch", f"{cached} cached of {given or 0} input tokens")
    return Usage(given, cached, produced)


def first_token(said: Said, record: Mapping[str, Any], start: int) -> int | None:
    """Microseconds to the first token: as stated in seconds, else until the first event of output."""
    stated = value_of(said, "first_token")
    if isinstance(stated, int | float) and not isinstance(stated, bool) and 0 <= stated < _MICRO:
        return round(stated * _MICRO)
    moments = [instant(event.get("timeUnixNano")) for event in objects(record, "events") if _is_output(event)]
    waits = [moment - start for moment in moments if moment is not None and moment >= start]
    return min(waits, default=None)


def _is_output(event: Mapping[str, Any]) -> bool:
    name = str(event.get("name", "")).lower().replace(" ", "_")
    return name == "gen_ai.content.completion" or "first_token" in name


def is_error(said: Said, record: Mapping[str, Any]) -> bool:
    """Whether the request failed."""
    status = record.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    return code in (2, "2", "STATUS_CODE_ERROR") or bool(value_of(said, "error"))


def disclosable(said: Said) -> str:
    """The mapped counts and the model as JSON: what a quarantine may show of a span."""
    shown = {meaning: value_of(said, meaning) for meaning in _DISCLOSABLE if meaning in said}
    return msgspec.json.encode({name: value for name, value in shown.items() if len(str(value)) <= _SHOWN}).decode()


def _count(said: Said, meaning: str) -> int | None:
    found = value_of(said, meaning)
    if found is None:
        return None
    whole = _WHOLE.fullmatch(str(found))
    if isinstance(found, bool) or not whole:
        raise BadLine("bad_count", f"the {meaning} tokens are no whole number")
    return int(whole[1])
