# SPDX-License-Identifier: GPL-3.0-or-later
"""How near the taught model comes to the animator on lines that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from .animator import SLIDERS
from .lines import STRANGER, Line

GROUPS = ("voices it was taught with", "a voice it never heard")


@dataclass(frozen=True)
class Figures:
    """Of one slider, or the mean over all, on some lines."""

    correlation: float
    error: float
    """Mean absolute difference to the animator's value."""
    mean_error: float
    """The same for a head that holds the mean pose of the taught lines."""
    rest_error: float
    """The same for a head that stays at rest."""


def measure(lines: Sequence[Line], poses: Mapping[str, np.ndarray], spoken: Mapping[str, np.ndarray]) -> dict:
    """Figures by group of lines and by slider; `all` has the mean of the sliders."""
    mean = np.concatenate([poses[line.name] for line in lines if line.is_taught]).mean(axis=0)
    table: dict[str, dict[str, Figures]] = {}
    for group, is_stranger in zip(GROUPS, (False, True), strict=True):
        names = [line.name for line in lines if not line.is_taught and (line.voice == STRANGER) == is_stranger]
        wanted, found = (np.concatenate([values[name] for name in names]) for values in (poses, spoken))
        rows = {name: _figures(wanted[:, n], found[:, n], mean[n]) for n, name in enumerate(SLIDERS)}
        table[group] = rows | {"all": _mean(list(rows.values()))}
    return table


def text(table: Mapping[str, Mapping[str, Figures]]) -> str:
    """The figures as a table for a terminal or a page in Markdown."""
    lines: list[str] = []
    for group, rows in table.items():
        lines += ["", f"| {group} | correlation | error | mean pose's error | rest's error |", "|---|---|---|---|---|"]
        for name, figures in rows.items():
            lines.append(f"| {name} | " + " | ".join(f"{number:.2f}" for number in astuple(figures)) + " |")
    return "\n".join(lines)


def _figures(wanted: np.ndarray, found: np.ndarray, mean: float) -> Figures:
    moves = wanted.std() > 1e-6 and found.std() > 1e-6
    correlation = float(np.corrcoef(wanted, found)[0, 1]) if moves else 0.0
    errors = (np.abs(wanted - other).mean() for other in (found, mean, 0.0))
    return Figures(correlation, *map(float, errors))


def _mean(rows: Sequence[Figures]) -> Figures:
    means = np.array([astuple(row) for row in rows]).mean(axis=0)
    return Figures(*means.tolist())
