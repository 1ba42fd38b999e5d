"""Makes the report's fonts from IBM Plex: fixed weights and widths under a name of their own, with their metrics.

Run once, when the upstream fonts change; the report itself only reads what lies beside this file. Sources are the
unmodified OFL files of the PyPI packages fontpkg-ibm-plex-sans 3.201 and fontpkg-ibm-plex-serif 2.6:

    pip install --target FONTS fontpkg-ibm-plex-sans==3.201 fontpkg-ibm-plex-serif==2.6
    pip install --target FONTS manimgx-fonts==2026.9.26.post1
    pip install --target FONTS pylopdf-fonts-jp==0.1.1 pylopdf-fonts-zh-cn==0.1.1 pylopdf-fonts-ko==0.1.1
    python -m templates.fonts.build_fonts FONTS

"Plex" is a reserved font name, so the instances are called Trisect. Names of models, teams and companies can be in any
script: what Plex lacks comes from Noto, one file for each script, all of one family that stands behind the others. A
sign is in one file only, so the order in which fonts are asked decides nothing. Of the thousands of signs of Chinese,
Japanese and Korean those of the national standards are kept: JIS X 0208, GB 2312, the first level of Big5, KS X 1001.
"""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]
from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fontTools.varLib.instancer import instantiateVariableFont  # type: ignore[import-untyped]

HERE: Final = Path(__file__).parent
SANS: Final = "fontpkg_ibm_plex_sans/files/IBMPlexSans[wdth,wght].ttf"
SERIF: Final = "fontpkg_ibm_plex_serif/files/IBMPlexSerif-SemiBold.ttf"
LICENCES: Final = {
    "OFL-Trisect-Sans.txt": "fontpkg_ibm_plex_sans/LICENSE",
    "OFL-Trisect-Serif.txt": "fontpkg_ibm_plex_serif/LICENSE",
    "OFL-Trisect-Fallback.txt": "manimgx_fonts-2026.9.26.post1.dist-info/licenses/LICENSE",
    "OFL-Trisect-Fallback-CJK.txt": "pylopdf_fonts_jp-0.1.1.dist-info/licenses/LICENSE",
}
FALLBACK: Final = "Trisect Fallback"
SCRIPTS: Final = {
    "Latin": "manimgx_fonts/NotoSans[wght].ttf",
    **{
        script: f"manimgx_fonts/NotoSans{script}[wght].ttf"
        for script in (
            "Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Hebrew",
            "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai",
        )
    },
    "Japanese": "pylopdf_fonts_jp/NotoSansJP-Regular.otf",
    "Chinese": "pylopdf_fonts_zh_cn/NotoSansSC-Regular.otf",
    "Korean": "pylopdf_fonts_ko/NotoSansKR-Regular.otf",
    "Emoji": "manimgx_fonts/NotoEmoji[wght].ttf",
}  # fmt: skip
"""Fonts of other scripts; a sign that several have comes from the first."""
STANDARDS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "Japanese": (("euc_jp", 0xFF),), "Chinese": (("gb2312", 0xFF), ("big5", 0xC6)), "Korean": (("euc_kr", 0xFF),),
}  # fmt: skip
"""National standards whose signs are kept, each with the highest first byte."""
BLANKS: Final = {0x20, 0xA0, 0x2009, 0x202F, 0x200E}
"""What stands between words of a script is set in its font."""
SHAPING: Final = [
    "ccmp", "locl", "rlig", "mark", "mkmk", "init", "medi", "fina", "isol", "curs", "nukt", "akhn", "rphf", "rkrf",
    "pref", "blwf", "half", "abvf", "pstf", "cjct", "vatu", "pres", "blws", "abvs", "psts", "haln", "calt",
    "abvm", "blwm", "dist", "ljmo", "vjmo", "tjmo",
]  # fmt: skip
"""What a script needs to be written right, and nothing that is taste."""
PLACEHOLDER: Final = 0x25A1
LATIN: Final = (*range(0x20, 0x180), *range(0x2000, 0x2070), 0x20AC, 0x2122, 0x2192, 0x2212, 0x2248, 0x2264, 0x2265,
                0x2206, 0x394, 0x2713, PLACEHOLDER)  # fmt: skip
HINTING: Final = ("cvt ", "fpgm", "prep", "cvar")
FIXED_TIME: Final = 3786912000  # 2024-01-01 in seconds since 1904: a build holds no clock


@dataclass(frozen=True)
class Face:
    """One static font: where it comes from and what it is called."""

    family: str
    weight: int
    source: str
    width: float | None

    @property
    def style(self) -> str:
        """The weight in words, as font menus show it."""
        return {400: "Regular", 600: "SemiBold"}[self.weight]

    @property
    def file_name(self) -> str:
        """PostScript name, which is the file's name too."""
        return f"{self.family.replace(' ', '')}-{self.style}"


FACES: Final = (
    Face("Trisect Sans", 400, SANS, 100),
    Face("Trisect Sans", 600, SANS, 100),
    Face("Trisect Sans Condensed", 400, SANS, 82),
    Face("Trisect Sans Condensed", 600, SANS, 82),
    Face("Trisect Serif", 600, SERIF, None),
)


def _instance(face: Face, sources: Path) -> TTFont:
    font = TTFont(sources / face.source, recalcTimestamp=False)
    if face.width is None:
        return font
    return instantiateVariableFont(font, {"wght": face.weight, "wdth": face.width}, inplace=True)


def _rename(font: TTFont, face: Face, script: str = "") -> None:
    kept = {record.nameID: str(record) for record in font["name"].names if record.nameID in {0, 13, 14}}
    font["name"].names = []
    own = {
        **kept,
        1: f"{face.family} {face.style}" if face.weight != 400 else face.family,  # noqa: PLR2004 - regular
        2: "Regular",
        3: f"{face.file_name}{script}",
        4: f"{face.family} {face.style} {script}".strip(),
        5: f"Version 1.000; an instance of {'Noto' if script else 'IBM Plex'}",
        6: f"{face.file_name}{script}",
        16: face.family,
        17: face.style,
    }
    for name_id, value in own.items():
        font["name"].setName(value, name_id, 3, 1, 0x409)
    font["OS/2"].usWeightClass = face.weight
    font["OS/2"].usWidthClass = 5 if face.width in (None, 100) else 3
    font["head"].created = font["head"].modified = FIXED_TIME


def _add_placeholder(font: TTFont) -> None:
    """Draws □, which stands for a sign that the fonts do not have; Plex has none of its own."""
    pen = TTGlyphPen(None)
    for ring in (((60, 0), (60, 620), (540, 620), (540, 0)), ((110, 50), (490, 50), (490, 570), (110, 570))):
        pen.moveTo(ring[0])
        for point in ring[1:]:
            pen.lineTo(point)
        pen.closePath()
    font.setGlyphOrder([*font.getGlyphOrder(), "uni25A1"])
    font["glyf"].glyphs["uni25A1"] = pen.glyph()
    font["glyf"].glyphOrder = font.getGlyphOrder()
    font["hmtx"].metrics["uni25A1"] = (600, 60)
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[PLACEHOLDER] = "uni25A1"


def _without_hinting(font: TTFont) -> None:
    for table in (*HINTING, "DSIG", "STAT"):
        if table in font:
            del font[table]
    for name in font.getGlyphOrder():
        font["glyf"][name].removeHinting()


def _subset(font: TTFont) -> None:
    options = Options(layout_features=["kern", "mark", "mkmk", "ccmp"], notdef_outline=True, name_IDs=["*"])
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=LATIN)
    subsetter.subset(font)


def _advances(font: TTFont) -> dict[str, int]:
    widths = font["hmtx"].metrics
    return {f"{code:x}": widths[glyph][0] for code, glyph in sorted(font.getBestCmap().items())}


def _is_standard(script: str, code: int) -> bool:
    """Whether a sign belongs to what is kept of a script: all of it but for the large ones."""
    for encoding, highest in STANDARDS.get(script, ()):
        with suppress(UnicodeEncodeError):
            encoded = chr(code).encode(encoding)
            if len(encoded) == 2 and encoded[0] <= highest:  # noqa: PLR2004 - longer ones are supplements
                return True
    return script not in STANDARDS


def _fallback(sources: Path, target: Path, covered_signs: set[int]) -> dict[str, dict[str, int]]:
    """Writes a WOFF2 for each script with the signs that are in no font before it.

    Returns:
        The widths of the signs by file name; that of a sign is the same in every weight.
    """
    widths: dict[str, dict[str, int]] = {}
    for script, source in SCRIPTS.items():
        font = TTFont(sources / source, recalcTimestamp=False)
        if "fvar" in font:
            font = instantiateVariableFont(font, {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes}
                                           | {"wght": 400}, inplace=True)  # fmt: skip
        kept = {code for code in font.getBestCmap() if code not in covered_signs and _is_standard(script, code)}
        options = Options(layout_features=SHAPING, notdef_outline=True, hinting=False, desubroutinize=True)
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=kept | BLANKS)
        subsetter.subset(font)
        face = Face(FALLBACK, 400, source, None)
        _rename(font, face, script)
        for table in ("DSIG", "STAT", "vhea", "vmtx", "VORG", "BASE", "GDEF" if script in STANDARDS else "DSIG"):
            if table in font:
                del font[table]
        scale = font["head"].unitsPerEm / 1000
        widths[f"{face.file_name}-{script}"] = {
            f"{code:x}": round(font["hmtx"].metrics[glyph][0] / scale)
            for code, glyph in sorted(font.getBestCmap().items())
            if code not in BLANKS
        }
        covered_signs |= kept
        font.flavor = "woff2"
        font.save(target / f"{face.file_name}-{script}.woff2")
    return widths


def _runs(widths: dict[str, int]) -> list[list[int]]:
    """Signs one after the other with one width, as first, last and width: thousands of them are as wide as high."""
    runs: list[list[int]] = []
    for code, width in ((int(code, 16), width) for code, width in widths.items()):
        if runs and runs[-1][1] == code - 1 and runs[-1][2] == width:
            runs[-1][1] = code
        else:
            runs.append([code, code, width])
    return runs


def build(sources: Path, target: Path) -> None:
    """Writes each face as TTF (whole) and WOFF2 (Latin), the scripts behind them, all widths, and the licences."""
    metrics = {}
    for face in FACES:
        font = _instance(face, sources)
        _rename(font, face)
        _add_placeholder(font)
        _without_hinting(font)
        font.save(target / f"{face.file_name}.ttf")
        metrics[f"{face.family} {face.weight}"] = _advances(font)
        latin = TTFont(target / f"{face.file_name}.ttf", recalcTimestamp=False)
        _subset(latin)
        latin.flavor = "woff2"
        latin.save(target / f"{face.file_name}.woff2")
    (target / "metrics.json").write_text(json.dumps(metrics, separators=(",", ":")) + "\n", encoding="utf-8")
    everywhere = set.intersection(*({int(code, 16) for code in widths} for widths in metrics.values()))
    fallback = {name: _runs(widths) for name, widths in _fallback(sources, target, everywhere).items()}
    (target / "fallback.json").write_text(json.dumps(fallback, separators=(",", ":")) + "\n", encoding="utf-8")
    for name, licence in LICENCES.items():
        shutil.copyfile(sources / licence, target / name)


if __name__ == "__main__":
    build(Path(sys.argv[1]), HERE)
