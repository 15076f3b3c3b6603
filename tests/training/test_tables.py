# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of figures beside those of others."""

from __future__ import annotations

import json
import tomllib

import pytest

from backend.training.errors import ConfigError
from backend.training.motion import tables
from backend.training.motion.metrics import COLUMNS

OURS = {"ours": {"LVE": 4.2e-4, "MVE": 7.1e-3, "EVE": 9e-5}, "ours, small": {"LVE": 5e-4}}


def cells(table: str, row: str) -> list[str]:
    lines = (line.split("|") for line in table.splitlines())
    return next([cell.strip() for cell in line] for line in lines if len(line) > 1 and line[1].strip() == row)


def test_our_rows_stand_above_published_ones_in_their_units() -> None:
    table = tables.beside_peers(OURS, tables.published("biwi-test-a"))
    markdown = tables.as_markdown(table)
    heading = cells(markdown, "")
    assert heading[2:6] == ["LVE ×1e-4", "MVE ×1e-3", "EVE ×1e-5", "UFVE ×1e-3"]
    assert cells(markdown, "ours")[2:6] == ["4.2", "7.1", "9", tables.BLANK]
    assert cells(markdown, "CodeTalker")[2:6] == ["4.7914", "7.3784", tables.BLANK, "7.005"]
    names = [row.name for row in table.rows]
    assert names[:3] == ["ours", "ours, small", "FaceFormer"]
    assert "UniTalker (Fan et al., ECCV 2024)" in markdown
    assert len({line.count("|") for line in markdown.splitlines() if "|" in line}) == 1


def test_text_lines_up() -> None:
    lines = tables.as_text(tables.of("Title", {"a": {"LVE": 123.0}, "a longer name": {"LVE": 7.0}})).splitlines()
    assert lines[0] == "Title"
    assert lines[1].endswith("LVE ×1e2")
    assert {len(line) for line in lines[1:]} == {len("a longer name  LVE ×1e2")}
    assert lines[2].split() == ["a", "1.23"]


def test_json_holds_plain_numbers() -> None:
    rows = json.loads(tables.as_json(tables.beside_peers(OURS, tables.published("biwi-test-a"))))["rows"]
    assert rows[0] == {"name": "ours", "LVE": 4.2e-4, "MVE": 7.1e-3, "EVE": 9e-5}
    assert next(row for row in rows if row["name"] == "SelfTalk")["FDD"] == pytest.approx(3.5851e-5)


def test_every_published_figure_has_a_unit_and_a_source() -> None:
    names = tomllib.loads(tables.PEERS.read_text(encoding="utf-8"))
    assert {"biwi-test-a", "vocaset-unitalker", "3d-etf"} <= names.keys()
    for name in names:
        table = tables.published(name)
        assert table.source
        for row in table.rows:
            assert row.figures
            assert row.figures.keys() <= table.units.keys()
        assert table.units.keys() & set(COLUMNS)


def test_an_unknown_table_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="Nothing is published for 'beat'; there are tables for biwi-test-a, "):
        tables.published("beat")
