# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a motion is written: regions, their strengths, and eyes that live."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

ARKIT = tuple(
    json.loads((Path(__file__).resolve().parents[2] / "rigs" / "arkit.json").read_text(encoding="utf-8"))["shape_keys"]
)


@pytest.fixture
def directed(addon):
    """Direct a motion in which every channel is 0.5 all the time; gives channel → values."""

    def directed(names=ARKIT, strength=1.0, frames=240, fps=24.0, **options):
        motion = addon.motion.Motion(tuple(names), np.full((frames, len(names)), 0.5, np.float32), fps, "arkit", {})
        chosen = addon.writing.options.WritingOptions(**options)
        result = addon.writing.direction.directed(motion, strength, chosen)
        return dict(zip(result.names, result.values.T, strict=True))

    return directed


@pytest.mark.parametrize(
    ("region", "count", "some"),
    [
        ("mouth", 26, "mouthPucker"),
        ("jaw", 4, "jawOpen"),
        ("tongue", 1, "tongueOut"),
        ("brows", 5, "browInnerUp"),
        ("eyes", 14, "eyeLookInLeft"),
        ("blinks", 2, "eyeBlinkRight"),
    ],
)
def test_each_region_has_its_channels_of_arkit(directed, region, count, some):
    found = directed(regions={region: 1.0})
    assert len(found) == count
    assert some in found


def test_regions_cover_all_of_arkit_and_any_spelling(addon, directed):
    region_of = addon.writing.regions.region_of
    assert len(directed()) == len(ARKIT)
    assert [region_of(name) for name in ("EyeBlink_L", "Jaw_Open", "BrowDown_R", "TongueOut", "viseme_aa")] == [
        *("blinks", "jaw", "brows", "tongue", "mouth")
    ]


def test_strengths_of_regions_multiply_the_whole(directed):
    found = directed(strength=0.8, regions={"mouth": 1.0, "jaw": 0.5})
    assert found["mouthClose"][0] == pytest.approx(0.4)
    assert found["jawOpen"][0] == pytest.approx(0.2)
    assert "eyeBlinkLeft" not in found


def test_region_that_the_model_does_not_move_is_told(addon, directed):
    with pytest.raises(addon.errors.BadInput, match="does not move the chosen regions: tongue"):
        directed(("jawOpen",), regions={"tongue": 1.0})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"regions": {}}, "No region"),
        ({"regions": {"nose": 1.0}}, "no region named “nose”"),
        ({"step": 2, "tolerance": 0.1}, "no curves to simplify"),
        ({"blend": -1}, "0 or more"),
    ],
)
def test_choices_that_cannot_be_meant(addon, options, sentence):
    with pytest.raises(addon.errors.BadInput, match=sentence):
        addon.writing.options.WritingOptions(**options).check()


def test_blinks_are_whole_and_of_human_number(addon):
    lids = addon.writing.life.blinks(24 * 600, 24.0, 7)
    shut = np.flatnonzero((lids[1:-1] > 0.999) & (lids[:-2] < lids[1:-1] - 1e-6))
    assert 90 < len(shut) < 260  # in ten minutes
    assert lids.max() == 1.0
    assert (lids == 0).mean() > 0.8


def test_blinks_fall_where_a_phrase_ends(addon):
    """Phrases of three seconds, pauses of one: the tenth of a second between them holds far more than its share."""
    life, fps = addon.writing.life, 24.0
    times = np.arange(24 * 600) / fps
    speaks = times % 4 < 3
    mouth = (speaks * (0.3 + 0.2 * np.sin(17 * times)))[:, None].astype(np.float32)
    pauses = life.pauses(mouth, fps)
    assert pauses == [pytest.approx(4 * number + 3, abs=1 / fps) for number in range(150)]

    def at_ends(lids: np.ndarray) -> float:
        begins = np.flatnonzero((lids[1:] >= 0.999) & (lids[:-1] < 0.999)) + 1
        assert 90 < len(begins) < 260
        return float((abs(times[begins] % 4 - 3) < 0.05).mean())

    assert at_ends(life.blinks(len(times), fps, 7, pauses)) > 0.3 > 3 * at_ends(life.blinks(len(times), fps, 7))


@pytest.mark.parametrize(("mouth", "pauses"), [(np.zeros((0, 3)), []), (np.zeros((48, 3)), []), (np.ones((48, 3)), [])])
def test_a_mouth_that_never_speaks_or_never_rests_has_no_pauses(addon, mouth, pauses):
    assert addon.writing.life.pauses(mouth.astype(np.float32), 24.0) == pauses


def test_darts_stay_small_and_often_straight(addon):
    looks = addon.writing.life.darts(24 * 600, 24.0, 7)
    assert np.abs(looks).max() <= 0.3
    assert (np.abs(looks).sum(axis=1) == 0).mean() > 0.2
    assert 0.05 < looks[:, 0].std() < 0.15


def test_the_same_seed_gives_the_same_eyes_and_another_one_others(addon):
    for eyes in (addon.writing.life.blinks, addon.writing.life.darts):
        assert np.array_equal(eyes(500, 24.0, 3), eyes(500, 24.0, 3))
        assert not np.array_equal(eyes(500, 24.0, 3), eyes(500, 24.0, 4))


def test_eyes_come_with_a_model_that_has_none(directed):
    found = directed(("JawOpen",), blinks=True, darts=True, seed=1)
    assert found["eyeBlinkLeft"].max() == 1.0
    assert np.array_equal(found["eyeLookOutLeft"], found["eyeLookInRight"])
    assert not (found["eyeLookOutLeft"] * found["eyeLookInLeft"]).any()


def test_blinks_are_no_stronger_than_the_model_says_where_that_is_more(directed):
    found = directed(("EyeBlink_L", "EyeBlink_R"), blinks=True)
    assert list(found) == ["EyeBlink_L", "EyeBlink_R"]
    assert (found["EyeBlink_L"].min(), found["EyeBlink_L"].max()) == (0.5, 1.0)


def test_strength_of_the_voice_leaves_blinks_whole(directed):
    assert directed(("jawOpen",), strength=0.3, blinks=True)["eyeBlinkLeft"].max() == 1.0


def test_smoothing_keeps_the_mean_and_the_length(addon):
    values = np.random.default_rng(1).random(300).astype(np.float32)
    smooth = addon.writing.shaping.smoothed(values, 2.0)
    assert smooth.shape == values.shape
    assert smooth.std() < 0.5 * values.std()
    assert smooth.mean() == pytest.approx(values.mean(), abs=0.01)
    assert addon.writing.shaping.smoothed(values, 0.0) is values


@pytest.mark.parametrize("frames", [1, 2, 3, 17, 400])
@pytest.mark.parametrize("tolerance", [0.001, 0.02, 0.3])
def test_simplified_curve_is_within_the_tolerance_on_every_frame(addon, frames, tolerance):
    decimation = addon.writing.decimation
    values = np.random.default_rng(frames).random(frames).astype(np.float32)
    places, slopes = _result(decimation.simplified(values, tolerance))
    assert (places[0], places[-1]) == (0, frames - 1)
    assert np.abs(decimation.evaluated(places, values[places].astype(float), slopes) - values).max() <= tolerance


def test_straight_line_needs_two_keys_and_a_slow_wave_few(addon):
    simplified = addon.writing.decimation.simplified
    assert list(_result(simplified(np.linspace(0, 1, 300), 0.001))[0]) == [0, 299]
    assert len(_result(simplified(np.sin(np.arange(300) / 30), 0.01))[0]) < 20


def _result(steps):
    """What a generator returns at its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("text", ["mouth,jaw=0.5", " mouth , jaw=0.5"])
def test_regions_on_the_command_line(addon, text):
    assert addon.writing.arguments.regions(text) == {"mouth": 1.0, "jaw": 0.5}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"mode": "sideways"}, "cannot be read"),
        ({"regions": "mouth=loud"}, "Write it as mouth=0.8"),
        ({"blend": "x"}, "cannot be read"),
    ],
)
def test_words_that_are_no_options(addon, words, sentence):
    with pytest.raises(addon.errors.BadInput, match=sentence):
        addon.writing.arguments.parsed(words)
