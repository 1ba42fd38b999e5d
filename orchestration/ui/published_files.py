"""The published nights beside Dagster's pages, so that a link opens a report; none of them can run anything."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from orchestration.ui.guard import App, Message, Receive, Scope, Send

PREFIX: Final = "/published"
NOTHING_RUNS: Final = b"default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:"


class PublishedFiles:
    """Gives files of `folder` to whoever asks below `/published/`, and leaves all else to the app."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app = app
        files = StaticFiles(directory=folder, html=True, check_dir=False, follow_symlink=True)
        files.config_checked = True  # before the first night there is no folder, and no file in it
        self.files = Starlette(routes=[Mount(PREFIX, files)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, or pass on."""

        async def harmless(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                message["headers"] = [*message["headers"], (b"content-security-policy", NOTHING_RUNS)]
            await send(message)

        if scope["type"] == "http" and str(scope["path"]).startswith(f"{PREFIX}/"):
            await self.files(scope, receive, harmless)
        else:
            await self.app(scope, receive, send)


def _is_page(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])
