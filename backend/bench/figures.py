# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bench finds: named numbers with their goals, as a table, as JSON, and beside those of another run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


class BenchError(Exception):
    """Something that is measured does not run, or there is nothing to compare with."""


@dataclass(frozen=True)
class Figure:
    """One number."""

    name: str
    value: float | None
    """None: it was not measured, and the unit says why."""
    unit: str
    """``s``, ``MB``, ``x`` (a ratio), ``/s``, …"""
    at_most: float | None = None
    """The goal; None: there is none of this kind."""
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the goal is met, if there is one and it was measured."""
        if self.value is None:
            return True
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    @property
    def shown(self) -> str:
        """The value with its unit."""
        return self.unit if self.value is None else f"{_short(self.value)} {self.unit}"

    @property
    def goal(self) -> str:
        """The goal in words, and whether it is missed."""
        if self.at_most is None and self.at_least is None:
            return ""
        words = f"≤ {self.at_most:g}" if self.at_most is not None else f"≥ {self.at_least:g}"
        return words if self.holds else f"{words}: missed"


def as_json(figures: Sequence[Figure], machine: Mapping[str, str | int]) -> str:
    """A run as JSON text that `read` and other programs understand."""
    return json.dumps({"machine": dict(machine), "figures": [asdict(figure) for figure in figures]}, indent=1)


def read(path: Path) -> dict[str, float]:
    """The values of an earlier run by name. Raises `BenchError`."""
    try:
        return {figure.name: float(figure.value) for figure in read_all(path) if figure.value is not None}
    except (ValueError, TypeError) as error:
        raise BenchError(f"{path} is no result of bench --json.") from error


def read_all(path: Path) -> list[Figure]:
    """The figures of an earlier run. Raises `BenchError`."""
    try:
        return [Figure(**figure) for figure in json.loads(path.read_text("utf-8"))["figures"]]
    except OSError as error:
        raise BenchError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path} is no result of bench --json.") from error


def table(figures: Sequence[Figure], earlier: Mapping[str, float] | None = None) -> list[str]:
    """Lines of a Markdown table; with the values of an earlier run, how today's compare with them."""
    head = ["", "value", "goal"] + (["before", "now / before"] if earlier is not None else [])
    rows = [head, ["---"] * len(head)]
    for figure in figures:
        row = [figure.name, figure.shown, figure.goal]
        rows.append(row if earlier is None else row + _beside(figure, earlier))
    return [f"| {' | '.join(row)} |" for row in rows]


def _beside(figure: Figure, earlier: Mapping[str, float]) -> list[str]:
    before = earlier.get(figure.name)
    if not before or figure.value is None:
        return ["", ""]
    return [f"{_short(before)} {figure.unit}", f"{figure.value / before:.2f}"]


def _short(value: float) -> str:
    """Three digits, however large or small."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
