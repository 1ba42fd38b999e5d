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

FALLBACK: Final = "Trisect Fallback"
"""What stands in style sheets and figures for the families behind the others, one for each script that a text holds."""

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
RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})
LEFT_TO_RIGHT_MARK: Final = "\u200e"
ALIKE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE"})
"""Scripts that share shapes: a word of two of them is not what it seems."""
LATIN_SHAPES: Final = frozenset("аеорсухіјѕһԁԛԝАВЕКМНОРСТХУІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲ")
"""Letters of Cyrillic and Greek that are drawn like Latin ones."""
HYPHENS: Final = frozenset("\u2010\u2011\u2212")
MOST_MARKS: Final = 3
"""Vowel signs and tone marks on one letter; more of them would climb into the line above."""
SPACES: Final = frozenset(" \u00a0\u2009\u200a\u202f\n\t")


@cache
def _advances() -> dict[str, dict[str, int]]:
    metrics = json.loads(files("templates.fonts").joinpath("metrics.json").read_text("utf-8"))
    return {face: {chr(int(code, 16)): width for code, width in signs.items()} for face, signs in metrics.items()}


@cache
def _face(family: Family, weight: int) -> dict[str, int]:
    advances = _advances()
    return advances.get(f"{family} {weight}") or advances[f"{family} {SEMIBOLD}"]


@cache
def _fallback() -> dict[str, tuple[str, int]]:
    """File and width of each sign that only the fonts behind the others have."""
    runs = json.loads(files("templates.fonts").joinpath("fallback.json").read_text("utf-8"))
    return {
        chr(code): (name, width)
        for name, written in runs.items()
        for first, last, width in written
        for code in range(first, last + 1)
    }


def _has(sign: str) -> bool:
    return sign in everywhere() or sign in _fallback()


def _advance(face: dict[str, int], sign: str) -> int:
    width = face.get(sign)
    if width is None:
        width = 0 if sign == LEFT_TO_RIGHT_MARK else _fallback().get(sign, ("", UNITS_PER_EM))[1]
    return width


def fallback_files(content: str) -> tuple[str, ...]:
    """The files, beside those of every report, that hold the signs of a text."""
    strange = set(content) - everywhere()
    return tuple(sorted({_fallback()[sign][0] for sign in strange if sign in _fallback()})) if strange else ()


def text_width(content: str, size: float, family: Family = CONDENSED, weight: int = REGULAR) -> float:
    """Width of a text in points, the sum of its advances; kerning and joined letters can only make it narrower."""
    face = _face(family, weight)
    return sum(_advance(face, sign) for sign in content) * size / UNITS_PER_EM


@cache
def everywhere() -> frozenset[str]:
    """Signs that every face has: what a name may be made of."""
    return frozenset.intersection(*(frozenset(_face(family, weight)) for family, weight, _ in FACES)) - SPACES | {" "}


@cache
def somewhere() -> frozenset[str]:
    """Signs that the text face has: what our own words may be made of."""
    return frozenset(_face(SANS, REGULAR)) | SPACES


@lru_cache(maxsize=4096)
def printable(name: str) -> str:
    """A name in signs that the fonts have: invisible ones go, unknown ones become a visible box.

    A name that is read from the right ends with a mark that keeps the sentence around it in its order.
    """
    if name.isascii() and name.isprintable():
        return " ".join(name.split())
    kept: list[str] = []
    for sign in unicodedata.normalize("NFC", name):
        if sign.isspace():
            kept.append(" ")
        elif not _is_invisible(sign) and not (_is_mark(sign) and all(_is_mark(one) for one in kept[-MOST_MARKS:])):
            kept.append(sign if _has(sign) else PLACEHOLDER)
    shown = " ".join("".join(kept).split())
    is_from_right = any(unicodedata.bidirectional(sign) in RIGHT_TO_LEFT for sign in shown)
    return f"{LEFT_TO_RIGHT_MARK}{shown}{LEFT_TO_RIGHT_MARK}" if is_from_right else shown


def readable(name: str) -> str:
    """A name for a browser, whose fonts have every script: only signs that steer or hide text go."""
    composed = unicodedata.normalize("NFC", name)
    return " ".join("".join(sign for sign in composed if unicodedata.category(sign) not in HIDING).split())


@lru_cache(maxsize=4096)
def is_ambiguous(name: str) -> bool:
    """Whether a name can look like another in print.

    It does where signs are lost or replaced, where a word mixes scripts that share shapes, where a word of Cyrillic or
    Greek is drawn like a Latin one, and where a sign is another form of a plainer one: a full-width letter, a hyphen.
    """
    if name.isascii():
        return False
    composed = unicodedata.normalize("NFC", name)
    if printable(name).strip(LEFT_TO_RIGHT_MARK) != composed or unicodedata.normalize("NFKC", name) != composed:
        return True
    if not HYPHENS.isdisjoint(composed):
        return True
    words = WORD.findall(composed)
    mixed = any(len({_script(sign) for sign in word if sign.isalpha()} & ALIKE) > 1 for word in words)
    return mixed or any(LATIN_SHAPES.issuperset(word) for word in words)


def distinction(name: str) -> str:
    """What tells apart names that look alike: a mark made from the name, the same in every night."""
    return f"#{sha256(unicodedata.normalize('NFC', name).encode('utf-8', 'surrogatepass')).hexdigest()[:4]}"


def _script(letter: str) -> str:
    """The script of a letter, by the first word of its name: LATIN, CYRILLIC, GREEK."""
    return unicodedata.name(letter, "UNNAMED").split()[0]


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign) in {"Mn", "Me", "Mc"}


def _is_invisible(sign: str) -> bool:
    """Whether a sign is left out: what steers text, and accents that belong to no script and stack without end."""
    category = unicodedata.category(sign)
    if category in {"Mn", "Me"}:
        return sign not in _fallback() or unicodedata.name(sign, "").startswith(("COMBINING", "VARIATION"))
    return category in {"Cf", "Cc"}


def faces_inside() -> str:
    """The @font-face rules for the screen, with the fonts themselves inside, so that nothing is fetched."""
    return _rules(lambda name: f"data:font/woff2;base64,{b64encode(font(f'{name}.woff2')).decode('ascii')}", "woff2")


def faces_by_name(fallback: tuple[str, ...] = ()) -> str:
    """The @font-face rules for paper: `bundled:` and a file's name, which `font` gives; those of other scripts too.

    One weight serves for both: a bold that is made up by the machine would differ from machine to machine. Each script
    is a family: files of one family are taken for one font when they are embedded.
    """
    behind = "\n".join(
        f"@font-face {{ font-family: '{family}'; font-weight: {weight}; "
        f"src: url({BUNDLED}:{name}.woff2) format('woff2'); }}"
        for name, family in zip(fallback, fallback_families(fallback), strict=True)
        for weight in (REGULAR, SEMIBOLD)
    )
    return f"{_rules(lambda name: f'{BUNDLED}:{name}.ttf', 'truetype')}\n{behind}"


def fallback_families(names: tuple[str, ...]) -> list[str]:
    """The families of files of scripts: Trisect Arabic, Trisect Japanese."""
    return [f"Trisect {name.rpartition('-')[2]}" for name in names]


@cache
def font(name: str) -> bytes:
    """A bundled font.

    Raises:
        KeyError: a name that is not bundled.
    """
    face, _, suffix = name.rpartition(".")
    is_behind = suffix == "woff2" and face.startswith(FALLBACK.replace(" ", ""))
    if not is_behind and (face not in {file_name for _, _, file_name in FACES} or suffix not in {"ttf", "woff2"}):
        raise KeyError(name)
    return files("templates.fonts").joinpath(name).read_bytes()


def _rules(address: Callable[[str], str], kind: str) -> str:
    return "\n".join(
        f"@font-face {{ font-family: '{family}'; font-weight: {weight}; src: url({address(name)}) format('{kind}'); }}"
        for family, weight, name in FACES
    )
