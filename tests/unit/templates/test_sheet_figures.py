"""The words in the figures of a model sheet stay inside the figure and off each other."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.figures import balance_curve, cash, cost_area, iso_loss, life_bars, task_bars
from templates.typesetting.typeface import text_width

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


@given(place=st.integers(0, 10), jump=st.floats(0.0, 5.0))
def test_the_words_of_an_event_stand_over_the_areas(place: int, jump: float) -> None:
    sums = [(0.5 + month / 11 + (jump if month > place else 0.0), 0.1, 0.1) for month in range(12)]
    event = cost_area.Event(place, "serving passed pre-training")

    drawn = cost_area.cost_area(["Jan 26"] * 12, sums, ["a", "b", "c"], "$1.69M", [event], "alt")

    left, right, y = boxes(drawn)[event.words]
    corners = [tuple(map(float, at.split(","))) for at in re.findall(r'<polygon points="([^"]+)"', drawn)[2].split()]
    roof = [height for x, height in steps(corners[:12]) if left <= x <= right]
    assert y <= min(roof) or y <= cost_area.TOP + 10  # it must stay on the paper


@given(left=st.floats(1.0, 36.0), carried=st.floats(0.0, 2.0))
def test_the_balance_runs_to_what_is_left_on_the_day_of_retirement(left: float, carried: float) -> None:
    runoff = balance_curve.Runoff(carried, carried, carried, left)
    words = ["$2.00M to carry", "retires Mar 27", ""]

    drawn = balance_curve.balance_curve(["Oct 26", "Nov 26"], [2.0, 2.0], [0.0, 0.0], runoff, words, "alt")

    dashed = re.search(r'<polyline points="([^"]+)"[^>]*stroke-dasharray', drawn)
    x, y = map(float, dashed[1].split()[-1].split(","))
    floor, two = (next(box[2] - 2.3 for text, box in boxes(drawn).items() if text == tick) for tick in ("0", "2"))
    assert y == pytest.approx(floor + (two - floor) * max(2.0 - carried * left, 0.0) / 2.0, abs=0.02)
    assert x == pytest.approx(balance_curve.END)


def size_point(size: float, training: float, serving: float, point: str = "curve") -> iso_loss.SizePoint:
    return iso_loss.SizePoint(size, training, serving, training + serving, point, is_extrapolated=False)


def test_a_size_that_costs_many_times_the_optimum_does_not_flatten_the_others() -> None:
    # the dearer of now and the optimum costs 12 + 3 = 15, and 2.2 times that is 33: 90 is left out, 30 stays
    points = [size_point(1e9, 88.0, 2.0), size_point(5e9, 6.0, 4.0, "optimum"), size_point(2e10, 12.0, 3.0, "now"),
              size_point(4e10, 18.0, 12.0), size_point(6e10, 20.0, 13.0)]  # fmt: skip

    assert [point.total for point in iso_loss.near(points)] == [10.0, 15.0, 30.0, 33.0]


@given(now=st.floats(0.05, 0.95), best=st.floats(0.05, 0.95))
def test_every_word_beside_the_curves_stays_inside_the_panel(now: float, best: float) -> None:
    places = sorted({0.0, 1.0, now, best})
    marks = {best: "optimum", now: "now"}
    points = [size_point(10.0 ** (9 + 2 * at), 5 - 3 * at, 1 + 5 * at, marks.get(at, "curve")) for at in places]
    band = iso_loss.OptimumBand(points[0].params, points[-1].params, ("optimum 3.3 B", "now 34 B", "−55 %"))

    said = boxes(iso_loss.iso_loss(points, band, [(points[0].params, "1 B")], "alt"))

    for words in ("now 34 B", "total", "training", "serving"):
        if words in said:
            assert said[words][0] >= 0
            assert said[words][1] <= 244


@given(month=st.integers(2, 24), depth=st.floats(0.1, 5.0), end=st.floats(0.1, 5.0))
def test_the_month_of_payback_is_named_where_no_curve_runs(month: int, depth: float, end: float) -> None:
    curve = [cash.CashMonth(place, median * 1.2, median, median * 0.8)
             for place, median in ((0, -depth), (month, 0.0), (25, end))]  # fmt: skip
    drawn = cash.cash_curve(curve, ("+$9.99M P90", "+$9.99M median", "+$9.99M P10"), float(month), "#000000", "alt")
    line = [tuple(map(float, at.split(","))) for at in re.search(r'<polyline points="([^"]+)"', drawn)[1].split()]

    for words, (left, right, y) in boxes(drawn).items():
        if "month" in words:
            inside = [at[1] for at in steps(line) if left <= at[0] <= right]
            assert not any(y - 6.8 < height < y + 1.5 for height in inside)


def steps(line: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Many points on a broken line."""
    return [
        (a[0] + (b[0] - a[0]) * part / 50, a[1] + (b[1] - a[1]) * part / 50)
        for a, b in pairwise(line)
        for part in range(51)
    ]


def test_a_payback_near_the_right_edge_is_named_on_the_free_side() -> None:
    curve = [cash.CashMonth(0, -1.0, -1.0, -1.0), cash.CashMonth(11, 0.2, 0.0, -0.2), cash.CashMonth(12, 0.3, 0.1, 0.0)]

    said = boxes(cash.cash_curve(curve, ("a", "b", "c"), 11.0, "#000000", "alt"))

    assert said["pays back in month 11"][1] < cash.RIGHT


def test_a_short_list_of_tasks_has_wider_rows_and_no_empty_foot() -> None:
    bar = task_bars.TaskBar("triage", 0.5, "50 %", "not evaluated", is_passed=False, is_rest=False)

    # two rows of at most 26 points, 4 above and 2 below: 58; six rows share 122: 122 / 6 * 6 + 6 = 128
    assert 'height="58pt"' in task_bars.task_bars([bar] * 2, "alt")
    assert 'height="128pt"' in task_bars.task_bars([bar] * 6, "alt")
