"""One request out of what a span or log record says."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from warehouse.sources.decode.json_text import BadLine
from warehouse.sources.requests.cache_accounting import BESIDE, INSIDE, Accounted, accounted
from warehouse.sources.requests.otlp_names import INSIDE_BY_CONVENTION, Attributes, name_of, objects, value_of

Role = Literal["call", "leaf", "frame"]
"""`call` asks a model; `leaf` carries usage and counts where no span within it does; `frame` repeats its children."""

INFERENCE: Final = frozenset(
    {
        *("chat", "text_completion", "generate_content", "embeddings", "responses", "generate_text"),
        *("completion", "embedding", "llm", "messages", "chat_completion", "generate", "stream_text"),
    }
)
"""Operations that ask a model, as of 2026-11; the convention adds some each year."""

FRAMES: Final = frozenset(
    {
        *("invoke_agent", "invoke_workflow", "create_agent", "execute_tool", "plan", "retrieval"),
        *("agent", "chain", "tool", "workflow", "task", "retriever", "guardrail", "evaluator"),
    }
)
"""Operations whose usage, where they carry any, is that of the spans within them."""

SERVERS: Final = ("vllm", "sglang")
"""Scopes of inference servers, whose spans name no operation."""

CALLS: Final = re.compile(r"llm_request|ai\.\w+\.do(?:Generate|Stream|Embed)")
"""Names of the spans with which servers and SDKs ask a model without naming an operation."""

_ADDS_THE_CACHE: Final = ("opentelemetry.instrumentation.anthropic", "openinference")
"""Scopes that add the parts of an Anthropic answer up before they state the input."""

_APART: Final = frozenset({"anthropic", "aws.bedrock", "aws_bedrock", "bedrock"})
"""Providers that report input, cache reads and cache writes as disjoint parts."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_WHOLE: Final = re.compile(r"(\d{1,15})(?:\.0*)?", re.ASCII)
_NANO: Final = 1000
_HASH_DIGITS: Final = 16
_MICRO: Final = 1_000_000
_SHOWN: Final = 100
_DISCLOSABLE: Final = ("model", "input", "cached", "output")
_USAGE: Final = ("input", "cached", "cache_written", "output")


def role(attributes: Attributes, record: Mapping[str, Any], scope: str) -> Role:
    """What part the span has in the usage of its trace."""
    operation = str(value_of(attributes, "operation") or "").lower()
    if operation in INFERENCE:
        return "call"
    if operation in FRAMES or not any(meaning in attributes for meaning in _USAGE):
        return "frame"
    is_known = scope.lower().startswith(SERVERS) or CALLS.match(str(record.get("name", "")))
    return "call" if is_known else "leaf"


def trace_and_span(record: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Trace, span and parent span; ids in base64 are recognised by their length. None for one absent or all zero."""
    trace, span, parent = (_id(record.get(name)) for name in ("traceId", "spanId", "parentSpanId"))
    return trace, span, parent


def _id(sent: object) -> str | None:
    if not isinstance(sent, str) or not sent.strip("0"):
        return None
    digits = base64.b64decode(sent, validate=False).hex() if len(sent) in {24, 12} else sent.lower()
    return digits if digits.strip("0") else None


def moment(record: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """The first of the times that is known, in microseconds since 1970.

    Raises:
        BadLine: bad_date.
    """
    instants = (instant(record.get(name)) for name in names)
    return next((at for at in instants if at is not None), None)


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


def text(attributes: Attributes, meaning: str) -> str | None:
    """A name, as sent; empty text is unknown.

    Raises:
        BadLine: control_char.
    """
    value = value_of(attributes, meaning)
    if value is None or value == "":
        return None
    words = str(value)
    if _CONTROL.search(words):
        raise BadLine("control_char", f"a control character in the {meaning}")
    return words


def tenant(attributes: Attributes) -> str | None:
    """The tenant; a person is known by a hash only."""
    named, person = text(attributes, "tenant"), text(attributes, "person")
    if named or not person:
        return named
    return hashlib.sha256(person.encode()).hexdigest()[:_HASH_DIGITS]


def usage(attributes: Attributes, scope: str, stated: str | None) -> Accounted:
    """Tokens given to the model and their cached and written parts; `stated` is what the settings say of these.

    Raises:
        BadLine: bad_count, or token_mismatch if more was cached and written than given.
    """
    given, cached, written = (_count(attributes, meaning) for meaning in ("input", "cached", "cache_written"))
    names = [name_of(attributes, meaning) for meaning, part in (("cached", cached), ("cache_written", written)) if part]
    by_name = INSIDE if names and INSIDE_BY_CONVENTION.issuperset(names) else None
    tokens = accounted(given, cached, written, by_rule=stated or by_name, habit=_habit(attributes, scope))
    if tokens.is_mismatch:
        detail = f"{(cached or 0) + (written or 0)} cached and written of {given or 0} input tokens"
        raise BadLine("token_mismatch", f'{detail}; if they stand beside the input, set options.cached = "beside"')
    return tokens


def output(attributes: Attributes) -> int | None:
    """Tokens produced, reasoning included.

    Raises:
        BadLine: bad_count.
    """
    return _count(attributes, "output")


def _habit(attributes: Attributes, scope: str) -> str:
    """Anthropic's API reports disjoint parts, which some libraries add up before they send them."""
    is_apart = str(value_of(attributes, "provider")).lower() in _APART
    adds_up = scope.startswith(_ADDS_THE_CACHE) or str(name_of(attributes, "cached")).startswith("llm.token_count.")
    return BESIDE if is_apart and not adds_up else INSIDE


def first_token(attributes: Attributes, record: Mapping[str, Any], start: int) -> int | None:
    """Microseconds to the first token: as stated in seconds, else until the first event of output."""
    stated = value_of(attributes, "first_token")
    if isinstance(stated, int | float) and not isinstance(stated, bool) and 0 <= stated < _MICRO:
        return round(stated * _MICRO)
    moments = [instant(event.get("timeUnixNano")) for event in objects(record, "events") if _is_output(event)]
    waits = [moment - start for moment in moments if moment is not None and moment >= start]
    return min(waits, default=None)


def _is_output(event: Mapping[str, Any]) -> bool:
    name = str(event.get("name", "")).lower().replace(" ", "_")
    return name == "gen_ai.content.completion" or "first_token" in name


def is_error(attributes: Attributes, record: Mapping[str, Any]) -> bool:
    """Whether the request failed."""
    status = record.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    return code in (2, "2", "STATUS_CODE_ERROR") or bool(value_of(attributes, "error"))


def disclosable(attributes: Attributes) -> str:
    """The mapped counts and the model as JSON: what a quarantine may show of a span."""
    shown = {meaning: value_of(attributes, meaning) for meaning in _DISCLOSABLE if meaning in attributes}
    return msgspec.json.encode({name: value for name, value in shown.items() if len(str(value)) <= _SHOWN}).decode()


def _count(attributes: Attributes, meaning: str) -> int | None:
    value = value_of(attributes, meaning)
    if value is None:
        return None
    whole = _WHOLE.fullmatch(str(value))
    if isinstance(value, bool) or not whole:
        raise BadLine("bad_count", f"the {meaning} tokens are no whole number")
    return int(whole[1])
