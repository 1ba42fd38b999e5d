"""The names under which spans say the same thing: they differ by age and by library, the first present wins."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from warehouse.sources.decode.json_text import BadLine

MEANINGS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "operation": ("gen_ai.operation.name", "llm.request.type", "openinference.span.kind"),
        "model": ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "llm.request.model"),
        "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider"),
        "input": (
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt",
            "llm.usage.prompt_tokens",
        ),
        "output": (
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion",
            "llm.usage.completion_tokens",
        ),
        "cached": (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cached_input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "llm.token_count.prompt_details.cache_read",
        ),
        "cache_written": (
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
        ),
        "first_token": ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"),
        "task": ("trisect.task", "gen_ai.agent.name", "service.name"),
        "tenant": ("tenant.id", "user.tenant"),
        "person": ("enduser.id",),
        "team": ("team", "k8s.namespace.name"),
        "deployment": ("server.address", "k8s.pod.name", "gen_ai.deployment"),
        "response": ("gen_ai.response.id",),
        "error": ("error.type",),
    }
)
_BY_NAME: Final = {name: (meaning, rank) for meaning, names in MEANINGS.items() for rank, name in enumerate(names)}
_LAST: Final = 1 << 30

Said = Mapping[str, tuple[int, object]]
"""What a span says: meaning -> rank of the name it was found under, and its value."""


def said_by(holder: Mapping[str, Any], inherited: Said) -> Said:
    """What the attributes of a span or resource say, over what its resource says; other attributes are not looked at.

    Raises:
        BadLine: bad_json.
    """
    found = dict(inherited)
    for entry in objects(holder, "attributes"):
        known = _BY_NAME.get(entry.get("key", ""))
        value = entry.get("value") if known else None
        if known and isinstance(value, dict) and value and known[1] <= found.get(known[0], (_LAST, None))[0]:
            found[known[0]] = (known[1], next(iter(value.values())))
    return found


def objects(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects listed under a name; none if it is absent.

    Raises:
        BadLine: bad_json, if something else stands there.
    """
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(type(entry) is dict for entry in found):
        raise BadLine("bad_json", f"{name} is no list of objects")
    return found


def value_of(said: Said, meaning: str) -> object:
    """The value of one meaning; None if the span does not say it."""
    found = said.get(meaning)
    return found[1] if found else None
