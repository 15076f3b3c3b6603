# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of figures, ours above those that others published, as text, markdown or JSON."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from backend.training.errors import ConfigError

PEERS = Path(__file__).with_name("peers.toml")
BLANK = "–"


@dataclass(frozen=True)
class Row:
    """One system, subject or setting."""

    name: str
    figures: dict[str, float]
    """By column, not yet divided by the column's unit."""


@dataclass(frozen=True)
class Table:
    """Rows whose figures may be compared."""

    title: str
    units: dict[str, float]
    """Columns in their order, and the power of ten that a figure is divided by."""
    rows: tuple[Row, ...]
    source: str = ""
    notes: tuple[str, ...] = ()


def of(title: str, figures: Mapping[str, Mapping[str, float]]) -> Table:
    """A table of our own figures by row and column; units are the powers of ten that make them short."""
    rows = tuple(Row(name, dict(row)) for name, row in figures.items())
    columns = dict.fromkeys(column for row in rows for column in row.figures)
    return Table(title, {column: _unit([row.figures.get(column, 0.0) for row in rows]) for column in columns}, rows)


def published(name: str) -> Table:
    """The table of `peers.toml` under a name; ConfigError with all names for an unknown one."""
    tables = _peers()
    if name not in tables:
        raise ConfigError(f"Nothing is published for {name!r}; there are tables for {', '.join(tables)}.")
    return tables[name]


def published_for(layout: str, space: str, split: str) -> Table | None:
    """What was published for a split of a data set as a layout reads it, if anything."""
    data = {"layout": layout, "space": space, "split": split}
    names = [name for name, entry in _plain_peers().items() if data in entry.get("measured_on", ())]
    return published(names[0]) if names else None


def beside_peers(figures: Mapping[str, Mapping[str, float]], peers: Table) -> Table:
    """Our rows above published ones, in their units; our columns come first."""
    ours = of(peers.title, figures)
    return replace(peers, units=ours.units | peers.units, rows=ours.rows + peers.rows)


def as_text(table: Table) -> str:
    """For a terminal: aligned columns."""
    lines = _lines(table)
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    justified = [[line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in lines]
    aligned = ["  ".join(line) for line in justified]
    return "\n".join([table.title, *aligned, *_remarks(table)])


def as_markdown(table: Table) -> str:
    """For documents."""
    heading, *rows = [f"| {' | '.join(line)} |" for line in _lines(table)]
    ruler = "|---" + "|---:" * len(table.units) + "|"
    return "\n".join([f"**{table.title}**", "", heading, ruler, *rows, *(f"\n{remark}" for remark in _remarks(table))])


def as_json(table: Table) -> str:
    """For programs: figures not divided by any unit."""
    rows = [{"name": row.name, **row.figures} for row in table.rows]
    about = {"title": table.title, "source": table.source, "notes": table.notes}
    return json.dumps({**about, "rows": rows}, indent=2, ensure_ascii=False)


@cache
def _plain_peers() -> dict[str, dict]:
    return tomllib.loads(PEERS.read_text(encoding="utf-8"))


def _peers() -> dict[str, Table]:
    return {name: _published(entry) for name, entry in _plain_peers().items()}


def _published(entry: dict) -> Table:
    units = {column: float(unit) for column, unit in entry["units"].items()}
    rows = tuple(
        Row(row["system"], {column: row[column] * unit for column, unit in units.items() if column in row})
        for row in entry["rows"]
    )
    return Table(entry["title"], units, rows, entry["source"], tuple(entry["notes"]))


def _unit(figures: list[float]) -> float:
    largest = max(map(abs, figures), default=0.0)
    return 10.0 ** math.floor(math.log10(largest)) if largest > 0 else 1.0


def _lines(table: Table) -> list[list[str]]:
    """The heading and every row as words."""
    exponents = {column: round(math.log10(unit)) for column, unit in table.units.items()}
    heading = [f"{column} ×1e{exponent}" if exponent else column for column, exponent in exponents.items()]
    rows = [[row.name, *(_cell(row, column, unit) for column, unit in table.units.items())] for row in table.rows]
    return [["", *heading], *rows]


def _cell(row: Row, column: str, unit: float) -> str:
    return f"{row.figures[column] / unit:.5g}" if column in row.figures else BLANK


def _remarks(table: Table) -> list[str]:
    source = [f"Published figures: {table.source}."] if table.source else []
    return source + [f"Note: {note}." for note in table.notes]
