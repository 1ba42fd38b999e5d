"""One JSON object in one line of text: whole, unambiguous and shallow, or a reason why not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import msgspec

DEEPEST: Final = 64
ONE_A_LINE: Final = "write one object a line, as `jq -c .` does"
_WHITE: Final = b" \t\r\n"
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_surrogates = msgspec.json.Encoder()


class BadLine(Exception):  # noqa: N818 - a fact about the input, not about this code
    """The line is no record; `reason` is a code of the closed list, `detail` never repeats what the line holds."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def json_object(line: bytes) -> dict[str, Any]:
    """The object a line holds; NaN and infinities are numbers, as Python and most loggers write them.

    Raises:
        BadLine: encoding, or bad_json for anything that is no single object, repeats a key or nests too deep.
    """
    try:
        document = msgspec.json.decode(line)
        is_plain = _surely_no_key_repeats(line, document)
    except UnicodeDecodeError as error:
        raise BadLine("encoding", f"byte {error.object[error.start]:#x} is no UTF-8") from error
    except (msgspec.DecodeError, RecursionError):
        is_plain = False
    if not is_plain:
        document = _slowly(line)
    if not isinstance(document, dict):
        raise BadLine("bad_json", f"a JSON {type(document).__name__}, not an object")
    if _is_deep(line):
        raise BadLine("bad_json", f"nested deeper than {DEEPEST}")
    return document


def leading_object(line: bytes) -> dict[str, Any]:
    """The object a text begins with; what follows it (colour codes, another rank's output) is not looked at."""
    text = line.strip()
    try:
        return json_object(text)
    except BadLine as bad:
        end = _end_of_object(text)
        if bad.reason != "bad_json" or end == len(text):
            raise
    return json_object(text[:end])


def _end_of_object(line: bytes) -> int:
    try:
        text = line.decode()
        return len(text[: json.JSONDecoder().raw_decode(text)[1]].encode())
    except (ValueError, RecursionError):
        return len(line)


def _surely_no_key_repeats(line: bytes, document: object) -> bool:
    """Every key that was written is still there after decoding: compared by counting, exact only when True."""
    return line.translate(None, _WHITE).count(b'":') == msgspec.json.encode(document).count(b'":')


def _slowly(line: bytes) -> object:
    try:
        document = json.loads(line.decode(), object_pairs_hook=each_key_once)
        _surrogates.encode(document)
    except UnicodeError as error:
        raise BadLine("encoding", "not UTF-8, or half a surrogate pair") from error
    except json.JSONDecodeError as error:
        raise BadLine("bad_json", f"{error.msg} at character {error.pos + 1}") from error
    except (ValueError, RecursionError) as error:
        raise BadLine("bad_json", str(error)) from error
    return document


def each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The members of an object as a mapping.

    Raises:
        ValueError: when a key stands twice, since readers differ on which of its values counts.
    """
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return document


def _is_deep(line: bytes) -> bool:
    """Whether more than the allowed layers of brackets stand inside one another."""
    brackets = line.translate(None, _NO_BRACKETS)
    for _ in range(DEEPEST // 2):  # a round takes away two layers at most, brackets within texts count as layers
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets) and _depth(json.loads(line.decode())) > DEEPEST


def _depth(value: object) -> int:
    level, deepest = [value], 0
    while level and deepest <= DEEPEST:
        deepest += 1
        inner = [child for parent in level for child in _children(parent)]
        level = [child for child in inner if isinstance(child, dict | list)]
    return deepest


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
