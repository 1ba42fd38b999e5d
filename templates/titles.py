"""The message of a page in two lines: the longest of its templates that fits, whatever its numbers and names."""

from __future__ import annotations

from typing import Final

from templates import formats
from templates.pages.night import Night
from templates.typesetting.line_count import shortened
from templates.typesetting.title_lines import LIMIT, fits
from templates.wording import unmarked

NAME_LIMITS: Final = (24, 18, 14, 10, 7)
SHORTER: Final = (0, 1, 2)


def titled(night: Night, kind: str, value: object, verdict: tuple[str, str]) -> str:
    """The title by the code of the night: the whole message with names as long as they fit, else a shorter one.

    A name is cut down to 14 characters before a clause goes: a clause says more than a name in full. Where not even the
    shortest message fits, its first whole words stand.
    """
    code, detail = verdict

    def written(limit: int, short: int) -> str:
        title = night.say("titles", kind, value, code, detail, limit, short)
        return title.replace(night.month, night.month.replace(" ", formats.NBSP))

    limits = (NAME_LIMITS[:3], NAME_LIMITS[:3], NAME_LIMITS)
    attempts = [(limit, short) for short in SHORTER for limit in limits[short]]
    for limit, short in attempts:
        title = written(limit, short)
        if fits(unmarked(title)):
            return title
    cut = LIMIT
    title = unmarked(written(NAME_LIMITS[-1], SHORTER[-1]))
    while cut > 1 and not fits(shortened(title, cut)):
        cut -= 5
    return shortened(title, cut)
