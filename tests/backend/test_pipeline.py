# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion has the right frames at the right moments, whatever the rate and however long the sound."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from backend import interruption, pipeline, planning
from backend.audio import SAMPLE_RATE
from backend.checkpoint import LoadedModel, ModelCard
from backend.face import FaceSpace
from backend.pipeline import Stopped
from backend.planning import Request, RequestError

RATES = (24.0, 25.0, 29.97, 30.0, 60.0)


class Ear(torch.nn.Module):
    """Stands for a model: frame i is the loudness of the sound around second i / fps, plus a mouth that rests open."""

    REST = 0.2

    def __init__(self, fps: float) -> None:
        super().__init__()
        self.half = round(SAMPLE_RATE / fps / 2)
        self.fps = fps
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.windows: list[int] = []

    @torch.no_grad()
    def predict(self, audio: torch.Tensor, space: str, frames: int, identity: torch.Tensor | None) -> torch.Tensor:
        self.windows.append(audio.shape[1])
        padded = torch.nn.functional.pad(audio.abs(), (self.half, 2 * self.half))
        centres = [min(round(frame * SAMPLE_RATE / self.fps), audio.shape[1]) for frame in range(frames)]
        loudness = torch.stack([padded[:, centre : centre + 2 * self.half].mean(1) for centre in centres], 1)
        shift = 0.0 if identity is None else 0.1 * (1 + identity[:, None, None])
        return self.REST + shift + torch.stack((loudness, -loudness), 2)


def listening(fps: float = 60.0, kind: str = "controls"):
    """A loaded model whose channels are ``loud`` and ``quiet``."""
    space = FaceSpace("ear", kind, fps, 2, ("loud", "quiet"))
    return LoadedModel(Ear(fps), {"ear": space}, ("ann", "bob"), ModelCard("ear", "An ear", ""))


def whole(loaded, samples: np.ndarray, **wanted: object) -> np.ndarray:
    planned = planning.plan(loaded, Request(**wanted))
    chunks = list(pipeline.generate(loaded, samples, planned))
    starts = list(itertools.accumulate((len(chunk.values) for chunk in chunks), initial=0))
    assert [chunk.start for chunk in chunks] == starts[:-1]
    values = np.concatenate([chunk.values for chunk in chunks])
    assert values.dtype == np.float32 and len(values) == planned.frames(len(samples)) == starts[-1]
    return values


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("seconds", [0.1, 0.5, 3.21, 24.99, 25.0, 25.02, 44.98, 45.3, 70.0])
def test_the_number_of_frames_is_seconds_times_rate(seconds: float, fps: float):
    for own in (25.0, 30.0, 60.0):
        assert len(whole(listening(own), noise(seconds), fps=fps)) == round(seconds * fps)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("second", [0.5, 2.345, 21.7, 41.111])
def test_an_onset_lands_on_its_frame(second: float, fps: float):
    """Silence, then noise: the curve crosses the middle within half a frame of the onset, across windows too."""
    samples = noise(47.0)
    samples[: round(second * SAMPLE_RATE)] = 0.0
    curve = whole(listening(), samples, fps=fps)[:, 0]
    middle = curve[-100:].mean() / 2
    after = int(np.argmax(curve > middle))
    crossing = after - (curve[after] - middle) / (curve[after] - curve[after - 1])
    assert crossing / fps == pytest.approx(second, abs=0.5 / fps)


@pytest.mark.parametrize("fps", RATES)
def test_long_sound_gives_the_same_curve_as_a_model_that_hears_it_at_once(fps: float):
    """The ear looks only at one frame's sound, so windows must leave no trace at all."""
    loaded, samples = listening(), noise(66.6)
    at_once = loaded.model.predict(torch.from_numpy(samples)[None], "ear", round(66.6 * 60), None)[0].numpy()
    frames = np.arange(round(66.6 * fps)) * 60 / fps
    expected = np.stack([np.interp(frames, np.arange(len(at_once)), channel) for channel in at_once.T], 1)
    np.testing.assert_allclose(whole(loaded, samples, fps=fps, raw=True), expected, atol=1e-5)


def test_frames_come_while_later_windows_are_not_yet_computed():
    loaded = listening()
    chunks = pipeline.generate(loaded, noise(120.0), planning.plan(loaded, Request(raw=True)))
    first = next(chunks)
    assert len(first.values) == 20 * 60
    assert len(loaded.model.windows) == 1
    assert max(loaded.model.windows) == 25 * SAMPLE_RATE
    assert sum(len(chunk.values) for chunk in chunks) == 100 * 60


def test_stop_is_asked_before_every_window():
    loaded, asked = listening(), []

    def stop() -> bool:
        asked.append(len(loaded.model.windows))
        return len(asked) == 3

    planned = planning.plan(loaded, Request(raw=True))
    with pytest.raises(Stopped):
        list(pipeline.generate(loaded, noise(120.0), planned, stop))
    assert asked == [0, 1, 2]


def test_the_mouth_rests_in_silence_and_stays_between_nought_and_one():
    loaded = listening()
    assert not whole(loaded, np.zeros(SAMPLE_RATE * 2, np.float32)).any()
    spoken = whole(loaded, noise(2.0) * 1e4)
    assert spoken.min() == 0.0 and spoken[:, 0].max() > 0.01
    assert not spoken[:, 1].any()


def test_an_identity_rests_at_its_own_pose():
    assert not whole(listening(), np.zeros(SAMPLE_RATE, np.float32), identity="bob").any()


def test_raw_gives_the_models_own_numbers():
    loaded, samples = listening(), noise(2.0) * 0.01
    own = loaded.model.predict(torch.from_numpy(samples)[None], "ear", 120, None)[0].numpy()
    np.testing.assert_array_equal(whole(loaded, samples, raw=True), own)


def test_quiet_and_loud_recordings_move_the_mouth_alike():
    quiet, loud = (whole(listening(), noise(2.0) * gain) for gain in (0.1, 3.0))
    np.testing.assert_allclose(quiet, loud, atol=1e-4)


def test_vertices_come_as_points_and_are_not_clamped():
    space = FaceSpace("mesh", "vertices", 25.0, 6)
    loaded = listening(25.0)
    loaded = replace(loaded, spaces={"mesh": space})
    loaded.model.predict = lambda audio, space, frames, identity: torch.full((1, frames, 6), -3.0)
    values = whole(loaded, noise(1.0), fps=50.0)
    assert values.shape == (50, 2, 3)
    assert (values == -3.0).all()


def test_identities_are_names_or_rows():
    loaded = listening()
    rows = {name: planning.plan(loaded, Request(identity=name)).row for name in ("ann", "1", "2", "pivot")}
    assert rows == {"ann": 0, "1": 1, "2": 2, "pivot": None}
    loaded = replace(loaded, identities=("7", "0"))
    assert planning.plan(loaded, Request(identity="0")).row == 1


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"space": "flame"}, "no face space “flame”; it has ear"),
        ({"fps": 0.5}, "0.5 frames per second"),
        ({"fps": float("nan")}, "nan frames per second"),
        ({"fps": 1e6}, "1e+06 frames per second"),
        ({"identity": "carl"}, "it has ann, bob and pivot; or name a row, 0 to 1"),
        ({"identity": "-1"}, "no identity “-1”"),
        ({"identity": "²"}, "no identity “²”"),
        ({"identity": ""}, "no identity “”"),
    ],
    ids=str,
)
def test_impossible_requests_are_refused_with_what_is_possible(wanted: dict[str, object], sentence: str):
    with pytest.raises(RequestError) as caught:
        planning.plan(listening(), Request(**wanted))
    assert sentence in str(caught.value) and str(caught.value).endswith(".")


def test_a_model_that_answers_with_broken_numbers_is_named():
    loaded = listening()
    loaded.model.predict = lambda audio, space, frames, identity: torch.full((1, frames, 2), torch.nan)
    with pytest.raises(RequestError, match="ear answers with broken numbers"):
        whole(loaded, noise(1.0))


def test_a_real_model_gives_the_same_through_windows_of_any_length(tiny):
    """A sound of just over one window: the first twenty seconds are those of the first window alone."""
    samples = noise(26.0)
    planned = planning.plan(tiny, Request(fps=24.0, raw=True))
    first = next(pipeline.generate(tiny, samples, planned)).values
    alone = np.concatenate([chunk.values for chunk in pipeline.generate(tiny, samples[: 25 * SAMPLE_RATE], planned)])
    np.testing.assert_array_equal(first, alone[: len(first)])


def test_the_rest_pose_is_found_once() -> None:
    loaded, samples = listening(), np.zeros(SAMPLE_RATE, np.float32)
    first, second = whole(loaded, samples), whole(loaded, samples)
    assert loaded.model.windows == [3 * SAMPLE_RATE, SAMPLE_RATE, SAMPLE_RATE]
    np.testing.assert_array_equal(first, second)
    whole(loaded, samples, identity="ann")
    assert loaded.model.windows[3:] == [3 * SAMPLE_RATE, SAMPLE_RATE]


def test_windows_that_are_heard_together_give_the_same_motion(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a graphics card: the first and the last window by themselves, those between them side by side."""
    samples = np.random.default_rng(0).standard_normal(130 * SAMPLE_RATE).astype(np.float32)
    alone = whole(listening(), samples, identity="bob")
    together = listening()
    monkeypatch.setattr(pipeline, "_AT_ONCE", {"cpu": 3})
    np.testing.assert_allclose(whole(together, samples, identity="bob"), alone, atol=1e-6)
    assert together.model.windows == [seconds * SAMPLE_RATE for seconds in (3, 25, 25, 25, 10)]


class Floor(torch.nn.Identity):
    """A layer of so many weights that does nothing."""

    def __init__(self, weights: int) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(torch.zeros(weights))


class Tower(Ear):
    """An ear with ten layers; a job is cancelled in the third."""

    def __init__(self, weights: int) -> None:
        super().__init__(60.0)
        self.done = 0
        self.floors = torch.nn.Sequential(*(Floor(weights) for _ in range(10)))
        for floor in self.floors:
            floor.register_forward_hook(lambda *_: setattr(self, "done", self.done + 1))

    def predict(self, audio: torch.Tensor, *others: object) -> torch.Tensor:
        return super().predict(self.floors(audio), *others)


def test_a_stop_is_heeded_between_two_layers_and_leaves_no_trace() -> None:
    tower = Tower(interruption.HEAVY)
    loaded = replace(listening(), model=tower)
    planned = planning.plan(loaded, Request(raw=True))
    samples = np.zeros(SAMPLE_RATE, np.float32)
    with pytest.raises(Stopped):
        list(pipeline.generate(loaded, samples, planned, lambda: tower.done == 3))
    assert tower.done == 3
    list(pipeline.generate(loaded, samples, planned))
    assert tower.done == 13


def test_layers_that_are_done_at_once_are_not_looked_at_one_by_one() -> None:
    tower, asked = Tower(1), []
    loaded = replace(listening(), model=tower)
    samples = np.zeros(30 * SAMPLE_RATE, np.float32)
    list(pipeline.generate(loaded, samples, planning.plan(loaded, Request(raw=True)), lambda: bool(asked.append(1))))
    assert tower.done == 20 and len(asked) == 2, "once before each of the two windows"
