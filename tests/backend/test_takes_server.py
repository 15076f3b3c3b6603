# SPDX-License-Identifier: GPL-3.0-or-later
"""A real server process and a model that denoises: takes, styles and emotions through the pipe."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from backend import audio, checkpoint, pipeline, planning, precision, takes
from backend.__main__ import main
from backend.performance import MOST_TAKES, Performance
from backend.protocol import Cancel, Cancelled, Failed, Finished, Frames, ModelInfo, Ready, Reply
from tests.data import tiny_talker


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_talker.save(tmp_path_factory.mktemp("talker"))


@pytest.fixture(scope="module")
def known(serve_command, file: Path) -> Iterator[tuple]:
    """A server that knows the model, and what it has told of all its models."""
    from tests.backend.conftest import Client

    client = Client(serve_command("--models", str(file.parent), "--device", "cpu"), {})
    ready = client.next()
    assert isinstance(ready, Ready)
    yield client, {model.name: model for model in ready.models}
    assert client.leave() == 0


@pytest.fixture
def ask(known, request_for) -> Callable[..., list[Reply]]:
    """All replies to one request to the model."""
    client, _ = known

    def ask(seconds: float = 1.0, **fields: object) -> list[Reply]:
        job = client.job()
        client.send(request_for(job, seconds, **{"model": "talker", "fps": 30.0, "raw": True, **fields}))
        return client.until_end(job)

    return ask


def performed(replies: list[Reply]) -> np.ndarray:
    """[takes, frames, channels]; each take's frames must have come in order and without gaps."""
    assert isinstance(replies[-1], Finished), replies[-1]
    found: dict[int, list[np.ndarray]] = {}
    for piece in replies:
        if isinstance(piece, Frames):
            pieces = found.setdefault(piece.take, [])
            assert piece.start == sum(map(len, pieces))
            pieces.append(piece.values)
    return np.stack([np.concatenate(found[take]) for take in range(len(replies[-1].metadata))])


def test_models_say_what_they_can_do(known):
    models: dict[str, ModelInfo] = known[1]
    talker, default = models["talker"], models["default"]
    assert (talker.steps, talker.most_steps, talker.most_takes) == (2, 16, MOST_TAKES)
    assert talker.emotions == ("neutral", "happy", "sad")
    assert (default.steps, default.most_takes, default.emotions) == (0, 1, ())


def test_every_take_arrives_under_its_number(ask, file: Path, make_sound):
    """Several windows of sound, each in pieces; what comes is what the pipeline gives."""
    sound = make_sound(30.0)
    replies = ask(30.0, sound=sound, takes=3, seed=7, steps=4, guidance=1.5)
    motions = performed(replies)
    assert motions.shape == (3, 900, 52)
    told = [json.loads(text) for text in replies[-1].metadata]
    assert [(one["seed"], one["steps"], one["guidance"]) for one in told] == [(7, 4, 1.5), (8, 4, 1.5), (9, 4, 1.5)]
    loaded = precision.ready(checkpoint.load(file), "cpu")
    wanted = Performance(steps=4, seed=7, takes=3, guidance=1.5)
    planned = planning.plan(loaded, planning.Request(fps=30.0, raw=True, performance=wanted))
    chunks = list(pipeline.generate(loaded, audio.decode(sound), planned))
    for take, motion in enumerate(motions):
        direct = np.concatenate([chunk.values for chunk in chunks if chunk.take == take])
        np.testing.assert_allclose(motion, direct, atol=1e-5)


def test_a_style_is_heard_in_the_bytes_of_a_recording(ask, file: Path, make_sound):
    reference = np.frombuffer(make_sound(8.0), np.uint8)
    about = {"reference": reference, "reference_start": 1.0, "reference_duration": 3.0}
    plain = performed(ask())
    nearest, heard = ask(**about), ask(style="heard", **about)
    assert json.loads(nearest[-1].metadata[0])["identity"] in ("ann", "bob")
    assert json.loads(heard[-1].metadata[0])["identity"] == "heard"
    assert np.abs(performed(heard) - plain).mean() > 1e-4
    loaded = precision.ready(checkpoint.load(file), "cpu")
    stretch = audio.decode(reference.tobytes(), 1.0, 3.0)
    wanted = planning.styled(loaded, planning.Request(fps=30.0, raw=True), stretch, "heard")
    assert takes.REFERENCE_SECONDS > 3
    planned = planning.plan(loaded, wanted)
    direct = [chunk.values for chunk in pipeline.generate(loaded, audio.decode(make_sound(1.0)), planned)]
    np.testing.assert_allclose(performed(heard)[0], np.concatenate(direct), atol=1e-5)


def felt(*weights: tuple[float, float], seconds: tuple[float, ...] = (0.0,)) -> dict[str, object]:
    """Happy and sad at some seconds."""
    table = np.array(weights, np.float32)
    return {
        "emotions": ("happy", "sad"),
        "emotion_seconds": np.array(seconds, np.float32),
        "emotion_weights": table,
    }


def test_emotions_change_along_the_clip(ask):
    """Happy at first and sad at last is what each is alone, at either end."""
    happy, sad = performed(ask(4.0, **felt((1, 0))))[0], performed(ask(4.0, **felt((0, 1))))[0]
    turning = performed(ask(4.0, **felt((1, 0), (0, 1), seconds=(1.5, 2.5))))[0]
    assert np.abs(happy - sad).mean() > 1e-3
    np.testing.assert_allclose(turning[:20], happy[:20], atol=1e-4)
    np.testing.assert_allclose(turning[-20:], sad[-20:], atol=1e-4)


def test_takes_are_cancelled_in_the_middle(known, request_for):
    client, _ = known
    job, after = client.job(), client.job()
    client.send(request_for(job, 1200.0, model="talker", takes=8))
    while not isinstance(client.next(), Frames):
        pass
    client.send(Cancel(job), request_for(after, model="talker"))
    assert isinstance(client.until_end(job)[-1], Cancelled)
    assert isinstance(client.until_end(after)[-1], Finished)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model": "default", "takes": 2}, "default does not diffuse: it has one take and no takes"),
        ({"takes": 0}, "0 takes are not possible"),
        ({"takes": 1000}, "1000 takes are not possible"),
        ({"seed": -1}, "-1 is no seed"),
        ({"steps": 17}, "17 steps are not possible with talker"),
        ({"guidance": 11.0}, "guidance of 11"),
        ({"reference": np.arange(9, dtype=np.uint8)}, "The sound"),
        ({"identity": "ann", "reference": np.arange(9, dtype=np.uint8)}, "both say whose style"),
        ({"style": "loud", "reference": np.arange(9, dtype=np.uint8)}, "no style “loud”"),
        ({"emotions": ("happy",)}, "0 points of 1 emotions"),
        (felt((0.5, -1)), "weight -1"),
        (felt((1, 0), (0, 1), seconds=(1.0, 1.0)), "later second"),
    ],
)
def test_what_cannot_be_meant_fails_in_one_sentence(ask, fields: dict, sentence: str):
    end = ask(**fields)[-1]
    assert isinstance(end, Failed) and not end.detail
    assert sentence in end.reason


def test_the_list_of_models_says_so_too(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["models", "--models", str(file.parent)]) == 0
    assert "takes        up to 64, in 2 denoising steps" in capsys.readouterr().out
    assert main(["models", "--models", str(file.parent), "--json"]) == 0
    listed = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    assert (listed["talker"]["takes"], listed["talker"]["emotions"]) == (64, ["neutral", "happy", "sad"])
    assert (listed["default"]["takes"], listed["default"]["steps"]) == (1, 0)
