# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules on hand-made phone strings: what an animator would check by eye."""

import numpy as np
import pytest
import torch

from backend.phonetics.phones import CLASSES, IPA, VOWELS, Phone, classes_of, closures_of, split
from backend.training.lips import rules
from backend.training.lips.score import CLOSED, aperture

FPS = 60.0


def spoken(*names_and_lengths):
    """Phones that follow each other, from (name, seconds) pairs."""
    phones, now = [], 0.0
    for name, length in names_and_lengths:
        phones.append(Phone(name, now, now + length))
        now += length
    return phones


def animate(phones, closures=None, loudness=None):
    closures = closures_of(phones) if closures is None else closures
    frames = round(phones[-1].end * FPS)
    return rules.weights(rules.Speech(phones, closures, loudness), frames, FPS)


def at(curves, name, seconds):
    return curves[round(seconds * FPS), rules.CHANNELS.index(name)]


def opening(curves):
    return aperture(torch.from_numpy(rules.to_arkit(curves))).numpy()


@pytest.mark.parametrize("stop", ["p", "b", "m"])
@pytest.mark.parametrize("vowel", ["aa", "iy", "uw", "ae"])
def test_lips_meet_at_bilabials_and_part_again(stop, vowel):
    phones = spoken(("sil", 0.2), (vowel, 0.15), (stop, 0.09), (vowel, 0.15), ("sil", 0.3))
    open_between = opening(animate(phones))
    start, end = closures_of(phones)[0]
    shut = slice(round(start * FPS) + 1, round(end * FPS))
    assert open_between[shut].max() < 0
    assert open_between[round(0.275 * FPS)] > CLOSED + 0.03
    assert open_between[round(0.515 * FPS)] > CLOSED + 0.03


def test_every_other_phone_keeps_the_lips_apart():
    for name in set(CLASSES) - {"sil", "pb", "m"}:
        pose = np.zeros((1, len(rules.CHANNELS)), np.float32)
        pose[0, : len(rules.POSES[name])] = rules.POSES[name]
        pose = rules.to_arkit(pose)
        assert float(aperture(torch.from_numpy(pose))[0]) > CLOSED + 0.02, name


def test_mouth_rests_in_a_long_pause_and_holds_no_pose():
    curves = animate(spoken(("aa", 0.2), ("sil", 1.0), ("aa", 0.2)))
    rest = slice(round(0.45 * FPS), round(0.95 * FPS))
    assert opening(curves)[rest].max() < CLOSED
    assert curves[rest].max() < 0.06


def test_silence_alone_is_a_resting_mouth():
    curves = animate(spoken(("sil", 1.0)))
    assert curves.max() <= 0.02
    assert opening(curves).max() < CLOSED


def test_teeth_on_lip_at_f_and_v():
    for name in ("f", "v"):
        curves = animate(spoken(("aa", 0.15), (name, 0.1), ("aa", 0.15)))
        assert at(curves, "mouthRollLower", 0.2) > 0.25
        assert CLOSED < opening(curves)[round(0.2 * FPS)] < opening(curves)[round(0.07 * FPS)] / 2


def test_round_wide_and_open_vowels_look_different():
    at_middle = {
        name: animate(spoken(("sil", 0.1), (name, 0.25), ("sil", 0.1)))[round(0.225 * FPS)]
        for name in ("uw", "iy", "aa")
    }
    channel = {name: rules.CHANNELS.index(name) for name in ("mouthPucker", "mouthSmile", "jawOpen")}
    assert at_middle["uw"][channel["mouthPucker"]] > 0.5
    assert at_middle["iy"][channel["mouthSmile"]] > 0.25
    assert at_middle["aa"][channel["jawOpen"]] > 2 * at_middle["iy"][channel["jawOpen"]]


def test_loud_vowels_open_further():
    phones = spoken(("aa", 0.15), ("t", 0.08), ("aa", 0.15), ("t", 0.08), ("aa", 0.15))
    curves = animate(phones, loudness=[-20, -40, -26, -40, -14])
    jaw = [at(curves, "jawOpen", seconds) for seconds in (0.075, 0.305, 0.535)]
    assert jaw[1] < jaw[0] < jaw[2]


def test_rounding_begins_before_the_vowel():
    plain, round_next = (animate(spoken(("aa", 0.2), ("t", 0.08), (vowel, 0.2))) for vowel in ("iy", "uw"))
    assert at(round_next, "mouthPucker", 0.24) > at(plain, "mouthPucker", 0.24) + 0.1


def test_curves_are_smooth():
    phones = spoken(*((name, 0.07) for name in ["p", "aa", "m", "iy", "b", "uw", "f", "ae", "s", "ow", "m", "b", "r"]))
    assert np.abs(np.diff(animate(phones), axis=0)).max() < 0.35


def test_both_sides_follow_one_channel():
    full = rules.to_arkit(animate(spoken(("iy", 0.3))))
    assert full.shape == (18, 52)
    assert len(rules.DRIVEN) == 25
    assert np.count_nonzero(full.any(axis=0)) > 6


def test_phone_names_of_all_alphabets():
    assert classes_of("AH0") == ("AH",)
    assert classes_of("ay") == ("AA", "IH")
    assert classes_of("aɪ", IPA) == ("AA", "IH")
    assert classes_of("tʃ", IPA) == classes_of("ch") == ("sh",)
    assert classes_of("ts", IPA) == ("sz",)
    assert classes_of("pʲ", IPA) == classes_of("pː", IPA) == ("pb",)
    assert classes_of("ɛ̃", IPA) == ("EH",)
    assert (classes_of("y"), classes_of("y", IPA)) == (("y",), ("UE",)), "yes, and German über"
    assert (classes_of("r"), classes_of("r", IPA)) == (("r",), ("rr",)), "rounded in English, trilled elsewhere"
    assert classes_of("ʲ", IPA) == ()
    assert classes_of("pau") == classes_of("sil", IPA) == ("sil",)


def test_diphthongs_are_split_and_pauses_joined():
    parts = split(spoken(("pau", 0.1), ("sil", 0.1), ("ay", 0.2)))
    assert [part.name for part in parts] == ["sil", "AA", "IH"]
    assert parts[1].end == pytest.approx(0.2 + 0.55 * 0.2)
    assert all(part.name in VOWELS for part in parts[1:])
