# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's room for rigs."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.rigs import room


@pytest.fixture(scope="session")
def rig() -> Iterator[SimpleNamespace]:
    """Its modules by name."""
    yield room.enter()
    room.leave()
