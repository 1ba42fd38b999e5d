"""The guard before Dagster's web app: foreign names, foreign pages and what a foreign page could send."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from orchestration.ui.guard import Guard, Message, Receive, Scope, Send, loopback_origins

PORT = 3000
OWN = b"http://127.0.0.1:3000"
LAUNCH = json.dumps({"query": "mutation { launchRun }"}).encode()
LOOK = json.dumps({"query": "{ version }"}).encode()
JSON = b"application/json"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body that it got."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    body = (await receive()).get("body", b"")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def answered(
    method: str = "GET",
    path: str = "/graphql",
    *,
    body: bytes = b"",
    kind: str = "http",
    query: bytes = b"",
    **headers: bytes,
) -> tuple[Any, bytes]:
    """Status and body of one request; header names have `_` for `-`."""
    named = {"host": b"127.0.0.1:3000", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": query,
        "headers": [(name.encode(), value) for name, value in named.items() if value],
    }
    halves = [body[: len(body) // 2], body[len(body) // 2 :]]
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": halves.pop(0), "more_body": bool(halves)}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Guard(app, loopback_origins(PORT))(scope, receive, send))
    return sent[0].get("status", sent[0]["type"]), sent[-1].get("body", b"")


def test_a_page_of_the_app_reads_and_changes() -> None:
    assert answered("GET", "/") == (200, b"")
    assert answered("POST", body=LAUNCH, content_type=JSON, origin=OWN) == (200, LAUNCH)
    assert (
        answered("POST", body=LAUNCH, content_type=b"application/json; charset=utf-8", origin=b"http://localhost:3000")[
            0
        ]
        == 200
    )
    assert answered(kind="websocket", origin=OWN)[0] == "websocket.accept"


def test_a_tool_of_this_machine_reads_and_changes_nothing() -> None:
    assert answered("POST", body=LOOK, content_type=JSON) == (200, LOOK)
    assert answered("POST", body=LAUNCH, content_type=JSON)[0] == 403
    assert answered("POST", "/report_asset_materialization/a", body=LOOK, content_type=JSON)[0] == 403


@pytest.mark.parametrize(
    "host", [b"evil.example.com", b"127.0.0.1", b"127.0.0.1:3001", b"127.0.0.1.evil.example.com:3000", b""]
)
def test_another_name_is_not_answered_whatever_it_asks(host: bytes) -> None:
    assert answered("GET", "/", host=host)[0] == 421
    assert answered("POST", body=LOOK, content_type=JSON, origin=OWN, host=host)[0] == 421
    assert answered(kind="websocket", origin=OWN, host=host)[0] == "websocket.close"


@pytest.mark.parametrize(
    "origin", [b"http://evil.example.com", b"null", b"https://127.0.0.1:3000", b"http://127.0.0.1:3001"]
)
def test_another_page_may_ask_nothing(origin: bytes) -> None:
    assert answered("GET", "/", origin=origin)[0] == 403
    assert answered("POST", body=LOOK, content_type=JSON, origin=origin)[0] == 403
    assert answered(kind="websocket", origin=origin)[0] == "websocket.close"


def test_what_any_page_can_send_without_asking_is_not_taken() -> None:
    # a link, an image and a form need no leave of the other side; none of them can send JSON
    assert answered("GET", query=b"query=mutation%20{launchRun}")[0] == 405
    assert answered("HEAD", query=b"query={version}")[0] == 405
    for kind in (
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
        b"text/plain;application/json",
        b"",
    ):
        assert answered("POST", body=LAUNCH, content_type=kind, origin=OWN)[0] == 415
    assert answered("POST", query=b"query=mutation", body=b"", content_type=b"text/plain")[0] == 415
    assert answered("DELETE", body=LOOK, content_type=JSON, origin=OWN)[0] == 415
    assert answered(kind="websocket")[0] == "websocket.close"


@pytest.mark.parametrize("body", [b"", b"no json", b"[1]", b'{"query": 1}', b'{"query": "\\u006dutation { x }"}'])
def test_what_is_no_plain_query_needs_a_page_of_the_app(body: bytes) -> None:
    assert answered("POST", body=body, content_type=JSON)[0] == 403
