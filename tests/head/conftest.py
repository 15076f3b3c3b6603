# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped head, read once."""

import pytest

from demo.head import shipped


@pytest.fixture(scope="session")
def head() -> shipped.ShippedHead:
    return shipped.load()
