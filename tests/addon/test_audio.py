# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sound goes to the backend: what the strip plays, from its own file or from a mixdown."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_strip, curves, mixdown, samples_of, strips_of, tone


@pytest.fixture
def line(scene, tmp_path):
    return add_strip(scene, tone(tmp_path / "line.wav", 3.0, (0.5, 1.5, 2.5)), frame=37)


@pytest.fixture
def hear(addon):
    """The sound of a strip, mixed down to the end where that is needed."""

    def hear(strip):
        heard = addon.audio.listen(bpy.context.scene, strip)
        while isinstance(heard, addon.audio.Mixdown):
            heard = heard.advance() or heard
        return heard

    return hear


def loud_seconds(sound) -> list[float]:
    """When clicks begin, counted from the beginning of the first frame."""
    samples, rate = samples_of(sound.read())
    loud = np.flatnonzero(np.abs(samples) > 0.3)
    begins = [loud[0], *loud[1:][np.diff(loud) > rate // 20]]
    return [begin / rate - sound.start for begin in begins]


def test_plain_strip_sends_its_own_file(line, hear, tmp_path):
    heard = hear(line)
    assert heard.source == tmp_path / "line.wav"
    assert (heard.first_frame, heard.last_frame, heard.start, heard.fps) == (37, 108, 0.0, 24.0)
    assert heard.duration == pytest.approx(3.0)


def test_packed_sound_needs_no_file(line, hear, tmp_path):
    content = (tmp_path / "line.wav").read_bytes()
    line.sound.pack()
    (tmp_path / "line.wav").unlink()
    assert hear(line).read() == content


def test_path_with_spaces_and_other_letters_beside_the_shot(scene, hear, tmp_path):
    folder = tmp_path / "Ton für Szene 3"
    folder.mkdir()
    strip = add_strip(scene, tone(folder / "größe 音声.wav", 1.0), name="Größe 音声")
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot ü.blend"))
    bpy.ops.file.make_paths_relative()
    assert strip.sound.filepath.startswith("//")
    assert hear(strip).read() == (folder / "größe 音声.wav").read_bytes()


def test_retimed_strip_is_mixed_down(line, hear, tmp_path, retime):
    retime(line)
    end = int(line.frame_final_end) - 1
    samples, rate = mixdown(tmp_path / "whole.wav", 37, end)
    heard = hear(line)
    assert (heard.first_frame, heard.last_frame) == (37, end)
    assert heard.duration > 3.2
    mine, _ = samples_of(heard.read())
    assert rate == 48000
    np.testing.assert_allclose(mine, samples[: len(mine)], atol=2e-3)


def test_mixdown_hears_the_strip_alone_and_leaves_the_scene_alone(line, hear, scene, tmp_path):
    noise = add_strip(scene, tone(tmp_path / "noise.wav", 3.0), name="noise", frame=37, channel=2)
    line.mute = True
    scene.sequence_editor.channels[1].mute = True
    line.keyframe_insert("volume", frame=1)
    before = (scene.frame_start, scene.frame_end, scene.frame_current)
    assert loud_seconds(hear(line)) == pytest.approx([0.5, 1.5, 2.5], abs=1e-3)
    assert (line.mute, noise.mute, scene.sequence_editor.channels[1].mute) == (True, False, True)
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == before
    assert len(bpy.data.scenes) == 1


def test_long_mixdown_in_pieces_is_the_same_as_in_one(scene, hear, addon, monkeypatch, tmp_path):
    strip = add_strip(scene, tone(tmp_path / "long.wav", 25.0), frame=1)
    strip.keyframe_insert("volume", frame=1)
    pieces, _ = samples_of(hear(strip).read())
    monkeypatch.setattr(addon.audio, "MIX_SECONDS", 100.0)
    whole, _ = samples_of(hear(strip).read())
    assert len(pieces) == 25 * 48000
    np.testing.assert_allclose(pieces, whole, atol=2e-4)


def test_container_that_libsndfile_cannot_read_is_mixed_down(scene, line, hear, tmp_path):
    film = tmp_path / "film.ac3"
    scene.frame_start, scene.frame_end = 37, 108
    bpy.ops.sound.mixdown(filepath=str(film), check_existing=False, container="AC3", codec="AC3", bitrate=192)
    strip = add_strip(scene, film, name="film", frame=200, channel=3)
    heard = hear(strip)
    assert isinstance(heard.source, bytes)
    assert loud_seconds(heard) == pytest.approx([0.5, 1.5, 2.5], abs=0.03)


@pytest.mark.parametrize(("container", "codec"), [("FLAC", "FLAC"), ("OGG", "VORBIS"), ("MP3", "MP3"), ("WAV", "PCM")])
def test_formats_that_libsndfile_reads_are_sent_as_they_are(scene, line, hear, tmp_path, container, codec):
    file = tmp_path / f"sound.{container.lower()}"
    bpy.ops.sound.mixdown(filepath=str(file), check_existing=False, container=container, codec=codec)
    assert hear(add_strip(scene, file, name="other", channel=3)).source == file


def test_strip_cut_away_by_its_meta_strip(scene, line, hear, addon):
    meta = strips_of(scene).new_meta("scene 12", 2, 300)
    line.move_to_meta(meta)
    with pytest.raises(addon.errors.BadInput, match="cut away completely"):
        hear(line)


@pytest.mark.parametrize("first", [-200, -37, -1])
def test_mixdown_of_what_begins_before_frame_0_is_the_same_as_later(scene, hear, addon, monkeypatch, tmp_path, first):
    """Blender mixes nothing before frame 0; the keys of the volume go along, and nothing is left behind."""
    monkeypatch.setattr(addon.audio, "MIX_SECONDS", 1.0)
    strip = add_strip(scene, tone(tmp_path / "tone.wav", 3.0), frame=37)
    for frame, volume in ((37, 0.2), (80, 1.0)):
        strip.volume = volume
        strip.keyframe_insert("volume", frame=frame)
    later, _ = samples_of(hear(strip).read())
    strip.frame_start = first
    keys = curves_of_scene(scene)
    heard = hear(strip)
    mine, _ = samples_of(heard.read())
    assert (heard.first_frame, heard.last_frame) == (first, first + 71)
    assert np.abs(later).max() > 0.25
    np.testing.assert_allclose(mine, later, atol=0.012)  # Blender begins up to a sample sooner or later
    assert curves_of_scene(scene) == keys
    assert (len(bpy.data.actions), len(bpy.data.scenes)) == (1, 1)


def test_mixdown_inside_metas_before_frame_0(scene, line, hear):
    inner = strips_of(scene).new_meta("inner", 2, 37)
    line.move_to_meta(inner)
    outer = strips_of(scene).new_meta("outer", 3, 37)
    inner.move_to_meta(outer)
    outer.frame_start -= 60
    inner.frame_final_end, outer.frame_final_end = line.frame_final_end, line.frame_final_end - 9
    heard = hear(line)
    assert (heard.first_frame, heard.last_frame) == (-23, 39)
    assert loud_seconds(heard) == pytest.approx([0.5, 1.5, 2.5], abs=1e-3)
    assert (line.frame_start, outer.frame_final_start) == (-23, -23)


def test_retimed_strip_before_frame_0(line, hear, retime):
    retime(line)
    later = loud_seconds(hear(line))
    line.frame_start -= 100
    heard = hear(line)
    assert heard.first_frame == -63
    assert loud_seconds(heard) == pytest.approx(later, abs=6e-3)  # Blender 4.3 begins up to 6 ms sooner or later


def test_driven_volume_before_frame_0_is_one_sentence(line, hear, addon):
    """What drives it may itself be animated, and would be heard at another time."""
    line.driver_add("volume").driver.expression = "frame / 100"
    line.frame_start = -5
    with pytest.raises(addon.errors.BadInput, match="begins before frame 0"):
        hear(line)


def curves_of_scene(scene) -> list[tuple[str, list[tuple[float, float]]]]:
    """All keys of the scene's own action."""
    animated = curves(scene.animation_data.action)
    return [(curve.data_path, [tuple(point.co) for point in curve.keyframe_points]) for curve in animated]
