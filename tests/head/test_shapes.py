# SPDX-License-Identifier: GPL-3.0-or-later
"""The 52 shapes of the shipped head: names, symmetry, and what each one must reach, in millimetres."""

import numpy as np
import pytest

from backend.face import ARKIT_CHANNELS
from demo.head import measures

CLOSED = 0.5
LIP_CHANNELS = (
    "mouthFunnel", "mouthPucker", "mouthSmile", "mouthStretch", "mouthFrown", "mouthDimple", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPress", "mouthLowerDown", "mouthUpperUp",
)  # fmt: skip


def speech_poses(count):
    """Random mouths as speech makes them: some open jaw, a few lip shapes up to 0.6."""
    random = np.random.default_rng(7)
    for _ in range(count):
        jaw = random.uniform(0.0, 0.6)
        pose = {name: random.uniform(0.0, 0.6) for name in LIP_CHANNELS if random.random() < 0.35}
        yield pose | {"jawOpen": jaw, "mouthClose": jaw * random.uniform(0.0, 1.0) * (random.random() < 0.5)}


def test_names_are_apples_in_order(head):
    assert tuple(head.names) == ARKIT_CHANNELS


@pytest.mark.parametrize("name", ARKIT_CHANNELS)
def test_every_shape_moves_something_and_nothing_too_far(head, name):
    furthest = np.linalg.norm(head.shapes[head.names.index(name)], axis=1).max()
    assert 2.0 < furthest < 50.0


@pytest.mark.parametrize("name", ARKIT_CHANNELS)
def test_shapes_mirror_exactly(head, name):
    partner = name.replace("Left", "\0").replace("Right", "Left").replace("\0", "Right")
    steps, mirror = head.arrays["steps"].astype(int), head.arrays["mirror"].astype(int)
    image = steps[head.names.index(partner)][mirror] * (-1, 1, 1)
    assert np.array_equal(image, steps[head.names.index(name)])


def test_lips_rest_closed(head):
    assert abs(measures.widest_gap(head, head.rest)) < CLOSED


@pytest.mark.parametrize("opening", [0.1, 0.2, 0.5, 1.0])
def test_mouth_close_cancels_jaw_open_at_the_lips(head, opening):
    shut = head.posed({"jawOpen": opening, "mouthClose": opening})
    assert abs(measures.widest_gap(head, shut)) < CLOSED
    assert measures.jaw_drop(head, shut) > 25 * opening, "the jaw stays down"


@pytest.mark.parametrize("press", [0.0, 0.4, 1.0])
def test_lips_meet_for_p_b_m(head, press):
    shut = head.posed({"jawOpen": 0.15, "mouthClose": 0.15, "mouthPress": press})
    assert abs(measures.widest_gap(head, shut)) < CLOSED


def test_jaw_opens_wide_about_its_hinge(head):
    wide = head.posed({"jawOpen": 1.0})
    assert 25 < measures.lip_gap(head, wide) < 42
    assert 20 < measures.jaw_angle(head, wide) < 27
    upper = head.rows("upper teeth")
    assert np.array_equal(wide[upper], head.rest[upper])


def test_rounding_and_spreading(head):
    rest = measures.lip_width(head, head.rest)
    assert measures.lip_width(head, head.posed({"mouthPucker": 1.0})) < 0.65 * rest
    assert measures.lip_width(head, head.posed({"mouthFunnel": 1.0})) < 0.8 * rest
    assert measures.lip_width(head, head.posed({"mouthSmile": 1.0})) > 1.2 * rest
    assert measures.rounding(head, head.posed({"mouthPucker": 0.5})) > 5
    assert abs(measures.widest_gap(head, head.posed({"mouthPucker": 1.0}))) < CLOSED
    assert 5 < measures.lip_gap(head, head.posed({"mouthFunnel": 1.0})) < 15


@pytest.mark.parametrize(
    "name", ["mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthLeft"]
)
def test_shapes_of_a_closed_mouth_stay_closed(head, name):
    for weight in (0.1, 0.25, 0.5, 1.0):
        gap = measures.widest_gap(head, head.posed({name: weight}))
        pressed = 2.0 if "Roll" in name else CLOSED  # a lip that is rolled in lies a little behind the other one
        assert -pressed < gap < CLOSED


def test_a_p_as_models_speak_it_shows_no_slit(head):
    """Rolls and presses halfway, and a jaw that has not gone up."""
    spoken = {"jawOpen": 0.12, "mouthClose": 0.12, "mouthRollLower": 0.24, "mouthRollUpper": 0.17, "mouthPress": 0.33}
    assert abs(measures.widest_gap(head, head.posed(spoken))) < CLOSED


def test_one_sided_opening_is_on_its_side(head):
    left = head.posed({"mouthLowerDownLeft": 1.0})
    assert measures.lip_gap(head, left, 4) > 4
    assert abs(measures.lip_gap(head, left, -6)) < CLOSED


@pytest.mark.parametrize("side", [0, 1])
def test_lids_meet_in_a_blink(head, side):
    shut = head.posed({"eyeBlink": 1.0})
    edges = shut[head.arrays["lids"][side][4:6]]
    upper, lower = edges[:, 1:16, 2], edges[:, :16:-1, 2]
    assert (upper - lower).max() <= 0.0
    assert (upper - lower).min() > -2.0


@pytest.mark.parametrize("amount", [0.25, 0.5, 0.75])
def test_lids_stay_outside_the_eyeball_on_their_way(head, amount):
    """The visible edge of the lid must not dip under the ball while it travels on a straight line."""
    half = head.posed({"eyeBlink": amount})
    edge = half[head.arrays["lids"][0][4]]
    ball = half[head.rows("eye left")]
    for spoke in range(1, 16):
        near = ball[((ball[:, [0, 2]] - edge[spoke, [0, 2]]) ** 2).sum(axis=1).argsort()[:4]]
        assert edge[spoke, 1] < near[:, 1].max() + 0.2


def test_eyes_turn(head):
    ball = head.rows("eye left")
    for name, axis, sign in (("LookUp", 2, 1), ("LookDown", 2, -1), ("LookOut", 0, 1), ("LookIn", 0, -1)):
        pupil = head.posed({f"eye{name}Left": 1.0})[ball[0]] - head.rest[ball[0]]
        assert pupil[axis] * sign > 4


def test_tongue_comes_out_between_the_teeth(head):
    out = head.posed({"tongueOut": 1.0})
    tongue = out[head.rows("tongue")]
    lips = out[head.arrays["lips"][3], 1].min()
    assert tongue[:, 1].min() < lips - 8, "beyond the lips"
    for row in ("upper teeth", "lower teeth"):
        assert measures.depth_in_teeth(head, out, tongue, row) < 0.2


@pytest.mark.parametrize("name", ARKIT_CHANNELS)
def test_no_shape_pushes_the_lips_into_the_teeth(head, name):
    assert measures.lips_in_teeth(head, head.posed({name: 1.0})) < 0.1


def test_speech_keeps_lips_out_of_the_teeth(head):
    depths = [measures.lips_in_teeth(head, head.posed(pose)) for pose in speech_poses(200)]
    assert max(depths) < 0.1


def test_lower_face_shapes_leave_the_eyes_alone(head):
    eyes = np.concatenate([head.rows("eye left"), head.rows("eye right")])
    for name, shape in zip(head.names, head.shapes, strict=True):
        if name.startswith(("jaw", "mouth", "tongue", "cheek", "nose", "brow")):
            assert not shape[eyes].any(), name
