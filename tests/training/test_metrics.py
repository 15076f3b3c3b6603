# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics by hand: a face of four points whose errors can be added up in the head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.face import FaceSpace
from backend.models.audio_encoder import MelEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from backend.training.motion import metrics
from backend.training.motion.clip import Clip
from backend.training.motion.face_evaluation import Item, evaluate, predictor
from backend.training.motion.metrics import average, by_subject, measure

FACE = FaceSpace("four", "vertices", 25.0, 12, lips=np.array([0, 1]), upper_face=np.array([2, 3]))
NEUTRAL = torch.zeros(12)


def motion(*frames: tuple[float, float, float, float]) -> torch.Tensor:
    """[frames, 12]: each point moved by so much along x; a negative number moves it along y instead."""
    points = torch.zeros(len(frames), 4, 3)
    for time, frame in enumerate(frames):
        for point, step in enumerate(frame):
            points[time, point, 0 if step >= 0 else 1] = abs(step)
    return points.flatten(1)


def test_errors_of_two_frames() -> None:
    """Frame 1: the points err by 3, 1, 2, 0. Frame 2: 0, 1, 4, 0."""
    truth, prediction = motion((0, 0, 0, 0), (0, 0, 0, 0)), motion((3, -1, 2, 0), (0, 1, -4, 0))
    figures = average([measure(FACE, prediction, truth, NEUTRAL)])
    assert figures["LVE"] == pytest.approx((9 + 1) / 2)
    assert figures["LVD"] == pytest.approx((3 + 1) / 2)
    assert figures["MVE"] == pytest.approx((6 / 4 + 5 / 4) / 2)
    assert figures["UFVE"] == pytest.approx((2 / 2 + 4 / 2) / 2)
    assert figures["EVE"] == pytest.approx((4 + 16) / 2)
    assert list(figures) == ["LVE", "LVD", "MVE", "UFVE", "EVE", "FDD", "abs FDD"]


def test_the_largest_error_is_that_of_a_point_and_not_of_a_coordinate() -> None:
    prediction = torch.tensor([[2.0, 2, 1, 0, 0, 2.5, *[0] * 6]])
    assert average([measure(FACE, prediction, torch.zeros(1, 12), NEUTRAL)])["LVE"] == pytest.approx(9)


def test_dynamics_compare_squared_displacements_with_their_sign() -> None:
    """True: point 2 swings between 0 and 2 (squares 0 and 4, deviation 2), point 3 rests: 2 / 2 = 1.

    Predicted: both swing between 0 and 2: 2. So FDD is 1 - 2. The neutral face is not at zero.
    """
    neutral = motion((5, 5, 5, 5))[0]
    truth = motion((5, 5, 5, 5), (5, 5, 7, 5))
    prediction = motion((5, 5, 5, 5), (5, 5, 7, 7))
    lively, still = measure(FACE, prediction, truth, neutral), measure(FACE, truth, prediction, neutral)
    assert lively.clip == {"FDD": pytest.approx(-1), "abs FDD": pytest.approx(1)}
    both = average([lively, still])
    assert both["FDD"] == pytest.approx(0)
    assert both["abs FDD"] == pytest.approx(1)


def test_a_still_face_off_its_neutral_has_no_dynamics() -> None:
    still = motion((1, 1, 3, 3), (1, 1, 3, 3))
    assert metrics.dynamics(still.view(2, 4, 3).numpy(), np.zeros((1, 4, 3)), np.array([2, 3])) == 0


def test_long_and_short_clips_weigh_differently_in_the_two_averages() -> None:
    """One frame that errs by 2 and three that err by 1: LVE 4 and 1."""
    short = measure(FACE, motion((2, 0, 0, 0)), torch.zeros(1, 12), NEUTRAL, "A")
    long = measure(FACE, motion(*[(1, 0, 0, 0)] * 3), torch.zeros(3, 12), NEUTRAL, "B")
    assert average([short, long])["LVE"] == pytest.approx((4 + 3 * 1) / 4)
    assert average([short, long], "clips")["LVE"] == pytest.approx((4 + 1) / 2)
    assert {name: row["LVE"] for name, row in by_subject([short, long]).items()} == {"A": 4, "B": 1}


@pytest.mark.parametrize(("predicted", "true"), [(3, 2), (2, 3)])
def test_the_longer_motion_is_cut(predicted: int, true: int) -> None:
    errors = measure(FACE, torch.ones(predicted, 12), torch.zeros(true, 12), NEUTRAL)
    assert len(errors.frames["LVE"]) == 2
    assert average([errors])["LVE"] == pytest.approx(3)


def test_figures_are_in_the_data_sets_unit_unless_the_models_is_asked_for() -> None:
    """BIWI's scale is 0.2: squares shrink by 0.04, lengths by 0.2."""
    biwi = replace(FACE, scale=0.2)
    pair = motion((2, 0, 1, 0), (0, 0, 3, 0)) * 0.2, torch.zeros(2, 12), NEUTRAL
    own, plain = average([measure(biwi, *pair)]), average([measure(FACE, pair[0] / 0.2, *pair[1:])])
    scaled = average([measure(biwi, *pair, in_model_unit=True)])
    assert own == pytest.approx(plain)
    for name in ("LVE", "EVE", "FDD", "abs FDD"):
        assert scaled[name] == pytest.approx(own[name] * 0.04)
    for name in ("LVD", "MVE", "UFVE"):
        assert scaled[name] == pytest.approx(own[name] * 0.2)


def test_diversity_is_the_mean_distance_of_all_pairs() -> None:
    """Styles at 0, 1 and 3 along x on every point: pairs are 1, 3 and 2 apart."""
    styles = [motion(*[(step,) * 4] * 2) for step in (0, 1, 3)]
    figures = average([measure(FACE, styles[0], styles[0], NEUTRAL, styles=styles)])
    assert figures["diversity"] == pytest.approx(2)
    assert "diversity" not in average([measure(FACE, styles[0], styles[0], NEUTRAL, styles=styles[:1])])


def test_errors_of_weights_are_lengths_of_weight_vectors() -> None:
    space = FaceSpace("sliders", "controls", 30.0, 3, ("jawOpen", "mouthLeft", "browInnerUp"), lips=np.array([0, 1]))
    prediction, truth = torch.tensor([[3.0, 4, 12], [0, 1, 0]]), torch.zeros(2, 3)
    assert average([measure(space, prediction, truth, torch.zeros(3))]) == pytest.approx(
        {"BS-LVE": (5 + 1) / 2, "BS-MVE": (13 + 1) / 2}
    )


def test_without_regions_only_the_whole_face_is_measured() -> None:
    bare = replace(FACE, lips=None, upper_face=None)
    assert average([measure(bare, motion((3, 0, 1, 0)), torch.zeros(1, 12), NEUTRAL)]) == {"MVE": pytest.approx(1)}


def test_a_model_is_measured_on_each_speakers_own_face() -> None:
    """An untrained head says zero, so the prediction is the speaker's neutral face."""
    model = UniTalker(UniTalkerConfig(MelEncoderConfig(width=8, blocks=1), "conv", 8, 3, (HeadConfig("four", 12),)))
    neutral = np.arange(12, dtype=np.float32)
    truth = neutral + np.array([[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] * 13, np.float32)
    clip = Clip(np.zeros(8000, np.float32), truth, neutral, 25.0)
    errors = evaluate(predictor(model.eval(), FACE), FACE, [Item(clip, 1, "A"), Item(clip, 2, "B")], styles=[0, 1])
    assert [each.subject for each in errors] == ["A", "B"]
    assert average(errors)["LVE"] == pytest.approx(4)
    assert average(errors)["diversity"] == 0
