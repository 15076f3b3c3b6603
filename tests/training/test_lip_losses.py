# SPDX-License-Identifier: GPL-3.0-or-later
"""The losses on lips: what pulls the mouth open or shut, and what must not."""

import torch

from backend.face import ARKIT_CHANNELS
from backend.phonetics.phones import CLASSES, SILENCE
from backend.training.lips import losses
from backend.training.lips.data import Batch
from backend.training.lips.prepare import BETWEEN, OPEN, SHUT
from backend.training.lips.task import SpeechToLips

JAW = ARKIT_CHANNELS.index("jawOpen")


def mouth(opened: float) -> torch.Tensor:
    values = torch.zeros(1, 10, 52)
    values[..., JAW] = opened
    return values.requires_grad_()


def lips(state: int) -> torch.Tensor:
    return torch.full((1, 10), state)


def test_an_open_mouth_costs_in_a_closure_and_a_shut_one_elsewhere():
    wide, shut = mouth(0.3), mouth(0.0)
    assert losses.closure(wide, lips(SHUT), 1.5) > 5 * losses.closure(shut, lips(SHUT), 1.5)
    assert losses.closure(shut, lips(OPEN), 1.5) > 5 * losses.closure(wide, lips(OPEN), 1.5)
    assert losses.closure(wide, lips(BETWEEN), 1.5) == 0


def test_missed_closures_cost_more_with_their_weight():
    light, heavy = (losses.closure(mouth(0.3), lips(SHUT), weight) for weight in (1.0, 3.0))
    assert torch.isclose(heavy, 3 * light)


class Still(torch.nn.Module):
    """A model whose mouth never moves."""

    def __init__(self, opened: float) -> None:
        super().__init__()
        self.values = torch.nn.Parameter(mouth(opened).detach())

    def forward(self, audio, space, frames, identity):
        from backend.models.unitalker import Prediction

        readings = {"closure": torch.zeros(1, 10, 1), "viseme": torch.zeros(1, 10, len(CLASSES))}
        features = torch.zeros(1, 10, 4)
        return Prediction(self.values, None, features, features, features, readings)


def test_a_resting_mouth_in_silence_is_no_missed_opening():
    batch = Batch(
        torch.zeros(1, 3200), torch.zeros(1, 10, 52), torch.zeros(1, dtype=torch.long), lips(SILENCE), lips(OPEN)
    )
    found = SpeechToLips(Still(0.0), 1.5, {}).step(batch)
    assert found["closure"] == 0
    assert found["motion"] == 0
    assert SpeechToLips(Still(0.3), 1.5, {}).step(batch)["motion"] > 0


def test_labels_are_taken_at_the_features_times():
    labels = torch.arange(12)[None]
    assert losses.at_rate(labels, 12).tolist() == labels.tolist()
    assert losses.at_rate(labels, 4).tolist() == [[0, 4, 7, 11]]


def test_a_mouth_that_moves_in_a_pause_costs_there_alone():
    half = torch.arange(10)[None] < 5
    weights = torch.ones(52)
    moved = mouth(0.3)
    resting = torch.zeros(1, 10, 52)
    error = losses.motion(moved, resting, weights)
    assert torch.isclose(losses.pause(moved, resting, weights, half), error)  # a mean over the frames of the pause
    quiet_there = torch.where(half[..., None], resting, moved)
    assert losses.pause(quiet_there, resting, weights, half) == 0
    assert losses.pause(moved, resting, weights, half & ~half) == 0
