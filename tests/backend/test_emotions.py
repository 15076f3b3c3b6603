# SPDX-License-Identifier: GPL-3.0-or-later
"""Emotions: their weights, how they change along a sound, and what a model does with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from backend import checkpoint, emotions, face, pipeline, planning
from backend.__main__ import main
from backend.checkpoint import LoadedModel
from backend.models.denoiser import DenoiserConfig
from backend.models.diffusion_talker import DiffusionTalker
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.talker_config import DiffusionTalkerConfig
from backend.models.unitalker import HeadConfig
from backend.performance import Performance
from backend.planning import Request, RequestError

torch.set_num_threads(1)
KNOWN = ("neutral", "happy", "sad")
SOUND = np.random.default_rng(0).normal(0, 0.1, 4 * 16000).astype(np.float32)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file of random weights that knows three emotions."""
    torch.manual_seed(0)
    config = DiffusionTalkerConfig(
        MelEncoderConfig(width=16, blocks=2, bands=20),
        3,
        (HeadConfig("arkit", 52),),
        DenoiserConfig(width=24, blocks=2, kernel=3, dilations=(1,)),
        emotions=KNOWN,
        personal_width=16,
        times=16,
        steps=2,
    )
    model = DiffusionTalker(config)
    for name, value in model.named_parameters():
        if "modulation" in name or "heads." in name:
            torch.nn.init.normal_(value, 0, 0.2)
    path = tmp_path_factory.mktemp("talker") / "moody.safetensors"
    checkpoint.save(path, model, (face.arkit(30.0),), ("ann", "bob"), checkpoint.ModelCard("moody", "", "none"))
    return path


@pytest.fixture(scope="module")
def loaded(file: Path) -> LoadedModel:
    return checkpoint.load(file)


def performed(loaded: LoadedModel, felt: emotions.Emotions | None, samples: np.ndarray = SOUND) -> np.ndarray:
    """[frames, 52]: the model's own numbers."""
    planned = planning.plan(loaded, Request(raw=True, performance=Performance(emotions=felt)))
    return np.concatenate([chunk.values for chunk in pipeline.generate(loaded, samples, planned)])


# --- weights ---


def test_neutral_fills_what_the_others_leave():
    assert emotions.shares({"happy": 0.25}, KNOWN) == pytest.approx([0.75, 0.25, 0])
    assert emotions.shares({}, KNOWN) == pytest.approx([1, 0, 0])


def test_more_than_a_whole_is_scaled_down():
    assert emotions.shares({"happy": 3, "sad": 1}, KNOWN) == pytest.approx([0, 0.75, 0.25])


def test_points_are_joined_by_straight_lines_and_held_at_both_ends():
    felt = [(1.0, {"happy": 1.0}), (2.0, {"sad": 0.5})]
    found = emotions.shares_at(felt, KNOWN, np.array([0.0, 1.0, 1.5, 2.0, 9.0]))
    assert found[:, 1] == pytest.approx([1, 1, 0.5, 0, 0])
    assert found[:, 2] == pytest.approx([0, 0, 0.25, 0.5, 0.5])
    assert found.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("felt", "says"),
    [
        ({"bored": 1.0}, "“bored” is no emotion; choose among neutral, happy"),
        ({"happy": -0.1}, "weight -0.1; choose 0 or more"),
        ({"happy": float("nan")}, "weight nan"),
        ([], "one point or more"),
        ([(1.0, {"happy": 1.0}), (1.0, {})], "later second"),
    ],
)
def test_what_nobody_can_feel_is_refused_by_a_sentence(felt: emotions.Emotions, says: str):
    with pytest.raises(ValueError, match=says):
        Performance(emotions=felt)


# --- models ---


def test_an_emotion_changes_the_motion_and_neutral_is_what_comes_without_one(loaded: LoadedModel):
    calm, happy = performed(loaded, None), performed(loaded, {"happy": 1.0})
    assert np.array_equal(performed(loaded, {"neutral": 1.0}), calm)
    assert np.abs(happy - calm).mean() > 0.01


def test_a_mixture_lies_between_its_emotions(loaded: LoadedModel):
    happy, sad, both = (performed(loaded, felt) for felt in ({"happy": 1}, {"sad": 1}, {"happy": 0.5, "sad": 0.5}))
    apart = np.abs(happy - sad).mean()
    assert 0 < np.abs(both - happy).mean() < apart
    assert 0 < np.abs(both - sad).mean() < apart


def test_an_emotion_that_changes_is_felt_when_it_is_said_to_be(loaded: LoadedModel):
    happy, sad = performed(loaded, {"happy": 1.0}), performed(loaded, {"sad": 1.0})
    felt = performed(loaded, [(1.9, {"happy": 1.0}), (2.1, {"sad": 1.0})])
    assert np.allclose(felt[:50], happy[:50], atol=1e-5)
    assert np.allclose(felt[-50:], sad[-50:], atol=1e-5)


def test_an_emotion_changes_at_its_second_in_a_sound_of_many_windows(loaded: LoadedModel):
    long = np.tile(SOUND, 15)
    point = [(39.9, {"happy": 1.0}), (40.1, {"sad": 1.0})]
    felt = performed(loaded, point, long)
    happy, sad = performed(loaded, {"happy": 1.0}, long), performed(loaded, {"sad": 1.0}, long)
    assert np.allclose(felt[:1180], happy[:1180], atol=1e-5)
    assert np.allclose(felt[1220:], sad[1220:], atol=1e-5)


def test_the_face_is_not_counted_from_the_smile_that_was_asked_for(loaded: LoadedModel):
    request = Request(performance=Performance())
    happy = replace(request, performance=Performance(emotions={"happy": 1.0}))
    rests = [pipeline.rest_pose(loaded, planning.plan(loaded, each)) for each in (request, happy)]
    assert np.array_equal(rests[0], rests[1])


def test_an_emotion_that_a_model_does_not_know_is_refused(loaded: LoadedModel):
    with pytest.raises(RequestError, match="moody does not know the emotion angry; it knows neutral, happy, sad"):
        planning.plan(loaded, Request(performance=Performance(emotions={"angry": 1.0})))
    planning.plan(loaded, Request(performance=Performance(emotions={"angry": 0.0})))


def test_a_model_that_does_not_diffuse_feels_nothing():
    from backend import catalogue

    default = checkpoint.load(catalogue.find("default"))
    with pytest.raises(RequestError, match="no emotions to choose"):
        planning.plan(default, Request(performance=Performance(emotions={"happy": 1.0})))


# --- the command ---


def test_the_command_mixes_emotions_and_writes_down_which(file: Path, tmp_path: Path):
    sound, output = tmp_path / "talk.wav", tmp_path / "talk.npz"
    soundfile.write(sound, SOUND[:16000], 16000)
    asked = ["--emotion", "happy=0.7", "--emotion", "sad=0.3"]
    assert main(["generate", str(sound), "--model", str(file), "--output", str(output), *asked]) == 0
    with np.load(output) as motion:
        assert json.loads(str(motion["metadata"]))["emotions"] == "happy=0.7 sad=0.3"


@pytest.mark.parametrize("text", ["happy", "happy=much", "bored=1"])
def test_the_command_says_how_emotions_are_written(file: Path, tmp_path: Path, text: str, capsys):
    sound = tmp_path / "talk.wav"
    soundfile.write(sound, SOUND[:16000], 16000)
    assert main(["generate", str(sound), "--model", str(file), "--emotion", text]) == 2
    assert "emotion" in capsys.readouterr().err
