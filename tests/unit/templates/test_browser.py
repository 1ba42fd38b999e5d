"""The HTML twin in a real browser, where one is installed: nothing leaves the page, however narrow."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from templates import render

# Says how wide the page wants to be, and which elements reach beyond it without a box of their own to scroll in.
PROBE = """<script>addEventListener("load", () => document.fonts.ready.then(() => {
const width = document.documentElement.clientWidth, beyond = [];
const scrolls = e =>
  e && e !== document.body && (getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
for (const e of document.querySelectorAll("body *")) {
  if (e.closest("svg") && e.tagName !== "svg") continue;
  if (e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement)) beyond.push(e.outerHTML.slice(0, 120));
}
const texts = [...document.querySelectorAll("main svg text")];
const smallest = Math.min(...texts.map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a));
const wants = document.documentElement.scrollWidth;
parent.postMessage(JSON.stringify({width, wants, beyond, smallest}), "*");
}))</script></body>"""
FRAME = """<!DOCTYPE html><pre id="said"></pre><iframe src="twin.html" style="width:{width}px;height:900px"></iframe>
<script>onmessage = event => {{ said.textContent = event.data }}</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


@pytest.fixture(scope="module")
def folder(tables: Any, built: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browser")
    twin = render.html(tables, **built).replace("</body>", PROBE)
    (path / "twin.html").write_text(twin, encoding="utf-8")
    return path


def seen(browser: str, folder: Path, width: int) -> dict[str, Any]:
    """What the probe says in a window that wide."""
    (folder / "frame.html").write_text(FRAME.format(width=width), encoding="utf-8")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000", "--dump-dom"]
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [browser, *flags, profile, "--window-size=1600,1000", (folder / "frame.html").as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    said = re.search(r'<pre id="said">(.+?)</pre>', shown, re.DOTALL)
    assert said is not None, "the page did not load"
    found: dict[str, Any] = json.loads(html.unescape(said[1]))
    return found


@pytest.mark.parametrize("width", [1440, 820, 390])
def test_the_page_never_scrolls_sideways(browser: str, folder: Path, width: int) -> None:
    found = seen(browser, folder, width)

    assert found["beyond"] == []
    assert found["wants"] <= found["width"]


def test_the_smallest_word_of_a_figure_can_be_read_on_a_phone(browser: str, folder: Path) -> None:
    # 6.2 pt is the smallest word on paper; a phone may show it at no less than 7 CSS pixels
    assert seen(browser, folder, 390)["smallest"] >= 7
