# SPDX-License-Identifier: GPL-3.0-or-later
"""The model `diffusion` of the box: takes with lips alike and eyes of their own, moods that show, heard styles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from backend import catalogue, checkpoint, closures, pipeline, planning, windows
from backend import takes as performing
from backend.audio import decode
from backend.checkpoint import LoadedModel
from backend.face import ARKIT_CHANNELS
from backend.performance import Performance
from backend.planning import Request

torch.set_num_threads(1)
SPOKEN = decode(Path(__file__).resolve().parents[2] / "demo" / "speech" / "demo.flac")


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return checkpoint.load(catalogue.find("diffusion"))


def takes(loaded: LoadedModel, request: Request, spoken: np.ndarray = SPOKEN) -> np.ndarray:
    """[takes, frames, 52]."""
    planned = planning.plan(loaded, request)
    found: dict[int, list[np.ndarray]] = {}
    for chunk in pipeline.generate(loaded, spoken, planned):
        found.setdefault(chunk.take, []).append(chunk.values)
    return np.stack([np.concatenate(found[take]) for take in sorted(found)])


def channel(motion: np.ndarray, name: str) -> np.ndarray:
    return motion[..., ARKIT_CHANNELS.index(name)]


def test_weights_of_the_box_are_small_and_say_whose_they_are(loaded: LoadedModel):
    entries = catalogue.listing().entries
    assert {"default", "diffusion"} <= {entry.name for entry in entries}
    assert sum(entry.bytes for entry in entries) < 24_000_000
    assert "LibriSpeech" in str(loaded.info.training["attribution"])


def test_takes_blink_and_look_when_they_like_and_share_their_lips(loaded: LoadedModel):
    found = takes(loaded, Request(performance=Performance(takes=6)))
    lids, jaws = channel(found, "eyeBlinkLeft"), channel(found, "jawOpen")
    assert (lids.max(axis=1) > 0.7).sum() >= 3
    assert lids.std(axis=0).max() > 0.2
    for one in jaws[1:]:
        assert np.corrcoef(one, jaws[0])[0, 1] > 0.97


def test_an_emotion_shows_on_the_face_and_grows_with_its_weight(loaded: LoadedModel):
    moods = [None, {"happy": 0.5}, {"happy": 1.0}, {"angry": 1.0}]
    neutral, half, happy, angry = (takes(loaded, Request(performance=Performance(emotions=felt)))[0] for felt in moods)
    smiles = [channel(each, "mouthSmileLeft").mean() for each in (neutral, half, happy)]
    assert smiles[0] + 0.1 < smiles[1] < smiles[2] - 0.1
    assert channel(angry, "browDownLeft").mean() > channel(neutral, "browDownLeft").mean() + 0.3


def test_a_style_is_heard_in_a_recording(loaded: LoadedModel):
    styled = planning.styled(loaded, Request(), SPOKEN, "nearest")
    assert styled.identity in loaded.identities
    heard = planning.styled(loaded, Request(), SPOKEN, "heard")
    assert np.abs(takes(loaded, heard) - takes(loaded, Request())).mean() > 1e-3


def test_lips_meet_wherever_those_of_the_default_model_inside_do(loaded: LoadedModel):
    """The ear by itself, at the frames of the takes."""
    stage = performing.Stage("arkit", 30.0, None)
    pieces = list(performing._settled(loaded.model, SPOKEN, stage, lambda: None, None))
    own = np.concatenate([told for told, _ in pieces])[:, loaded.model.audio.out_features :]
    shut = closures._Face(own, ARKIT_CHANNELS).opening() < closures.HEARD_SHUT
    found = takes(loaded, Request(performance=Performance(takes=2, emotions={"happy": 1.0})))
    assert 5 < shut.sum() < 0.6 * len(shut)
    assert (closures._Face(found, ARKIT_CHANNELS).opening()[:, shut] <= closures.HEARD_SHUT).all()


def test_the_same_seed_is_the_same_motion_whatever_the_batch(loaded: LoadedModel):
    among, alone = (
        takes(loaded, Request(performance=Performance(seed=seed, takes=count)))[6 - seed]
        for seed, count in ((5, 3), (6, 1))
    )
    assert np.abs(among - alone).max() < 0.001


def test_the_same_seed_is_nearly_the_same_motion_whatever_the_window(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
):
    """Of speech, whose closures and blinks a hundredth of a second moves; the ear knows the room by the window."""
    spoken = np.tile(SPOKEN, 1 + 45 * 16000 // len(SPOKEN))
    usual = takes(loaded, Request(performance=Performance(seed=6)), spoken)
    for seconds in (12, 100):
        monkeypatch.setattr(windows, "WINDOW_SECONDS", seconds)
        apart = np.abs(takes(loaded, Request(performance=Performance(seed=6)), spoken) - usual)
        assert apart.max() < 0.15 and np.percentile(apart, 99.9) < 0.025
