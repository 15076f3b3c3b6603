# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves: a picture of what a run has learned so far, drawn by matplotlib where that is installed (extra `plots`)."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = dict[str, Any]
"""One line of metrics.jsonl."""
WIDTH, HEIGHT, DOTS = 4.5, 3.2, 100
"""Of one panel in inches, and dots per inch."""
LARGEST_SHARE = 2.0


class Panel(NamedTuple):
    """What is drawn in one frame."""

    group: str
    """`losses` or `figures` of the rows."""
    title: str
    names: Sequence[str]


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

    panels = _panels(rows)
    figure = Figure(figsize=(WIDTH * len(panels), HEIGHT), dpi=DOTS, layout="constrained")
    best = max(rows, key=lambda row: row["figures"]["score"])["step"]
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _plot(axes, rows, panel)
        if panel.group == "figures":
            axes.axvline(best, color="black", linewidth=0.8, linestyle=":", zorder=0)
    figure.axes[0].set_yscale("log")
    figure.savefig(picture)


def _panels(rows: Sequence[Row]) -> list[Panel]:
    """Losses, shares and, where there are any, figures in larger units."""
    losses, figures = (_names([row[group] for row in rows]) for group in ("losses", "figures"))
    latest = rows[-1]["figures"]
    large = [name for name in figures if abs(latest.get(name, 0.0)) > LARGEST_SHARE]
    panels = [Panel("losses", "losses (logarithmic)", losses)]
    panels.append(Panel("figures", "validation", [name for name in figures if name not in large]))
    return [*panels, Panel("figures", "validation, in larger units", large)] if large else panels


def _plot(axes: Axes, rows: Sequence[Row], panel: Panel) -> None:
    for name in panel.names:
        points = [(row["step"], row[panel.group][name]) for row in rows if name in row[panel.group]]
        axes.plot(*zip(*points, strict=True), label=name, linewidth=1.2, marker="." if len(points) < 30 else "")
    axes.set_title(panel.title, fontsize=10)
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(fontsize=7, frameon=False)


def _names(tables: Sequence[dict[str, float]]) -> list[str]:
    """What changes while a run learns: not the score, whose parts are shown, and no numbers of clips."""
    names = dict.fromkeys(name for table in tables for name in table if name != "score")
    return [name for name in names if len(tables) == 1 or len({table.get(name) for table in tables}) > 1]
