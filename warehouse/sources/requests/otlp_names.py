"""The names under which spans say the same thing: they differ by age and by library."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from warehouse.sources.decode.json_text import BadLine

MEANINGS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "operation": (
            "gen_ai.operation.name",
            "llm.request.type",
            "openinference.span.kind",
            "traceloop.span.kind",
        ),
        "model": (
            "gen_ai.response.model",
            "gen_ai.request.model",
            "llm.model_name",
            "llm.request.model",
            "ai.response.model",
            "ai.model.id",
            "model_name",
        ),
        "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"),
        "input": (
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt",
            "llm.usage.prompt_tokens",
            "ai.usage.inputTokens",
            "ai.usage.promptTokens",
        ),
        "output": (
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion",
            "llm.usage.completion_tokens",
            "ai.usage.outputTokens",
            "ai.usage.completionTokens",
        ),
        "cached": (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cached_tokens",
            "gen_ai.usage.input_cached_tokens",
            "gen_ai.usage.input_tokens.cached",
            "gen_ai.usage.cached_input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "llm.token_count.prompt_details.cache_read",
            "llm.usage.cache_read_input_tokens",
            "ai.usage.cachedInputTokens",
        ),
        "cache_written": (
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.cache_write_input_tokens",
            "llm.token_count.prompt_details.cache_write",
            "llm.usage.cache_creation_input_tokens",
        ),
        "first_token": (
            "gen_ai.response.time_to_first_chunk",
            "gen_ai.latency.time_to_first_token",
            "gen_ai.server.time_to_first_token",
        ),
        "task": ("trisect.task", "gen_ai.agent.name", "service.name"),
        "tenant": ("tenant.id", "user.tenant"),
        "person": ("enduser.id",),
        "team": ("team", "k8s.namespace.name"),
        "deployment": ("server.address", "k8s.pod.name", "gen_ai.deployment"),
        "response": ("gen_ai.response.id",),
        "error": ("error.type",),
    }
)
"""Meaning -> names, the first present wins."""

LARGEST: Final = frozenset({"cached", "cache_written"})
"""Meanings of which the largest value present counts, for a zero under one name does not hide another."""

INSIDE_BY_CONVENTION: Final = frozenset(
    {
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
    }
)
"""Names that the convention defines as a part of the input, whoever the provider is."""

Names = Mapping[str, tuple[str, int]]
"""Name of an attribute -> its meaning, and its rank among the names of that."""

_BY_NAME: Final = {name: (meaning, rank) for meaning, names in MEANINGS.items() for rank, name in enumerate(names)}
_GIVEN: Final = -1

Attributes = Mapping[str, tuple[int, object]]
"""What a span says: meaning -> rank of the name it was found under, and its value."""


def names_of(columns: Mapping[str, str]) -> Names:
    """The names of attributes, those that the settings give to a meaning before all others."""
    given = {attribute: (column.removesuffix("_id"), _GIVEN) for column, attribute in columns.items()}
    return _BY_NAME | given


def attributes_of(holder: Mapping[str, Any], inherited: Attributes, names: Names = _BY_NAME) -> Attributes:
    """What the attributes of a span or resource say, over what its resource says; other attributes are not looked at.

    Raises:
        BadLine: bad_json.
    """
    attributes = dict(inherited)
    for entry in objects(holder, "attributes"):
        convention = names.get(entry.get("key", ""))
        value = entry.get("value") if convention else None
        if convention and isinstance(value, dict) and value:
            meaning, rank = convention
            ranked = (rank, next(iter(value.values())))
            if meaning not in attributes or _precedes(meaning, ranked, attributes[meaning]):
                attributes[meaning] = ranked
    return attributes


def _precedes(meaning: str, ranked: tuple[int, object], other: tuple[int, object]) -> bool:
    """Whether one value counts before another of the same meaning."""
    if meaning in LARGEST and (size := _size(ranked[1])) != (other_size := _size(other[1])):
        return size > other_size
    return ranked[0] <= other[0]


def _size(value: object) -> float:
    """The number a value says; what is no number goes before all numbers, so that it is refused and not hidden."""
    try:
        return float(str(value))
    except ValueError:
        return float("inf")


def objects(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects listed under a name; none if it is absent.

    Raises:
        BadLine: bad_json, if something else stands there.
    """
    entries = holder.get(name) or []
    if not isinstance(entries, list) or not all(type(entry) is dict for entry in entries):
        raise BadLine("bad_json", f"{name} is no list of objects")
    return entries


def value_of(attributes: Attributes, meaning: str) -> object:
    """The value of one meaning; None if the span does not say it."""
    ranked = attributes.get(meaning)
    return ranked[1] if ranked else None


def name_of(attributes: Attributes, meaning: str) -> str | None:
    """The name under which a meaning was found; None if the span does not say it."""
    ranked = attributes.get(meaning)
    return MEANINGS[meaning][ranked[0]] if ranked and ranked[0] != _GIVEN else None
