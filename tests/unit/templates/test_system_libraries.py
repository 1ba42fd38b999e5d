"""The libraries that draw the PDF: each is opened by itself, and one that is missing is an error with its package."""

from __future__ import annotations

import pytest

from templates.typesetting import system_libraries
from templates.typesetting.system_libraries import Library, MissingLibraryError, missing, require, versions

ABSENT = Library("HarfBuzz-Subset", ("libno-such-library.so.0",), "libharfbuzz-subset0")


def test_this_machine_has_every_library_and_says_their_versions() -> None:
    assert missing() == []
    assert set(versions()) == {"pango", "harfbuzz", "fontconfig"}
    assert all(version[0].isdigit() and "." in version for version in versions().values())


def test_a_library_that_is_missing_is_named_with_its_package_before_anything_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(system_libraries, "LIBRARIES", (*system_libraries.LIBRARIES, ABSENT))

    with pytest.raises(MissingLibraryError, match=r"needs HarfBuzz-Subset.* install .*libharfbuzz-subset0"):
        require()
