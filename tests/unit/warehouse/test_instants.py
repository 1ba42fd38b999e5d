"""Times are ISO 8601 or counted, obey their offset, and never guess."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from warehouse.sources.casts.date_guard import starts_before
from warehouse.sources.casts.timestamps import Clock, in_order, instants, start_in_range, written_days

BERLIN = Clock(zone="Europe/Berlin")


def one(cell: str, clock: Clock = Clock()) -> tuple[datetime | None, str | None]:  # noqa: B008 - frozen
    cast = instants(pl.Series([cell]), clock)
    return cast.values[0], cast.reasons[0]


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20 10:00:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2023-11-13T10:00Z", datetime(2023, 11, 13, 10, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-10T01:30:00+02:00", datetime(2026, 11, 9, 23, 30, tzinfo=UTC)),
        ("2026-11-10T01:30:00+01:00", datetime(2026, 11, 10, 0, 30, tzinfo=UTC)),
        ("2026-11-10T01:30:00-0130", datetime(2026, 11, 10, 3, tzinfo=UTC)),
        ("2026-11-20T10:00:00.1234567Z", datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)),  # cut, not rounded
    ],
)
def test_an_iso_time_is_its_instant(cell: str, instant: datetime) -> None:
    assert one(cell) == (instant, None)


@pytest.mark.parametrize(
    "cell",
    [
        "03/04/2026",
        "2026-02-30T00:00:00Z",
        "2026-13-01",
        "0000-00-00",
        "0000-01-01",
        "0999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-05:00",  # a year of five digits in UTC
        "99999-01-01",
        "2026-11-10T01:30:60Z",
        "2026-11-20T24:00:00",
        "1714521600",
        "yesterday",
        "2026-11-20T10:00:00+25:00",
    ],
)
def test_what_is_no_iso_time_is_a_bad_date(cell: str) -> None:
    assert one(cell) == (None, "bad_date")


def test_a_time_without_an_offset_is_in_the_zone_of_its_source() -> None:
    assert one("2026-07-01T12:00:00", BERLIN) == (datetime(2026, 7, 1, 10, tzinfo=UTC), None)
    assert one("2026-07-01T12:00:00Z", BERLIN) == (datetime(2026, 7, 1, 12, tzinfo=UTC), None)


def test_a_local_time_that_occurs_twice_or_never_is_ambiguous() -> None:
    assert one("2026-10-25T02:30:00", BERLIN) == (None, "ambiguous_time")  # clocks go back at 3
    assert one("2026-03-29T02:30:00", BERLIN) == (None, "ambiguous_time")  # clocks go forward at 2
    assert one("2026-10-25T02:30:00+01:00", BERLIN) == (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), None)


def test_numbers_count_from_the_origin_in_their_unit() -> None:
    may = datetime(2024, 5, 1, tzinfo=UTC)
    assert one("1714521600", Clock(unit="s")) == (may, None)
    assert one("1714521600000.5", Clock(unit="ms")) == (may.replace(microsecond=500), None)
    assert one("1714521600000000999", Clock(unit="ns")) == (may, None)  # cut to microseconds
    assert one("90.5", Clock(unit="s", origin=may)) == (datetime(2024, 5, 1, 0, 1, 30, 500000, tzinfo=UTC), None)
    assert one("1e30", Clock(unit="s")) == (None, "bad_date")
    assert one("-9e10", Clock(unit="s")) == (None, "bad_date")  # some 2,850 years before 1970
    assert one("soon", Clock(unit="s")) == (None, "bad_date")


def test_a_period_is_named_by_the_day_that_is_written() -> None:
    days = written_days(pl.Series(["2026-11-01T00:00:00+01:00", "2026-11-01", "2026-11-31", "0000-01-01"]), BERLIN)
    assert days.values.to_list() == [date(2026, 11, 1), date(2026, 11, 1), None, None]
    assert days.reasons.to_list() == [None, None, "bad_date", "bad_date"]


def test_starts_lie_between_2015_and_three_days_after_the_night_began() -> None:
    night = date(2026, 11, 20)
    starts = [datetime(2014, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC)]
    starts += [datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)]
    reasons = start_in_range(pl.Series(starts), starts_before(night)).to_list()
    assert reasons == ["date_out_of_range", None, None, "date_out_of_range"]


@pytest.mark.parametrize(("run_on", "ahead"), [(20, 23), (21, 23), (22, 23), (23, 24), (29, 30)])
def test_the_later_a_night_is_run_the_more_days_are_over(run_on: int, ahead: int) -> None:
    # the night of the 20th: three days after its first moment, or the day after the run
    assert starts_before(date(2026, 11, 20), date(2026, 11, run_on)) == datetime(2026, 11, ahead, tzinfo=UTC)


def test_an_end_may_be_the_start_and_not_before_it() -> None:
    start = pl.Series([datetime(2026, 1, 2, tzinfo=UTC)] * 3)
    end = pl.Series([datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), None])
    assert in_order(start, end).to_list() == [None, "end_before_start", None]
