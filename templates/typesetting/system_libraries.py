"""The libraries of the system that WeasyPrint opens: which are missing, and which versions drew a PDF.

Run as a script it prints the Debian packages of what is missing, one a line, and exits with 1 if there is any. Each
library is opened by itself: WeasyPrint's own report does not open the one that subsets fonts, and writes other bytes
without it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from warehouse.errors import UnusableError


@dataclass(frozen=True)
class Library:
    """One library: what it is for, the names it has on Linux, macOS and Windows, and Debian's package of it."""

    name: str
    files: Sequence[str]
    package: str


LIBRARIES: Final = (
    Library("GObject", ("libgobject-2.0.so.0", "libgobject-2.0.0.dylib", "libgobject-2.0-0.dll"), "libglib2.0-0"),
    Library("Pango", ("libpango-1.0.so.0", "libpango-1.0.dylib", "libpango-1.0-0.dll"), "libpango-1.0-0"),
    Library("HarfBuzz", ("libharfbuzz.so.0", "libharfbuzz.0.dylib", "libharfbuzz-0.dll"), "libharfbuzz0b"),
    Library(
        "HarfBuzz-Subset",
        ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib", "libharfbuzz-subset-0.dll"),
        "libharfbuzz-subset0",
    ),
    Library("fontconfig", ("libfontconfig.so.1", "libfontconfig.1.dylib", "libfontconfig-1.dll"), "libfontconfig1"),
    Library(
        "PangoFT2", ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib", "libpangoft2-1.0-0.dll"), "libpangoft2-1.0-0"
    ),
)
"""What `weasyprint.text.ffi` opens; Pango's packages bring GObject, HarfBuzz and fontconfig with them."""


class MissingLibraryError(UnusableError):
    """A library is not there without which no PDF, or another one, would be drawn: which, and what to install."""


def missing() -> list[Library]:
    """The libraries that cannot be opened, in the order in which WeasyPrint asks for them."""
    return [library for library in LIBRARIES if _opened(library) is None]


def require() -> None:
    """Make sure that this machine draws what every other machine draws.

    Raises:
        MissingLibraryError: naming the libraries and the packages that hold them.
    """
    if absent := missing():
        names = ", ".join(library.name for library in absent)
        packages = " ".join(library.package for library in absent)
        raise MissingLibraryError(
            f"the PDF needs {names}, which this machine lacks; install the Debian packages {packages} "
            "(macOS: brew install pango), then run again"
        )


def renderer_versions() -> dict[str, str]:
    """Name -> version of what draws the PDF: the library, and those of the system it opens."""
    return {"weasyprint": version("weasyprint"), **versions()}


def versions() -> dict[str, str]:
    """Name -> version of each library that says one; what is missing says none."""
    pango, harfbuzz, fontconfig = (_opened(library) for library in LIBRARIES if library.name in _WITH_VERSION)
    version_by_library = {}
    asked = (("pango", pango, "pango_version_string"), ("harfbuzz", harfbuzz, "hb_version_string"))
    for name, library, function in asked:
        if library is not None:
            ask = getattr(library, function)
            ask.restype = ctypes.c_char_p
            version_by_library[name] = ask().decode("ascii")
    if fontconfig is not None:
        number = fontconfig.FcGetVersion()  # 21401 is 2.14.1
        version_by_library["fontconfig"] = f"{number // 10000}.{number // 100 % 100}.{number % 100}"
    return version_by_library


_WITH_VERSION: Final = ("Pango", "HarfBuzz", "fontconfig")


def _opened(library: Library) -> ctypes.CDLL | None:
    for file in library.files:
        try:
            return ctypes.CDLL(file)
        except OSError:
            continue
    return None


if __name__ == "__main__":
    absent = missing()
    sys.stdout.writelines(f"{library.package}\n" for library in absent)
    sys.exit(bool(absent))
