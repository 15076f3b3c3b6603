# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on loads while Blender starts: little of its own, and nothing of Python's library."""

from __future__ import annotations

from pathlib import Path

from demo import startup

OURS = "bl_ext."


def test_python_s_library_waits_until_it_is_used(blender, tmp_path: Path) -> None:
    seconds, modules = startup.started(blender.program, prepared(blender.program, tmp_path / "user"))
    assert not [name for name in modules if not name.startswith(OURS)]
    assert any(name.endswith(".blender_addon.runner") for name in modules), "the add-on was not started at all"
    assert 0 < seconds < 10


def prepared(program: str, home: Path) -> Path:
    startup.prepare(program, home)
    return home
