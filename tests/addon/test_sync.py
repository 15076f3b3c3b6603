# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys lie where the sound is heard: Blender's own mixdown of the scene says where each click sounds."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_character, add_strip, curves_of, mixdown, strips_of, tone

CLICKS = (0.31, 0.77, 1.24, 1.69, 2.18, 2.63)
RATES = [(24, 1.0), (25, 1.0), (30, 1.001), (30, 1.0), (60, 1.0)]


def heard_frames(folder, last: int) -> list[float]:
    """The exact scene frames at which clicks begin to sound."""
    scene = bpy.context.scene
    samples, rate = mixdown(folder / "scene.wav", 1, last)
    loud = np.flatnonzero(np.abs(samples) > 0.4)
    begins = [loud[0], *loud[1:][np.diff(loud) > rate // 20]]
    return [1 + begin / rate * scene.render.fps / scene.render.fps_base for begin in begins]


def assert_in_time(character, folder, strip) -> None:
    """`strip`: what bounds the frames that are heard."""
    keys = curves_of(character.data.shape_keys.animation_data.action)["jawOpen"]
    assert [frame for frame, _ in keys] == list(range(int(strip.frame_final_start), int(strip.frame_final_end)))
    loud = [frame for frame, value in keys if value > 0.5]
    clicks = [frame for frame in loud if frame - 1 not in loud]
    heard = [frame for frame in heard_frames(folder, int(strip.frame_final_end) - 1) if frame <= keys[-1][0] + 0.5]
    assert len(heard) >= 3
    assert len(clicks) == len(heard)
    assert max(abs(click - sound) for click, sound in zip(clicks, heard, strict=True)) <= 0.5


@pytest.fixture(params=RATES, ids=lambda rate: f"{rate[0] / rate[1]:.5g} fps")
def line(request, scene, tmp_path):
    """A strip from frame 37 on, at each usual rate of a scene."""
    scene.render.fps, scene.render.fps_base = request.param
    return add_strip(scene, tone(tmp_path / "clicks.wav", 3.0, CLICKS), frame=37)


def test_plain_strip(line, use_fake, tmp_path):
    use_fake("clicks")
    head = add_character()
    bpy.ops.mouthpiece.generate()
    assert_in_time(head, tmp_path, line)


def test_trimmed_then_moved_and_generated_again(line, use_fake, tmp_path):
    use_fake("clicks")
    head = add_character()
    line.frame_offset_start, line.frame_offset_end = 11, 9
    bpy.ops.mouthpiece.generate()
    assert_in_time(head, tmp_path, line)

    line.frame_start += 23
    bpy.ops.mouthpiece.generate()
    assert_in_time(head, tmp_path, line)
    assert len(bpy.data.actions) == 1


def test_hard_trim_and_sound_offset(line, use_fake, tmp_path):
    use_fake("clicks")
    head = add_character()
    line.animation_offset_start = 5
    line.sound_offset = 0.2
    bpy.ops.mouthpiece.generate()
    assert_in_time(head, tmp_path, line)


def test_mixdown_of_a_strip_with_animated_volume(line, use_fake, tmp_path, addon):
    use_fake("clicks")
    head = add_character()
    line.frame_offset_start = 7
    line.keyframe_insert("volume", frame=1)
    assert isinstance(addon.audio.listen(bpy.context.scene, line), addon.audio.Mixdown)
    bpy.ops.mouthpiece.generate()
    assert_in_time(head, tmp_path, line)


def test_strip_inside_a_trimmed_meta_strip(line, use_fake, tmp_path, addon):
    use_fake("clicks")
    head = add_character()
    meta = strips_of(bpy.context.scene).new_meta("scene 12", 2, 37)
    line.move_to_meta(meta)
    meta.frame_final_end = line.frame_final_end - 6
    meta.frame_final_start = line.frame_final_start + 4
    assert isinstance(addon.audio.listen(bpy.context.scene, line), addon.audio.Mixdown)
    bpy.context.scene.mouthpiece.strip = line.name
    bpy.ops.mouthpiece.generate()
    assert_in_time(head, tmp_path, meta)
