# SPDX-License-Identifier: GPL-3.0-or-later
"""A sound file that no strip plays, in the panel and beside it; and packed, animated strips inside meta strips."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_character, add_strip, curves_of, mixdown, samples_of, strips_of, tone

pytestmark = pytest.mark.skipif(
    not bpy.app.build_options.audaspace, reason="the index's module of Blender 4.2 comes without Audaspace"
)


@pytest.fixture
def voice(scene, tmp_path):
    return tone(tmp_path / "voice ä.wav", 2.0, (0.5, 1.5))


@pytest.fixture
def left_clean(scene):
    """Whatever is laid out to hear a file is taken away again."""
    yield
    assert len(bpy.data.scenes) == 1
    assert len(bpy.data.sounds) == len({strip.sound for strip in strips_of(scene)})


def test_file_is_spoken_from_a_frame_on(addon, scene, voice, left_clean):
    sound = addon.sound_file.listen(scene, str(voice), 101)
    assert (sound.source, sound.start, sound.first_frame, sound.last_frame) == (voice, 0.0, 101, 148)


def test_path_beside_the_blend_file(addon, scene, voice, left_clean, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert addon.sound_file.listen(scene, "//voice ä.wav", 1).source == voice


@pytest.mark.parametrize("first", [11, -20, -1])
def test_format_that_only_blender_reads(addon, scene, voice, tmp_path, first):
    add_strip(scene, voice, frame=1)
    scene.frame_start, scene.frame_end = 1, 48
    film = tmp_path / "film.ac3"
    bpy.ops.sound.mixdown(filepath=str(film), check_existing=False, container="AC3", codec="AC3", bitrate=192)
    heard = addon.sound_file.listen(scene, str(film), first)
    assert isinstance(heard, addon.audio.Mixdown)
    while isinstance(heard, addon.audio.Mixdown):
        heard = heard.advance() or heard
    samples, rate = samples_of(heard.read())
    loud = np.flatnonzero(np.abs(samples) > 0.3) / rate
    assert (heard.first_frame, loud[0]) == (first, pytest.approx(0.5, abs=0.03))
    assert len(bpy.data.scenes) == 1


@pytest.mark.parametrize("content", [b"", b"this is no sound at all" * 100])
def test_file_that_is_no_sound(addon, scene, tmp_path, content, left_clean):
    path = tmp_path / "voice.wav"
    path.write_bytes(content)
    with pytest.raises(addon.errors.BadInput, match=r"voice\.wav"):
        addon.sound_file.listen(scene, str(path), 1)


def test_missing_file(addon, scene, left_clean):
    with pytest.raises(addon.errors.BadInput, match=r"There is no sound file .*gone\.wav"):
        addon.sound_file.listen(scene, "//gone.wav", 1)


def test_panel_speaks_a_file(scene, voice, use_fake):
    use_fake("clicks")
    add_character()
    chosen = scene.mouthpiece
    chosen.source = "file"
    assert not bpy.ops.mouthpiece.generate.poll()
    chosen.audio, chosen.first_frame = str(voice), 51
    assert bpy.ops.mouthpiece.generate() == {"FINISHED"}
    jaw = dict(curves_of(bpy.data.actions["Mouthpiece voice ä Head"])["jawOpen"])
    assert (min(jaw), max(jaw)) == (51, 98)
    assert [frame for frame, value in jaw.items() if value > 0.5] == [63, 87]


def test_packed_strip_with_animated_volume_inside_two_metas_is_heard_as_it_plays(addon, scene, voice, tmp_path):
    """All at once: Blender's own mixdown of the scene says what is heard."""
    strip = add_strip(scene, voice, frame=20)
    strip.sound.pack()
    voice.unlink()
    for frame, volume in ((20, 0.0), (40, 1.0), (67, 0.3)):
        strip.volume = volume
        strip.keyframe_insert("volume", frame=frame)
    inner = strips_of(scene).new_meta("inner", 2, 18)
    strip.move_to_meta(inner)
    outer = strips_of(scene).new_meta("outer", 3, 18)
    inner.move_to_meta(outer)
    inner.frame_final_end, outer.frame_final_end = 70, 60
    outer.frame_final_start = 25

    heard = addon.audio.listen(scene, strip)
    while isinstance(heard, addon.audio.Mixdown):
        heard = heard.advance() or heard
    assert (heard.first_frame, heard.last_frame) == (25, 59)
    mine, _ = samples_of(heard.read())
    truth, _ = mixdown(tmp_path / "truth.wav", 25, 59)
    assert np.abs(truth).max() > 0.05
    np.testing.assert_allclose(mine, truth[: len(mine)], atol=2e-3)
