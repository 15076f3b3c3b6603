# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: the repository on the import path, and the options of the fault suite."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults", "the fault suite (tests/faults)")
    group.addoption("--full", action="store_true", help="as often as docs/reliability.md says, not just a few times")
    group.addoption("--figures", type=Path, metavar="FOLDER", help="write what was measured there, one JSON file a row")
