# SPDX-License-Identifier: GPL-3.0-or-later
"""The real extension in the real bpy, as the add-on's own tests have it, and a shot that would work."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import pytest

from tests.addon.conftest import addon, empty_file, scene, use_fake  # noqa: F401
from tests.addon.stage import add_character, add_strip, tone


@pytest.fixture
def shot(scene, tmp_path) -> bpy.types.Object:  # noqa: F811
    """A strip of one second and a character."""
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    return add_character()


@pytest.fixture
def choice(addon, shot) -> Callable[[], object]:  # noqa: F811
    """What the panel asks for."""
    return lambda: addon.interface.properties.choice(bpy.context)


@pytest.fixture
def snapshot(shot) -> Callable[[], dict[str, object]]:
    """Everything of the file that a lip sync could change."""

    def take() -> dict[str, object]:
        kinds = [name for name in dir(bpy.data) if isinstance(getattr(bpy.data, name), bpy.types.bpy_prop_collection)]
        held: dict[str, object] = {name: sorted(block.name for block in getattr(bpy.data, name)) for name in kinds}
        key = shot.data.shape_keys
        held["values"] = [(block.name, block.value, block.mute) for block in key.key_blocks]
        held["animation"] = [owner.animation_data and owner.animation_data.action for owner in (key, shot)]
        held["custom"] = [sorted(owner.keys()) for owner in (key, shot, bpy.context.scene)]
        return held

    return take
