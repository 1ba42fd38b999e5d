"""The words in the figures of a model sheet stay inside the figure and off each other."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from templates.figures import cost_area, iso_loss, life_bars
from templates.typeface import text_width

TEXT = re.compile(
    r'<text x="([-\d.]+)" y="([-\d.]+)" [^>]*font-size="([\d.]+)" font-weight="(\d+)" text-anchor="(\w+)"[^>]*>([^<]+)<'
)
SHIFTS = {"start": 0.0, "middle": 0.5, "end": 1.0}
THIRDS = (1 / 3, 1 / 3, 1 / 3)


def boxes(drawn: str) -> dict[str, tuple[float, float, float]]:
    """Left and right end and baseline of every text."""
    found = {}
    for x, y, size, weight, anchor, words in TEXT.findall(drawn):
        width = text_width(words, float(size), weight=int(weight))
        left = float(x) - SHIFTS[anchor] * width
        found[words] = (left, left + width, float(y))
    return found


@given(inference=st.floats(0.0, 1.0), spread=st.floats(0.0, 0.2))
def test_the_words_at_retirement_stay_on_the_sheet(inference: float, spread: float) -> None:
    low, high = max(inference - spread, 0.0), min(inference + spread, 1.0)
    words = "inference 20 % (19 %–20 %)"
    today = life_bars.LifeBar(THIRDS, ("33 %", "33 %", "33 %"), "$1.00M")
    later = life_bars.Later(((1 - inference) / 2, (1 - inference) / 2, inference), low, high, words)

    left, right, _ = boxes(life_bars.life_bars(today, later, THIRDS, ("a", "b"), "alt"))[words]

    assert left >= 0
    assert right <= life_bars.WIDTH


@given(training=st.floats(0.001, 10.0), serving=st.floats(0.001, 10.0))
def test_training_and_serving_are_named_one_above_the_other(training: float, serving: float) -> None:
    points = [
        iso_loss.SizePoint(10.0**power, training, serving, training + serving, "", is_extrapolated=False)
        for power in range(9, 13)
    ]

    said = boxes(iso_loss.iso_loss(points, None, [(1e9, "1 B")], "alt"))

    assert abs(said["training"][2] - said["serving"][2]) >= 7.99


@given(place=st.integers(1, 11), last=st.floats(0.5, 1.0))
def test_an_event_near_the_end_leaves_the_total_readable(place: int, last: float) -> None:
    sums = [(month / 11 * last, month / 22, month / 44) for month in range(12)]
    event = cost_area.Event(place, "serving passed pre-training")

    said = boxes(cost_area.cost_area(["Jan 26"] * 12, sums, ["a", "b", "c"], "$1.69M", [event], "alt"))

    words, total = said[event.words], said["$1.69M"]
    overlaps = words[0] < total[1] and total[0] < words[1]
    assert not overlaps or abs(words[2] - total[2]) >= 6
