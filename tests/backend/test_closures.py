# SPDX-License-Identifier: GPL-3.0-or-later
"""Lips that follow phones: shut where they must be, open where they must not, and nothing else touched."""

from __future__ import annotations

import numpy as np
import pytest

from backend import closures, phone_track
from backend.closures import Lips
from backend.face import ARKIT_CHANNELS
from backend.phone_track import TimedPhone

CLOSED = 0.05


def motion(frames: int, **channels: float) -> np.ndarray:
    """A mouth that holds still."""
    values = np.full((frames, len(ARKIT_CHANNELS)), 0.1, np.float32)
    values[:, [ARKIT_CHANNELS.index(name) for name in closures.CHANNELS]] = 0
    for name, value in channels.items():
        values[:, ARKIT_CHANNELS.index(name)] = value
    return values


def opening(values: np.ndarray) -> np.ndarray:
    """By the definition of the project's yardstick, written down once more."""
    named = {name: values[:, column] for column, name in enumerate(ARKIT_CHANNELS)}
    lips = sum(0.2 * named[f"mouth{part}{side}"] for part in ("LowerDown", "UpperUp") for side in ("Left", "Right"))
    pressed = 0.15 * (named["mouthPressLeft"] + named["mouthPressRight"])
    rolled = 0.1 * (named["mouthRollLower"] + named["mouthRollUpper"])
    return np.maximum(named["jawOpen"] - named["mouthClose"], 0) + lips + 0.15 * named["mouthFunnel"] - pressed - rolled


def follow(values: np.ndarray, fps: float = 60.0, first: int = 0, **lips) -> np.ndarray:
    asked = Lips(**{"shut": (), "at_teeth": (), "silent": ()} | lips)
    return closures.follow(values, ARKIT_CHANNELS, asked, first, fps)


@pytest.mark.parametrize("fps", [12.0, 24.0, 25.0, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("start", [0.5, 0.513, 0.533])
def test_wide_open_lips_meet_at_every_closure_and_frame_rate(fps: float, start: float):
    values = motion(round(2 * fps), jawOpen=0.8, mouthLowerDownLeft=0.5, mouthUpperUpRight=0.4, mouthFunnel=0.5)
    gap = opening(follow(values, fps, shut=((start, start + 0.03),)))
    times = np.arange(len(values)) / fps
    assert gap.min() < CLOSED
    near = abs(times - start - 0.015) <= 0.015 + max(0.5 / fps, closures.FLANK) + 1 / fps
    np.testing.assert_allclose(gap[~near], opening(values)[~near], atol=1e-6)


def test_closing_has_soft_flanks():
    gap = opening(follow(motion(120, jawOpen=0.6), shut=((1.0, 1.05),)))
    assert abs(np.diff(gap)).max() < 0.4
    assert (np.diff(gap[50:60]) <= 1e-6).all() and (np.diff(gap[64:75]) >= -1e-6).all()


def test_lips_that_meet_for_no_reason_part():
    values = motion(120, jawOpen=0.2, mouthClose=0.2, mouthPressLeft=0.4, mouthPressRight=0.2, mouthRollLower=0.1)
    gap = opening(follow(values, shut=((1.0, 1.05),), silent=((1.6, 2.0),)))
    assert gap[:45].min() > CLOSED
    assert gap[61] < CLOSED
    assert gap[72:90].min() > CLOSED


def test_lips_that_press_at_their_closure_keep_pressing():
    values = motion(120, mouthPressLeft=0.6, mouthPressRight=0.6)
    pressed = follow(values, shut=((1.0, 1.1),))[:, ARKIT_CHANNELS.index("mouthPressLeft")]
    np.testing.assert_allclose(pressed[60:66], 0.6, atol=1e-6)
    assert pressed[[40, 85]].max() < 0.6, "elsewhere they are to part"


def test_a_mouth_at_rest_stays_at_rest_in_pauses():
    values = motion(180, jawOpen=0.02)
    gap = opening(follow(values, silent=((0.5, 2.5),)))
    np.testing.assert_allclose(gap[45:135], 0.02, atol=1e-6)
    assert gap[[10, 170]].min() > CLOSED


def test_f_and_v_bring_the_lower_lip_to_the_teeth_without_shutting():
    values = motion(120, jawOpen=0.5, mouthLowerDownLeft=0.3, mouthLowerDownRight=0.3)
    made = follow(values, at_teeth=((1.0, 1.1),))
    gap = opening(made)[63]
    assert CLOSED < gap <= closures.AT_TEETH + 1e-6
    assert made[63, ARKIT_CHANNELS.index("mouthRollLower")] >= 0.2


def test_lips_that_nearly_meet_are_sealed_softly_and_others_stay():
    openings = np.linspace(0.10, 0.0, 101, dtype=np.float32)
    values = motion(101, mouthLowerDownLeft=0.02, mouthUpperUpRight=0.02)
    values[:, ARKIT_CHANNELS.index("jawOpen")] = openings + 0.1 - 2 * 0.2 * 0.02
    values[:, ARKIT_CHANNELS.index("mouthClose")] = 0.1
    np.testing.assert_allclose(opening(values), openings, atol=1e-2)
    made = closures.sealed(values, ARKIT_CHANNELS)
    apart = opening(values) >= closures.NEARLY_SHUT
    np.testing.assert_array_equal(made[apart], values[apart])
    np.testing.assert_allclose(opening(made)[opening(values) <= closures.SHUT], 0, atol=1e-6)
    assert (np.diff(opening(made)) < 1e-6).all() and abs(np.diff(opening(made))).max() < 0.01


def test_sealing_takes_each_take_by_itself():
    takes = np.stack([motion(10, jawOpen=0.03), motion(10, jawOpen=0.5)], axis=1)
    made = closures.sealed(takes, ARKIT_CHANNELS)
    for take in range(2):
        np.testing.assert_array_equal(made[:, take], closures.sealed(takes[:, take], ARKIT_CHANNELS))
    np.testing.assert_array_equal(made[:, 1], takes[:, 1])


def test_only_lips_change_and_stay_weights():
    random = np.random.default_rng(3)
    values = random.random((240, 52), np.float32)
    shut = tuple((start, start + 0.05) for start in np.arange(0.2, 3.8, 0.4))
    made = follow(values, shut=shut, at_teeth=((0.35, 0.45),), silent=((3.0, 3.6),))
    others = [column for column, name in enumerate(ARKIT_CHANNELS) if name not in closures.CHANNELS]
    np.testing.assert_array_equal(made[:, others], values[:, others])
    assert made.dtype == np.float32 and made.min() >= 0 and made.max() <= 1


def test_where_the_motion_is_cut_does_not_matter():
    values = np.random.default_rng(4).random((200, 52), np.float32)
    asked = {"shut": ((0.5, 0.55), (1.6, 1.7)), "at_teeth": ((1.0, 1.1),), "silent": ((2.0, 3.0),)}
    whole = follow(values, **asked)
    parts = [follow(values[first:last], first=first, **asked) for first, last in ((0, 33), (33, 101), (101, 200))]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_faces_without_lips_by_arkits_names_cannot_follow():
    assert closures.can_follow(ARKIT_CHANNELS)
    assert not closures.can_follow(("expression0", "jawOpen"))
    assert not closures.can_follow(())


def test_lips_meet_where_those_of_another_motion_do() -> None:
    values = np.zeros((3, 2, len(ARKIT_CHANNELS)), np.float32)
    others = np.zeros((3, 1, len(ARKIT_CHANNELS)), np.float32)
    jaw, close = ARKIT_CHANNELS.index("jawOpen"), ARKIT_CHANNELS.index("mouthClose")
    values[..., jaw], others[..., jaw] = 0.3, 0.4
    others[1, :, close] = 0.38  # a slit of 0.02
    met = closures.met_with(values, others, ARKIT_CHANNELS)
    assert np.allclose(met[1, :, close], 0.3)
    assert np.array_equal(met[[0, 2]], values[[0, 2]])


def test_lips_stay_apart_where_those_of_another_motion_surely_do() -> None:
    values = np.zeros((3, 2, len(ARKIT_CHANNELS)), np.float32)
    others = np.zeros((3, 1, len(ARKIT_CHANNELS)), np.float32)
    jaw, close = ARKIT_CHANNELS.index("jawOpen"), ARKIT_CHANNELS.index("mouthClose")
    values[..., jaw] = values[..., close] = 0.3
    others[:, 0, jaw] = (0.0, closures.HEARD_NEARLY_SHUT, 0.3)
    parted = closures.parted_with(values, others, ARKIT_CHANNELS)
    assert np.array_equal(parted[:2], values[:2])
    assert np.allclose(parted[2, :, jaw] - parted[2, :, close], closures.PARTED, atol=1e-6)
    apart = closures.sealed(parted, ARKIT_CHANNELS)
    assert np.allclose(apart[2], parted[2], atol=1e-6), "nor are they sealed again"


def test_a_mouth_rests_until_just_before_the_first_word_and_soon_after_the_last():
    phones = [TimedPhone("", "sil", 0.0, 0.5), TimedPhone("ah", "AH", 0.5, 1.5), TimedPhone("", "sil", 1.5, 2.0)]
    gap = opening(closures.follow(motion(120, jawOpen=0.02), ARKIT_CHANNELS, phone_track.lips(phones), 0, 60.0))
    np.testing.assert_allclose(gap[[0, 10, 105, 119]], 0.02, atol=1e-6)
    assert gap[40:80].min() > CLOSED
