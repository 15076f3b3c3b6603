# SPDX-License-Identifier: GPL-3.0-or-later
"""From channels to controls, in numbers."""

from __future__ import annotations

import time

import numpy as np
import pytest

from backend.face import ARKIT_CHANNELS


@pytest.fixture(scope="module")
def drive(rig):
    """Values by control (and by bone movement, as "bone kind axis") of a face with some names."""

    def drive(profile, names, motion, channels=ARKIT_CHANNELS, gains=None, by_hand=None):
        chosen = rig.profile.shipped(profile)
        if gains or by_hand:
            chosen = rig.profile.by_hand(chosen, by_hand or {}, gains or {})
        found = rig.match.match(chosen, rig.match.Names(tuple(names), bones=tuple(names)))
        values = rig.weights.values_of(found, channels, np.atleast_2d(motion))
        return {label(value): value.values for value in values}

    return drive


def label(value) -> str:
    return f"{value.control} {value.move.kind} {value.move.axis}" if value.move else value.control


def frame(**weights: float) -> np.ndarray:
    motion = np.zeros((1, len(ARKIT_CHANNELS)))
    for name, weight in weights.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in ARKIT_CHANNELS:
                motion[0, ARKIT_CHANNELS.index(full)] = weight
    return motion


def test_arkit_to_arkit_changes_nothing(drive):
    motion = np.random.default_rng(1).random((20, 52)).astype(np.float32)
    values = drive("arkit", ARKIT_CHANNELS, motion)
    np.testing.assert_array_equal(np.stack([values[name] for name in ARKIT_CHANNELS], axis=1), motion)


def test_channels_of_another_order_and_spelling(drive):
    """UniTalker's own heads list 51 capitalised names in an order of their own."""
    values = drive(
        "arkit",
        ["eyeBlink_L", "eyeBlink_R", "jawOpen"],
        [[0.1, 0.2, 0.3]],
        ["JawOpen", "EyeBlinkRight", "EyeBlinkLeft"],
    )
    assert {name: value.item() for name, value in values.items()} == {
        "eyeBlinkLeft": 0.3,
        "eyeBlinkRight": 0.2,
        "jawOpen": 0.1,
    }


@pytest.mark.parametrize("profile", ["arkit", "oculus"])
def test_channels_that_move_nothing_are_refused(rig, drive, profile):
    names = rig.profile.shipped(profile).controls
    with pytest.raises(rig.BadInput, match="Choose another model"):
        drive(profile, names, [[0.5, 0.5]], ["expression0", "expression1"])


def test_a_face_without_mouth_close_shuts_its_jaw_instead(drive):
    shut = frame(jawOpen=0.3, mouthClose=0.3)
    assert drive("arkit", ["jawOpen", "mouthClose"], shut)["jawOpen"].item() == pytest.approx(0.3)
    assert drive("arkit", ["jawOpen", "mouthPucker"], shut)["jawOpen"].item() == pytest.approx(0.0)


def test_bipolar_controls_get_both_signs(drive):
    names = ["facs_ctrl_JawLeft-Right", "facs_bs_JawOpen"]
    left, right = (drive("daz9", names, frame(**{way: 0.4})) for way in ("jawLeft", "jawRight"))
    assert left["facs_ctrl_JawLeft-Right"].item() == pytest.approx(0.4)
    assert right["facs_ctrl_JawLeft-Right"].item() == pytest.approx(-0.4)


@pytest.mark.parametrize(
    ("pose", "viseme"),
    [
        ({"jawOpen": 0.6, "mouthLowerDown": 0.28, "mouthUpperUp": 0.12}, "viseme_aa"),
        ({"jawOpen": 0.12, "mouthPucker": 0.8, "mouthFunnel": 0.3}, "viseme_U"),
        ({"mouthPress": 0.35, "mouthRollLower": 0.25, "mouthRollUpper": 0.18}, "viseme_PP"),
        ({"jawOpen": 0.12, "mouthClose": 0.12, "mouthPress": 0.3, "mouthRollLower": 0.15}, "viseme_PP"),
        ({"jawOpen": 0.05, "mouthStretch": 0.25, "mouthLowerDown": 0.32, "mouthUpperUp": 0.18}, "viseme_SS"),
    ],
)
def test_a_mouth_is_read_as_its_viseme(rig, drive, pose, viseme):
    values = drive("oculus", rig.profile.shipped("oculus").controls, frame(**pose))
    assert max(values, key=lambda name: values[name].item()) == viseme
    assert values[viseme].item() > 0.1


def test_no_viseme_is_negative_and_no_two_whole_mouths_are_added(rig, drive):
    motion = np.random.default_rng(3).random((200, 52))
    values = drive("oculus", rig.profile.shipped("oculus").visemes, motion)
    weights = np.stack([*values.values()], axis=1)
    assert weights.min() >= 0 and weights.sum(axis=1).max() <= 1 + 1e-9


def test_a_mouth_at_rest_gives_no_viseme(rig, drive):
    values = drive("vrm1", rig.profile.shipped("vrm1").controls, frame())
    assert max(value.item() for value in values.values()) < 1e-9


def test_visemes_leave_the_jaw_to_its_bone(rig, drive):
    names = rig.profile.shipped("jaw_visemes").controls
    values = drive("jaw_visemes", names, frame(jawOpen=0.6))
    assert values["jaw turn side"].item() == pytest.approx(0.6)
    assert max(value.item() for name, value in values.items() if name.startswith("viseme")) < 0.1
    shut = drive("jaw_visemes", names, frame(jawOpen=0.3, mouthClose=0.3))
    assert shut["jaw turn side"].item() == pytest.approx(0.0)


def test_gains_by_hand(drive):
    values = drive("arkit", ["jawOpen", "mouthPucker"], frame(jawOpen=0.4, mouthPucker=0.4), gains={"jawOpen": 0.5})
    assert {name: round(value.item(), 3) for name, value in values.items()} == {"jawOpen": 0.2, "mouthPucker": 0.4}


def test_control_switched_off_by_hand_gets_nothing(drive):
    values = drive("vrm1", ["aa", "ou", "oh"], frame(jawOpen=0.6), by_hand={"oh": "", "aa": "aa"})
    assert set(values) == {"aa", "ou"}


def test_solution_is_the_best_one(rig):
    """No small step within the bounds makes the mouths more alike; all poses open the mouth, so none is a seal."""
    random = np.random.default_rng(5)
    poses, goals = random.random((6, 52)) * 0.5, random.random((40, 52)) * 0.4
    poses[:, ARKIT_CHANNELS.index("jawOpen")] = 1.0
    measures = rig.solve.ruler()[1]
    shown, wanted = poses @ measures, goals @ measures
    ridge = rig.solve.RIDGE * (shown**2).sum(axis=1)

    def cost(weights):
        return ((weights @ shown - wanted) ** 2).sum(axis=1) + (weights**2) @ ridge

    found = rig.solve.solve(poses, goals)
    for _ in range(200):
        other = rig.solve._bounded(found + random.normal(size=found.shape) * 0.03, np.ones(len(found)))
        assert (cost(found) <= 1.01 * cost(other) + 1.0).all()


def test_ten_minutes_are_solved_in_seconds(rig, drive):
    motion = np.random.default_rng(2).random((18000, 52)) * 0.4
    began = time.process_time()
    drive("oculus", rig.profile.shipped("oculus").controls, motion)
    assert time.process_time() - began < 5.0
