# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's own tests, inside the real application."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_addon_tests_pass_inside_blender(blender):
    packages = Path(pytest.__file__).parents[1]
    done = blender.run(
        "-b", "--factory-startup", "--python", HERE / "run_pytest.py", "--", packages, HERE.parent / "addon", "-q"
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
