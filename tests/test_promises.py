# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of promises names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TABLES = [
    [line for line in part.splitlines() if line.startswith("| ")][1:]
    for part in (ROOT / "docs" / "promises.md").read_text(encoding="utf-8").split("\n## ")
]
ROWS = [row for table in TABLES for row in table]


def test_all_fifteen_complaints_are_answered():
    complaints, accidents = TABLES
    assert len(complaints) == 15
    assert len(accidents) == 15


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip() for row in ROWS])
def test_the_tests_of_a_promise_are_there(row: str):
    named = re.findall(r"`(tests/[\w/.]+|test_\w+)`", row.split("|")[3])
    files = [ROOT / name for name in named if name.startswith("tests/")]
    assert files
    assert all(path.exists() for path in files)
    code = "".join(path.read_text(encoding="utf-8") for path in files if path.suffix == ".py")
    assert all(f"def {name}(" in code for name in named if name.startswith("test_"))
