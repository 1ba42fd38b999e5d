"""The table of the truth test as the documents show it.

Run: python -m bench.truth_table [companies] [document]; with a document it is written between the two marks there.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from pathlib import Path
from typing import Final

from bench.truth import Verdict, judge, share, summary

MARKS: Final = ("<!-- truth table -->\n", "<!-- end of the truth table -->\n")
ACTIONS: Final = ("retrain_smaller", "distil", "route", "tune_serving", "release_capacity", "retire")
KINDS: Final = ("hold", "moves", "retrain_smaller", "tune_serving", "release_capacity", "retire")
WORDS: Final = {"moves": "route or distil tasks"}


def table(verdicts: list[Verdict]) -> str:
    """Every figure as Markdown."""
    return f"{_promises(verdicts)}\n{_kinds(verdicts)}\n{_intervals(verdicts)}"


def _promises(verdicts: list[Verdict]) -> str:
    said = summary(verdicts)
    rows = (
        ("companies", "companies", ""),
        ("clear", "clear cases; the truly best answer was chosen in", "right_when_clear"),
        ("nothing_pays", "companies in which nothing pays; *hold* was the answer in", "held_when_nothing_pays"),
        ("alternatives", "valued alternatives; the true monthly saving lay within P10–P90", "covered"),
        (
            "measured",
            "of them with nothing left to evaluate; the true net present value lay within",
            "values_covered",
        ),
        ("recommended", "recommended ones; the true monthly saving lay within", "recommended_covered"),
    )
    lines = [
        f"| {said[count]:,.0f} | {words}{f' **{said[name]:.1%}**' if name else ''} |" for count, words, name in rows
    ]
    return "\n".join(["| | |", "|--:|---|", *lines, ""])


def _kinds(verdicts: list[Verdict]) -> str:
    """Of each kind of answer: how often it was clearly the best, how often it was chosen then, and what else was."""
    lines = []
    for kind in KINDS:
        chosen = Counter(verdict.chosen for verdict in verdicts if verdict.is_clear and verdict.best == kind)
        lines.append(_line(_word(kind), kind, chosen))
    tasks = [task for verdict in verdicts for task in verdict.tasks if task.is_clear]
    for action in ("route", "distil"):
        chosen = Counter(task.chosen for task in tasks if task.best == action)
        lines.append(_line(f"of the tasks that may move: {action}", action, chosen))
    head = ["| truly best | clear cases | chosen | share | instead |", "|---|--:|--:|--:|---|"]
    return "\n".join([*head, *lines, ""])


def _line(words: str, right: str, chosen: Counter[str]) -> str:
    """How often the right answer was given, and what else was."""
    total = sum(chosen.values())
    others = ", ".join(f"{_word(name)} {count}" for name, count in sorted(chosen.items()) if name != right)
    rate = _percent(chosen[right] / total if total else float("nan"))
    return f"| {words} | {total} | {chosen[right]} | {rate} | {others or '–'} |"


def _intervals(verdicts: list[Verdict]) -> str:
    """Of each action: how often the truth lay within P10–P90."""
    lines = []
    for action in ACTIONS:
        found = [one for verdict in verdicts for one in verdict.intervals if one.action == action]
        sure = [one.value_covered for one in found if one.is_measured]
        saving, value = _percent(share(one.saving_covered for one in found)), _percent(share(sure))
        lines.append(f"| {_word(action)} | {len(found)} | {saving} | {value} |")
    head = ["| action | alternatives | monthly saving within | net present value within |", "|---|--:|--:|--:|"]
    return "\n".join([*head, *lines, ""])


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1%}"


def _word(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))


def written(text: str, rows: str) -> str:
    """The document with the table between its marks."""
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return before + MARKS[0] + rows + MARKS[1] + after


def main() -> None:
    """Print the table, or write it into the document."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rows = table([judge(seed) for seed in range(count)])
    if len(sys.argv) > 2:
        document = Path(sys.argv[2])
        document.write_text(written(document.read_text(encoding="utf-8"), rows), encoding="utf-8")
    else:
        print(rows)


if __name__ == "__main__":
    main()
