"""Draws what a soak measured as one SVG: memory, seconds of the processor and the size of each store, night by night.

python -m bench.soak_plot SOAK.CSV SOAK.SVG
"""

from __future__ import annotations

import csv
import sys
from html import escape
from pathlib import Path

WIDTH, HEIGHT, LEFT, GAP = 640, 90, 150, 26
PANELS = {
    "seconds": "processor, s",
    "memory_mb": "memory, MB",
    "open_files": "open files",
    "warehouse_mb": "warehouse, MB",
    "dagster_mb": "Dagster's store, MB",
    "published_mb": "published, MB",
    "landed_mb": "landed, MB",
}


def panel(rows: list[dict[str, str]], column: str, title: str, top: int) -> str:
    """One measure over the nights, from zero up; nights of the command are dots."""
    values = [float(row[column]) for row in rows]
    most = max(values) or 1.0
    step = (WIDTH - LEFT - 60) / max(1, len(values) - 1)
    points = [(LEFT + n * step, top + HEIGHT - HEIGHT * value / most) for n, value in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>'
        for (x, y), row in zip(points, rows, strict=True)
        if row["form"] == "command"
    )
    return (
        f'<text x="0" y="{top + HEIGHT / 2:.0f}">{escape(title)}</text>'
        f'<text x="{LEFT - 8}" y="{top + 10}" text-anchor="end">{most:.4g}</text>'
        f'<text x="{LEFT - 8}" y="{top + HEIGHT}" text-anchor="end">0</text>'
        f'<path d="M{LEFT},{top} V{top + HEIGHT} H{WIDTH - 60}" fill="none" stroke="#bbb"/>'
        f'<polyline points="{line}" fill="none" stroke="#1f4e79"/><g fill="#c0504d">{dots}</g>'
    )


def main(source: Path, target: Path) -> None:
    """Read, draw, write."""
    with source.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    panels = [
        panel(rows, name, title, 10 + n * (HEIGHT + GAP)) for n, (name, title) in enumerate(PANELS.items()) if rows
    ]
    height = 30 + len(panels) * (HEIGHT + GAP)
    caption = f"{len(rows)} nights, {rows[0]['night']} to {rows[-1]['night']}; dots: nights of the command"
    target.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="11">{"".join(panels)}<text x="{LEFT}" y="{height - 6}">{caption}</text></svg>\n'
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
