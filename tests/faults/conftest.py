# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fault suite shares: how often faults are tried, and where the figures go.

`make test` tries each fault a few times; `make faults` (``--full --figures FOLDER``) as often as docs/reliability.md
promises, and `tools/reliability.py` makes the page's table of the figures. All chance is seeded.
"""

from __future__ import annotations

import json
import random
import re
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.figures import Row

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def times(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """How often to try: (a few times, as often as promised)."""
    full = request.config.getoption("--full")
    return lambda few, promised: promised if full else few


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """The same random numbers for a test in every run."""
    return random.Random(zlib.crc32(request.node.name.encode()))


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """Keep a row of the page's table: (fault, how often it was tried, what came of it). Lost where the test fails."""
    rows: list[Row] = []
    began = time.monotonic()
    test = request.path.relative_to(ROOT).as_posix()
    yield lambda fault, tried, outcome: rows.append(Row(fault, tried, outcome, test))
    folder = request.config.getoption("--figures")
    if folder is None or request.node.stash.get(FAILED, False):
        return
    folder = request.config.invocation_params.dir / folder  # a test may have gone elsewhere
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        name = re.sub(r"[^a-z0-9]+", "-", row.fault.lower()).strip("-")
        about = vars(row) | {"seconds": round(time.monotonic() - began, 1)}
        (folder / f"{name}.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report
