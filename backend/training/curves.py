# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves: a picture of what a run has learned so far, drawn by matplotlib where that is installed (extra `plots`)."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = dict[str, Any]
"""One line of metrics.jsonl."""
INCHES, DOTS = (9.0, 3.2), 100


def read(path: Path) -> list[Row]:
    """The lines of a metrics.jsonl; a last one that is half written does not count."""
    rows: list[Row] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def draw(rows: Sequence[Row], picture: Path) -> None:
    """Draws losses and validation figures over the steps; nothing where matplotlib is missing or there is no row."""
    if not rows or importlib.util.find_spec("matplotlib") is None:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES, dpi=DOTS, layout="constrained")
    losses, figures = figure.subplots(1, 2)
    _lines(losses, rows, "losses", "loss (logarithmic)")
    losses.set_yscale("log")
    _lines(figures, rows, "figures", "validation")
    _mark_best(figures, rows)
    figure.savefig(picture)


def _lines(axes: Axes, rows: Sequence[Row], group: str, title: str) -> None:
    for name in _names([row[group] for row in rows]):
        points = [(row["step"], row[group][name]) for row in rows if name in row[group]]
        axes.plot(*zip(*points, strict=True), label=name, linewidth=1.2, marker="." if len(points) < 30 else "")
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(fontsize=7, frameon=False)


def _mark_best(axes: Axes, rows: Sequence[Row]) -> None:
    best = max(rows, key=lambda row: row["figures"]["score"])
    axes.axvline(best["step"], color="black", linewidth=0.8, linestyle=":", zorder=0)


def _names(tables: Sequence[dict[str, float]]) -> list[str]:
    """What changes while a run learns: not the score, whose parts are shown, and no numbers of clips."""
    names = dict.fromkeys(name for table in tables for name in table if name != "score")
    return [name for name in names if len(tables) == 1 or len({table.get(name) for table in tables}) > 1]
