"""Each tutorial is run as a reader would run it, and what it says the month adds up to is what is published."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration import cli
from orchestration.settings import DAGSTER_VARIABLES, HOME_VARIABLE

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r'^```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE)
ROW = re.compile(r"^\| (.*) \|$", re.MULTILINE)
LEDGER = """
    SELECT account, coalesce(phase, ''), coalesce(model_id, ''), sum(effective_cost)
    FROM ledger.postings GROUP BY ALL HAVING sum(effective_cost) <> 0
"""
TOKENS = "SELECT model_id, sum(input_tokens + output_tokens) FROM staging.token_usage GROUP BY ALL"


@dataclass(frozen=True)
class Block:
    """A fenced block: a shell command, what is appended to a file, or lines that the command before it prints."""

    language: str
    title: str | None
    text: str


def blocks(page: str) -> list[Block]:
    return [Block(found["language"], found["title"], found["text"]) for found in BLOCK.finditer(page)]


def table(page: str, *header: str) -> Iterator[list[str]]:
    """The rows of the tables of the page whose header begins with these words."""
    for part in re.split(r"\n\n+", page):
        first, *rows = [[cell.strip() for cell in row.split("|")] for row in ROW.findall(part)] or [[]]
        if first[: len(header)] == list(header):
            yield from rows


class Reader:
    """Someone who does what a page says in a folder beside the documentation."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        (folder / "docs").symlink_to(DOCS)
        monkeypatch.chdir(folder)
        for name in (HOME_VARIABLE, *DAGSTER_VARIABLES):
            monkeypatch.setenv(name, "")  # so that what the command sets for Dagster ends with the test
        self.folder, self._capfd, self._monkeypatch = folder, capfd, monkeypatch

    def type(self, line: str) -> str:
        """What the command line says on both streams; `trisect` is run in this process, which has loaded it."""
        program, *words = shlex.split(line)
        if program == "trisect":
            self._monkeypatch.setattr("sys.argv", [program, *words])
            with pytest.raises(SystemExit) as left:
                cli.main()
            code = left.value.code
        else:
            code = subprocess.run(line, shell=True, cwd=self.folder, check=False).returncode  # noqa: S602 - the page says so
        said = "".join(self._capfd.readouterr())
        assert code == 0, said
        return said

    def follow(self, page: str) -> Path:
        """The project after all that the page says was done, its words held against what was printed."""
        said = ""
        for block in blocks(page):
            if block.language == "sh":
                said = "".join(self.type(line) for line in block.text.splitlines())
            elif block.title:
                with (self.folder / block.title).open("a", encoding="utf-8") as file:
                    file.write(f"\n{block.text}" if block.language == "toml" else block.text)
            else:
                for line in filter(lambda line: line.strip() not in {"", "…"}, block.text.splitlines()):
                    assert line in said, f"{line!r} is not in what the command says:\n{said}"
        return self.folder / "mycompany"


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Reader:
    """A reader in a folder of their own."""
    return Reader(tmp_path, monkeypatch, capfd)


def added_up(page: str) -> tuple[set[tuple[str, ...]], set[tuple[str, int]]]:
    """What the page says the ledger and the requests add up to."""
    money = {
        (account, phase, model, f"{Decimal(cost.replace(',', '')):.2f}")
        for account, phase, model, cost, _ in table(page, "account", "phase", "model", "US$")
    }
    tokens = {(model, int(count.replace(",", ""))) for model, count, _ in table(page, "tokens of", "tokens")}
    return money, tokens


@pytest.mark.parametrize("name", ["apis-only", "own-servers", "wandb-and-cloud", "owned-gpus"])
def test_a_tutorial_does_what_it_says_and_its_sums_are_those_of_the_ledger(name: str, reader: Reader) -> None:
    page = (DOCS / "tutorials" / f"{name}.md").read_text(encoding="utf-8")
    project = reader.follow(page)

    with duckdb.connect(str(project / "var/warehouse.duckdb"), read_only=True) as warehouse:
        posted = {(*names, f"{cost:.2f}") for *names, cost in warehouse.execute(LEDGER).fetchall()}
        served = set(warehouse.execute(TOKENS).fetchall())
    assert (posted, served) == added_up(page)


def test_the_first_bill_does_what_it_says_on_the_public_sample(shared: Path, reader: Reader) -> None:
    sample = next(shared.glob("**/focus_sample.csv"), None)
    if sample is None:
        pytest.skip("the FOCUS sample is not in the shared data")
    (reader.folder / "focus_sample.csv").symlink_to(sample)

    reader.follow((DOCS / "tutorials/first-bill.md").read_text(encoding="utf-8"))
