"""The table of the truth test as the documents show it.

Run: python -m bench.truth_table [companies] [document]; with a document it is written between the two marks there.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from pathlib import Path
from typing import Final

from bench.companies import KINDS
from bench.truth import Verdict, judge, share, summary

MARKS: Final = ("<!-- truth table -->\n", "<!-- end of the truth table -->\n")
WORDS: Final = {
    "grown": "demand that grows, fleet that follows",
    "declining": "demand that falls by 8 to 25 % a month",
    "student": "a student that was evaluated",
    "unasked": "a model that nobody asks for",
    "idle": "idle GPUs billed by the hour",
    "launch": "idle GPUs that a launch will need",
    "owned": "idle GPUs that were bought",
    "contract": "a pool under contract for years",
    "mute": "a model whose telemetry was never delivered",
    "three": "a pool of three contracts and an on-demand part",
}


def table(verdicts: list[Verdict]) -> str:
    """Every figure as Markdown."""
    return f"{_promises(verdicts)}\n{_kinds(verdicts)}"


def _promises(verdicts: list[Verdict]) -> str:
    said = summary(verdicts)
    rows = (
        ("companies", "companies", ""),
        ("clear", "clear cases; the best answer, or one within 10 % of it, was given in", "right_when_clear"),
        (
            "clear",
            "of the same; what was asked for, size and all, was worth at least 90 % of the best in",
            "near_when_clear",
        ),
        (
            "adversarial",
            "clear cases of the adversarial mix; the best answer, or one within 10 % of it, in",
            "right_when_adversarial",
        ),
        ("adversarial", "of the same; worth at least 90 % of the best in", "near_when_adversarial"),
        ("alternatives", "valued alternatives; the true net present value lay within P10–P90 in", "covered"),
        ("recommended", "cards that were asked for; what came lay below their P10 in", "below"),
    )
    lines = [
        f"| {said[count]:,.0f} | {words}{f' **{_percent(said[name])}**' if name else ''} |"
        for count, words, name in rows
    ]
    lines.append(
        f"| | regret of all answers against the best of each, of what the best is worth **{said['regret']:.1%}** |"
    )
    return "\n".join(["| | |", "|--:|---|", *lines, ""])


def _kinds(verdicts: list[Verdict]) -> str:
    """Of each kind of company: how often the answer was right where one is clear, and what was answered."""
    lines = []
    for kind in KINDS:
        own = [verdict for verdict in verdicts if verdict.kind == kind and verdict.is_clear]
        answers = Counter(verdict.chosen for verdict in own)
        words = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(answers.items())) or "–"
        lines.append(f"| {WORDS[kind]} | {len(own)} | {_percent(share(one.is_right for one in own))} | {words} |")
    head = ["| company | clear cases | right | answers |", "|---|--:|--:|---|"]
    return "\n".join([*head, *lines, ""])


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1%}"


def written(text: str, rows: str) -> str:
    """The document with the table between its marks."""
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return before + MARKS[0] + rows + MARKS[1] + after


def main() -> None:
    """Print the table, or write it into the document."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    rows = table([judge(seed) for seed in range(count)])
    if len(sys.argv) > 2:
        document = Path(sys.argv[2])
        document.write_text(written(document.read_text(encoding="utf-8"), rows), encoding="utf-8")
    else:
        print(rows)


if __name__ == "__main__":
    main()
