"""Stands in front of Dagster's web app: only its own pages may read it, and only they may change anything.

The app has no login, and takes a mutation from the address of a GET. Every page that the operator's browser shows could
start, stop or delete a night by naming 127.0.0.1, or read a table by letting its own name point there. So the guard
answers only to its own names (against rebinding), and takes what changes something only as JSON from its own pages,
which a browser lets no other page send.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
QUERIES: Final = "/graphql"
READING: Final = frozenset({"GET", "HEAD"})
LARGEST_BODY: Final = 16 * 2**20
UNTOUCHED: Final = "; nothing was read or changed"


class RefusedError(Exception):
    """The request does not come from a page of this app: status and sentence of the answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def loopback_origins(port: int) -> frozenset[str]:
    """The origins of the app itself on this machine."""
    return frozenset(f"http://{name}:{port}" for name in LOOPBACK)


@dataclass(frozen=True)
class Guard:
    """The app behind its guard; `origins` are its own, as a browser writes them: scheme, host and port."""

    app: App
    origins: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what its own pages ask for; refuse everything else."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        try:
            received = await self._admitted(scope, receive)
        except RefusedError as refused:
            await _refuse(scope, send, refused)
        else:
            await self.app(scope, received, send)

    async def _admitted(self, scope: Scope, receive: Receive) -> Receive:
        host, origin = _only(scope, b"host"), _only(scope, b"origin")
        if host not in {own.partition("://")[2] for own in self.origins}:
            raise RefusedError(421, f"this page is served as {', '.join(sorted(self.origins))}, not as {host!r}")
        if origin is not None and origin not in self.origins:
            raise RefusedError(403, f"pages of {origin!r} may ask nothing here")
        if scope["type"] == "websocket":
            if origin is None:
                raise RefusedError(403, "a connection that stays open needs the Origin of a page of this app")
            return receive
        if scope["method"] in READING:
            if _is_of_queries(scope) and "query" in parse_qs(scope["query_string"].decode("latin-1")):
                raise RefusedError(405, "a query in an address may come from any page; send it as JSON by POST")
            return receive
        return await _posted(scope, receive, is_own=origin is not None)


async def _posted(scope: Scope, receive: Receive, *, is_own: bool) -> Receive:
    """The body again, once it is known to be JSON that may pass; without an Origin it may only read."""
    kind = (_only(scope, b"content-type") or "").partition(";")[0].strip().lower()
    if scope["method"] != "POST" or kind != "application/json":
        raise RefusedError(415, f"{scope['method']} as {kind or 'nothing named'} is not taken; send JSON by POST")
    body = await _body(receive)
    if not is_own and not (_is_of_queries(scope) and _is_reading(body)):
        raise RefusedError(403, "what changes something needs the Origin of a page of this app")

    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


def _is_of_queries(scope: Scope) -> bool:
    return str(scope["path"]).rstrip("/").endswith(QUERIES)


def _is_reading(body: bytes) -> bool:
    """Whether the body holds queries only: an operation that changes something begins with its own word."""
    try:
        query = json.loads(body)["query"]
    except (ValueError, KeyError, TypeError):
        return False
    return isinstance(query, str) and "mutation" not in query


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > LARGEST_BODY:
            raise RefusedError(413, f"a request of more than {LARGEST_BODY:,} bytes is not taken")
        if not message.get("more_body"):
            return b"".join(parts)


def _only(scope: Scope, name: bytes) -> str | None:
    """The one header of a name; two of them say nothing that can be relied on."""
    values = [value for key, value in scope["headers"] if key == name]
    if len(values) > 1:
        raise RefusedError(400, f"two headers {name.decode()}")
    return values[0].decode("latin-1") if values else None


async def _refuse(scope: Scope, send: Send, refused: RefusedError) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": str(refused)[:100]})
        return
    body = f"{refused}{UNTOUCHED}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
