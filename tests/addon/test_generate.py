# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole job through the operator, with a fake backend process: strip in, keys out."""

from __future__ import annotations

import bpy

from tests.addon.stage import add_character, add_strip, curves_of, tone


def test_keys_lie_on_the_frames_of_the_strip(addon, scene, use_fake, tmp_path):
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "click.wav", 2.0, (0.5, 1.25)), frame=37)
    head = add_character()

    assert bpy.ops.mouthpiece.generate() == {"FINISHED"}

    key = head.data.shape_keys
    action = key.animation_data.action
    assert action.name == "Mouthpiece line Head"
    curves = curves_of(action)
    assert sorted(curves) == ["eyeBlinkLeft", "jawOpen", "mouthClose"]
    assert [frame for frame, _ in curves["jawOpen"]] == list(range(37, 37 + 48))
    assert [frame for frame, value in curves["jawOpen"] if value > 0.5] == [37 + 12, 37 + 30]
