"""Every number that the invented company's report prints is a value of the night's tables, derived here a second time.

`printed/*.sql` has one script a page. A statement says what it expects: the rows of a table, cell by cell, where NULL
leaves a cell to the words; words that the page must print; words that it may print, as the months of an axis; or fixed
words. `printed/forms.sql` writes the printing rules a second time. The tables that are published are read as published.
"""

from __future__ import annotations

import inspect
import math
import re
import runpy
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import zip_longest
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import pytest

SCRIPTS = Path(__file__).parent / "printed"
RULES = runpy.run_path(str(SCRIPTS / "forms.py"))
FORMS = (
    "fixed", "money", "change", "span", "millions", "millions_more", "thousands", "thousands_more", "per_mtok",
    "percent", "whole", "whole_more", "chance", "points", "tokens", "two_digits", "months", "exact",
    "factor", "flop",
)  # fmt: skip
EXPORTS = ("thirds", "unit_costs", "amortization", "recommendations", "reconciliation")
NAMES = "January|February|March|April|May|June|July|August|September|October|November|December"
SHORT = "|".join(name[:3] for name in NAMES.split("|"))
NUMBER = re.compile(
    rf"\d{{4}}-\d\d-\d\d|\d\d:\d\d|\d+\.\d+\.\d+|(?:{NAMES}) \d{{4}}|(?:{SHORT}) \d\d\b"
    r"|\b(?:[Tt]wo|[Tt]hree|[Ff]our|[Ff]ive|[Ss]ix|[Ss]even|[Ee]ight|[Nn]ine)\b"
    r"|(?<![\w.#-])(?:<|[+−])?\$?\d+(?:,\d{3})*(?:\.\d+)?[kMBT]?(?!\w)"
    r"(?: (?:%|(?:[kBTM]|trillion|points|months?|days|models|years)\b))?"
)
BARE = re.compile(r"\d{4}-\d\d-\d\d|(?<![\w.#-])(?:<|[+−])?\$?\d+(?:,\d{3})*(?:\.\d+)?[kMBT]?(?!\w)")
TICK = re.compile(r"[+−]?(?!20\d\d$)\d[\d,]*(?:\.\d+)?")
BLOCKS = {"h1", "h2", "p", "dt", "dd", "li", "div", "title", "text", "th", "td", "span"}
Tables = list[tuple[str, list[list[str]]]]


@dataclass
class Page:
    """One page as printed: its tables with their headings, and every number outside them."""

    kind: str
    position: int
    tables: Tables
    numbers: set[str]


def pages_of(markup: str) -> list[Page]:
    return [page_of(article) for article in articles(markup)]


def articles(markup: str) -> list[str]:
    """The pages as XML, without references and the names of spaces."""
    plain = (
        re.sub(r'<(a|span) class="num"[^>]*>(.*?)</\1>', r"\2", markup).replace("\u00a0", " ").replace("&nbsp;", " ")
    )
    closed = re.sub(r"<(br|col)\b([^>]*)>", r" <\1\2/>", plain).replace(' xmlns="http://www.w3.org/2000/svg"', "")
    return re.findall(r"<article.*?</article>", closed, re.DOTALL)


def page_of(article: str) -> Page:
    page = ET.fromstring(article)  # noqa: S314 - our own report
    tables = list(tables_of(page))
    for part in page.iter():
        if part.tag == "svg":
            part.text = "\n"
        if part.tag == "text" and TICK.fullmatch(part.text or ""):
            part.text = ""
        if part.tag in BLOCKS - {"span"} or (part.tag == "span" and part.get("class") != "value"):
            part.tail = f"\n{part.tail or ''}"
    position = re.search(r"\d+", page.get("id", ""))
    return Page(
        page.get("class", "").split()[1],
        int(position[0]) if position else 0,
        tables,
        numbers_in("".join(page.itertext())),
    )


def tables_of(page: ET.Element) -> Iterator[tuple[str, list[list[str]]]]:
    """Each table under the heading before it; what was read leaves the page, its head stays."""
    heading = ""
    for part in page.iter():
        if part.tag == "h2":
            heading = said(part)
        if part.tag == "table":
            bodies = [body for body in part if body.tag in {"tbody", "tfoot"}]
            yield heading, [[said(cell) for cell in row] for body in bodies for row in body]
            for body in bodies:
                part.remove(body)


def said(part: ET.Element) -> str:
    return " ".join("".join(part.itertext()).split())


def numbers_in(words: str) -> set[str]:
    return {found.lower() for found in NUMBER.findall(words)}


@pytest.fixture(scope="module")
def tables(sample_night: Path) -> duckdb.DuckDBPyConnection:
    """The night's tables, a copy of those that are published as they were published, and the printing rules."""
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{sample_night / 'var' / 'warehouse.duckdb'}' AS night (READ_ONLY)")
    known = connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
    connection.execute("CREATE SCHEMA exports")
    for schema, table in known:
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        connection.execute(f'CREATE VIEW "{schema}"."{table}" AS SELECT * FROM night."{schema}"."{table}"')
        if table in EXPORTS:
            file = sample_night / "var" / "published" / "current" / f"{table}.csv"
            kinds = connection.sql(f"SELECT * FROM night.{schema}.{table} LIMIT 0")
            columns = dict(zip(kinds.columns, map(str, kinds.types), strict=True))
            connection.execute(f"CREATE TABLE exports.{table} AS SELECT * FROM read_csv('{file}', columns={columns})")
    for name in FORMS:
        connection.create_function(name, *signature(RULES[name]), null_handling="special")  # type: ignore[arg-type]
    connection.execute((SCRIPTS / "macros.sql").read_text("utf-8"))
    return connection


def signature(rule: Callable[..., str]) -> tuple[Callable[..., str], list[str], str]:
    """A rule as a function of the database: it takes what its arguments say, and returns words."""
    kinds = {"str": "VARCHAR", "int": "INTEGER", "float": "DOUBLE"}
    given = [str(one.annotation) for one in inspect.signature(rule).parameters.values()]
    return rule, [kinds[name.removesuffix(" | None")] for name in given], "VARCHAR"


def statements(kind: str) -> list[tuple[str, str, str]]:
    """Kind, subject and query of each statement of a page's script."""
    script = (SCRIPTS / f"{kind}.sql").read_text("utf-8")
    parts = re.split(r"^-- (words|may|fixed|table): (.*)$", script, flags=re.MULTILINE)[1:]
    return list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))


@dataclass
class Expected:
    """What a page's script says of it: the rows of its tables, numbers that it must print, and numbers that it may."""

    tables: Tables
    words: set[str]
    may: set[str]


def expected_of(page: Page, tables: duckdb.DuckDBPyConnection) -> Expected:
    found = tables.execute("SELECT model_id FROM reports.pages WHERE position = ?", [page.position]).fetchall()
    tables.execute(f"CREATE OR REPLACE MACRO model() AS '{found[0][0] if found else ''}'")
    expected = Expected([], set(), set())
    for kind, subject, query in statements(page.kind):
        rows = [[subject.replace("_", " ")]] if kind == "fixed" else tables.execute(query).fetchall()
        numbers = numbers_in("\n".join(str(value) for row in rows for value in row))
        if kind == "table":
            expected.tables.append((subject, rows))
        elif kind == "words":
            expected.words |= numbers
        else:
            expected.may |= numbers
    return expected


def faults(page: Page, expected: Expected) -> list[str]:
    """What the page prints otherwise than its script says, empty when they agree."""
    found, numbers = [], set(page.numbers)
    for (heading, printed), (subject, rows) in zip_longest(page.tables, expected.tables, fillvalue=("", [])):
        found += [] if heading.startswith(subject) else [f"table {heading!r} is printed, not {subject!r}"]
        found += differing(printed, rows)
        numbers |= unchecked(printed, rows)
    found += [f"{number!r} is in no table" for number in sorted(numbers - expected.words - expected.may)]
    return found + [f"{number!r} is not printed" for number in sorted(expected.words - numbers)]


def differing(printed: Sequence[Sequence[str]], rows: Sequence[Sequence[str | None]]) -> list[str]:
    """Cells that say something else than was expected of them."""
    counted = [] if len(printed) == len(rows) else [f"{len(printed)} rows are printed, not {len(rows)}"]
    pairs = [pair for cells, row in zip(printed, rows, strict=False) for pair in zip(cells, row, strict=False)]
    return counted + [f"{cell!r} is printed, not {value!r}" for cell, value in pairs if value not in {None, cell}]


def unchecked(printed: Sequence[Sequence[str]], rows: Sequence[Sequence[str | None]]) -> set[str]:
    """Numbers in cells of which nothing was expected."""
    pairs = [pair for cells, row in zip(printed, rows, strict=False) for pair in zip_longest(cells, row)]
    return numbers_in("\n".join(cell for cell, value in pairs if value is None and cell is not None))


@pytest.fixture(scope="module")
def markup(sample_night: Path) -> str:
    return (sample_night / "var" / "published" / "current" / "leadership.html").read_text("utf-8")


def test_every_number_of_every_page_is_a_value_of_the_nights_tables(
    markup: str, tables: duckdb.DuckDBPyConnection
) -> None:
    pages = pages_of(markup)
    assert len(pages) == 14
    found = {f"{page.kind} {page.position or ''}": faults(page, expected_of(page, tables)) for page in pages}
    assert {page: wrong for page, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("table", "change", "page"),
    [
        ("thirds", "posttraining_usd = posttraining_usd + 10000 WHERE model_id = 'wren-7b'", "thirds"),
        ("unit_costs", "output_tokens = output_tokens + 1000000000 WHERE model_id = 'osprey-1b'", "unit_costs"),
        ("amortization", "closing_usd = closing_usd + 10000 WHERE model_id = 'heron-16b'", "amortization"),
        (
            "recommendations",
            "next_year_saving_usd_p90 = next_year_saving_usd_p90 + 10000 WHERE rank = 4",
            "decisions",
        ),
        ("reconciliation", "billed_cost = billed_cost + 0.01 WHERE source = 'skerrow'", "reconciliation"),
    ],
)
def test_a_report_that_differs_from_an_export_in_one_cell_is_found(
    table: str, change: str, page: str, markup: str, tables: duckdb.DuckDBPyConnection
) -> None:
    printed = next(one for one in pages_of(markup) if one.kind == page)
    tables.begin()
    tables.execute(f"UPDATE exports.{table} SET {change}")
    expected = expected_of(printed, tables)
    tables.rollback()
    assert faults(printed, expected) != []
    assert faults(printed, expected_of(printed, tables)) == []


def test_a_changed_digit_is_found_unless_the_page_prints_the_other_number_as_well(
    markup: str, tables: duckdb.DuckDBPyConnection
) -> None:
    found, missed = 0, []
    for article in articles(markup):
        expected = expected_of(page_of(article), tables)
        for place in digits_of(article):
            changed = f"{article[:place]}{(int(article[place]) + 1) % 10}{article[place + 1 :]}"
            is_found = bool(faults(page_of(changed), expected))
            found += is_found
            missed += [] if is_found else [article[place - 40 : place + 20]]
    assert found > 1500
    assert len(missed) <= found // 100, missed


def digits_of(article: str) -> Iterator[int]:
    """Where a number begins that is neither part of a name nor a tick of an axis."""
    for text in re.finditer(r"<(/?\w+)[^<>]*>([^<]+)(?=<)", article):
        if text[1] != "text" or not TICK.fullmatch(text[2]):
            for number in NUMBER.finditer(article, text.start(2), text.end(2)):
                digit = re.search(r"\d", number[0])
                yield from [number.start() + digit.start()] if digit else []


def test_the_numbers_of_an_axis_stand_where_they_belong(markup: str) -> None:
    axes = [axis for article in articles(markup) for svg in svgs_of(article) for axis in axes_of(svg)]
    assert len(axes) > 30
    for axis in axes:
        assert is_scale(axis) or is_scale([(math.log(value), place) for value, place in axis if value > 0]), axis


def is_scale(axis: list[tuple[float, float]]) -> bool:
    """Whether equal steps of the numbers are equal steps on paper."""
    (first, start), (last, end) = axis[0], axis[-1]
    return all(
        place == pytest.approx(start + (end - start) * (value - first) / (last - first), abs=0.05)
        for value, place in axis
    )


def svgs_of(article: str) -> list[ET.Element]:
    return list(ET.fromstring(article).iter("svg"))  # noqa: S314 - our own report


def axes_of(figure: ET.Element) -> list[list[tuple[float, float]]]:
    """Three or more bare numbers in a row or in a column, each with its place on it."""
    ticks = [tick for tick in figure.iter("text") if TICK.fullmatch(tick.text or "")]
    found = []
    for same, other in (("x", "y"), ("y", "x")):
        for line in sorted({tick.get(same, "") for tick in ticks}):
            on = [tick for tick in ticks if tick.get(same) == line]
            found += [sorted((value_of(tick.text or ""), float(tick.get(other, "0"))) for tick in on)]
    return [axis for axis in found if len(axis) > 2 and axis[0][0] != axis[-1][0]]


def value_of(words: str) -> float:
    return float(words.replace("−", "-").replace(",", ""))


def test_the_pdf_prints_the_numbers_of_its_twin_and_no_others(markup: str, sample_night: Path) -> None:
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext is not installed: the text of the PDF is not compared with that of its twin")
    paper = sample_night / "var" / "published" / "current" / "leadership.pdf"
    ran = subprocess.run([reader, str(paper), "-"], capture_output=True, text=True, check=True)
    around = [
        *map(re.escape, re.findall(r'data-basis="([^"]*)"', markup)),
        rf"\b\d+\s+of\s+{ran.stdout.count(chr(12))}\b",
        *furniture(markup),
    ]
    on_paper = re.sub("|".join(around), "", ran.stdout.replace("-\n", "-"))
    on_screen = re.sub(r"<title>.*?</title>|<(?!/?b\b)[^>]*>", "\n", "".join(map(without_index, articles(markup))))
    assert Counter(BARE.findall(joined(on_paper))) == Counter(BARE.findall(joined(unescape(on_screen))))


def joined(text: str) -> str:
    """Numbers together with the letter of their thousands: the reader of the PDF sees some narrow spaces, some not."""
    return re.sub(r"(?<=\d)[ \u00a0\u202f](?=[TBMk]\b)", "", text)


def without_index(article: str) -> str:
    """A page as it stands on paper: the index of numbers and the inputs are on the screen only."""
    tables = r'<table class="(?:index|inputs)">.*?</table>|<p class="note">\d[\d,]* more files are listed.*?</p>'
    return re.sub(tables, "", article, flags=re.DOTALL)


def furniture(markup: str) -> list[str]:
    """What stands above and below every page."""
    found = re.findall(r'<div class="when">([^<]*?) *<|<footer class="colophon">(.*?)</footer>', markup)
    return [re.escape(words) for pair in found for words in pair if words]
