"""The bundled fonts: their files, the width of every text, and which signs they have."""

from __future__ import annotations

import json
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Final, Literal

Family = Literal["Trisect Sans", "Trisect Sans Condensed", "Trisect Serif"]

SANS: Final[Family] = "Trisect Sans"
CONDENSED: Final[Family] = "Trisect Sans Condensed"
SERIF: Final[Family] = "Trisect Serif"
REGULAR: Final = 400
SEMIBOLD: Final = 600
BUNDLED: Final = "bundled"
"""Scheme of the addresses by which the printed style sheet names our own fonts."""

PLACEHOLDER: Final = "□"
UNITS_PER_EM: Final = 1000
FACES: Final[tuple[tuple[Family, int, str], ...]] = (
    (SANS, REGULAR, "TrisectSans-Regular"),
    (SANS, SEMIBOLD, "TrisectSans-SemiBold"),
    (CONDENSED, REGULAR, "TrisectSansCondensed-Regular"),
    (CONDENSED, SEMIBOLD, "TrisectSansCondensed-SemiBold"),
    (SERIF, SEMIBOLD, "TrisectSerif-SemiBold"),
)
HIDING: Final = frozenset({"Cf", "Cc", "Cs", "Co", "Cn"})
WORD: Final = re.compile(r"[^\W\d_]+")
SPACES: Final = frozenset(" \u00a0\u2009\u200a\u202f\n\t")


@cache
def _advances() -> dict[str, dict[str, int]]:
    metrics = json.loads(files("templates.fonts").joinpath("metrics.json").read_text("utf-8"))
    return {face: {chr(int(code, 16)): width for code, width in signs.items()} for face, signs in metrics.items()}


@cache
def _face(family: Family, weight: int) -> dict[str, int]:
    advances = _advances()
    return advances.get(f"{family} {weight}") or advances[f"{family} {SEMIBOLD}"]


def text_width(content: str, size: float, family: Family = CONDENSED, weight: int = REGULAR) -> float:
    """Width of a text in points, the sum of its advances; kerning can only make it narrower."""
    face = _face(family, weight)
    return sum(face.get(sign, UNITS_PER_EM) for sign in content) * size / UNITS_PER_EM


@cache
def everywhere() -> frozenset[str]:
    """Signs that every face has: what a name may be made of."""
    return frozenset.intersection(*(frozenset(_face(family, weight)) for family, weight, _ in FACES)) - SPACES | {" "}


@cache
def somewhere() -> frozenset[str]:
    """Signs that the text face has: what our own words may be made of."""
    return frozenset(_face(SANS, REGULAR)) | SPACES


def printable(name: str) -> str:
    """A name in signs that the fonts have: invisible ones go, unknown ones become a visible box."""
    composed = unicodedata.normalize("NFC", name)
    shown = "".join(" " if sign.isspace() else sign for sign in composed if not _is_invisible(sign))
    covered_signs = everywhere()
    return "".join(sign if sign in covered_signs else PLACEHOLDER for sign in " ".join(shown.split()))


def readable(name: str) -> str:
    """A name for a browser, whose fonts have every script: only signs that steer or hide text go."""
    composed = unicodedata.normalize("NFC", name)
    return " ".join("".join(sign for sign in composed if unicodedata.category(sign) not in HIDING).split())


@lru_cache(maxsize=4096)
def is_ambiguous(name: str) -> bool:
    """Whether a name can look like another in print: signs that the fonts lack, or a word of more than one script."""
    if name.isascii():
        return False
    if PLACEHOLDER in printable(name):
        return True
    words = WORD.findall(unicodedata.normalize("NFC", name))
    return any(len({_script(sign) for sign in word if sign.isalpha()}) > 1 for word in words)


def distinction(name: str) -> str:
    """What tells apart names that look alike: a mark made from the name, the same in every night."""
    return f"#{sha256(unicodedata.normalize('NFC', name).encode('utf-8', 'surrogatepass')).hexdigest()[:4]}"


def _script(letter: str) -> str:
    """The script of a letter, by the first word of its name: LATIN, CYRILLIC, GREEK."""
    return unicodedata.name(letter, "UNNAMED").split()[0]


def _is_invisible(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cf", "Cc", "Mn", "Me"} and not sign.isspace()


def faces_inside() -> str:
    """The @font-face rules for the screen, with the fonts themselves inside, so that nothing is fetched."""
    return _rules(lambda name: f"data:font/woff2;base64,{b64encode(font(f'{name}.woff2')).decode('ascii')}", "woff2")


def faces_by_name() -> str:
    """The @font-face rules for paper: `bundled:` and the name of a file, which `font` gives."""
    return _rules(lambda name: f"{BUNDLED}:{name}.ttf", "truetype")


@cache
def font(name: str) -> bytes:
    """A bundled font.

    Raises:
        KeyError: a name that is not bundled.
    """
    face, _, suffix = name.rpartition(".")
    if face not in {file_name for _, _, file_name in FACES} or suffix not in {"ttf", "woff2"}:
        raise KeyError(name)
    return files("templates.fonts").joinpath(name).read_bytes()


def _rules(address: Callable[[str], str], kind: str) -> str:
    return "\n".join(
        f"@font-face {{ font-family: '{family}'; font-weight: {weight}; src: url({address(name)}) format('{kind}'); }}"
        for family, weight, name in FACES
    )
