# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion and phones from one pass: the same as from two, in order, and as soon as they can be."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from backend import animating, catalogue, checkpoint, closures, hearing, known_words, pipeline, planning, windows
from backend.animating import Listening, Waiting
from backend.audio import SAMPLE_RATE, decode
from backend.checkpoint import LoadedModel, ModelCard
from backend.face import arkit
from backend.known_words import Transcript
from backend.models.denoiser import DenoiserConfig
from backend.models.diffusion_talker import DiffusionTalker
from backend.models.regression_ear import RegressionEarConfig
from backend.models.talker_config import DiffusionTalkerConfig
from backend.models.unitalker import HeadConfig
from backend.performance import Performance
from backend.phone_track import PhoneTrack
from backend.phonetics.pronunciation import PronunciationError
from backend.pipeline import Chunk, Stopped
from backend.planning import Plan, Request
from backend.sound import Sound
from tests.backend.test_known_words import ABOUT, DEMO, WRONG

torch.set_num_threads(1)
SPOKEN = decode(DEMO)
LONG = np.resize(SPOKEN, 47 * SAMPLE_RATE)
"""Three windows."""


@pytest.fixture(scope="module")
def default() -> LoadedModel:
    return checkpoint.load(catalogue.find("default"))


@pytest.fixture(scope="module")
def diffusion(default: LoadedModel) -> LoadedModel:
    """A model that diffuses and hears by a copy of the default model."""
    torch.manual_seed(0)
    ear = replace(default.model.config, auxiliary=())
    denoiser = DenoiserConfig(width=24, blocks=2, kernel=3, dilations=(1,))
    config = DiffusionTalkerConfig(
        RegressionEarConfig(ear), 2, (HeadConfig("arkit", 52),), denoiser, personal_width=16, times=16, steps=2
    )
    model = DiffusionTalker(config).eval()
    model.encoder.talker.load_state_dict(default.model.state_dict(), strict=False)
    return LoadedModel(model, {"arkit": arkit(30.0)}, ("ann",), ModelCard("diffusion", "", ""))


@pytest.fixture
def heard(default: LoadedModel, diffusion: LoadedModel) -> Iterator[list[int]]:
    """Grows by the samples of every sound that goes through an encoder of either model."""
    found: list[int] = []
    handles = [
        encoder.register_forward_hook(lambda _encoder, given, _features: found.append(given[0].shape[1]))
        for encoder in (default.model.encoder, diffusion.model.mel)
    ]
    yield found
    for handle in handles:
        handle.remove()


def motion(parts: list[object], take: int = 0) -> np.ndarray:
    return np.concatenate([part.values for part in parts if isinstance(part, Chunk) and part.take == take])


def phones(parts: list[object]) -> PhoneTrack:
    (track,) = (part for part in parts if isinstance(part, PhoneTrack))
    return track


def separately(
    speaker: LoadedModel, planned: Plan, listener: LoadedModel, samples: np.ndarray, words: Transcript | None
) -> tuple[list[Chunk], PhoneTrack]:
    """What was done before: one pass to listen, and one for the motion."""
    track = known_words.listen(listener, samples, words)
    lips = known_words.lips(track, planned)
    chunks = list(pipeline.generate(speaker, samples, planned))
    if lips is None:
        return chunks, track
    followed = (closures.follow(one.values, planned.channels, lips, one.start, planned.fps) for one in chunks)
    return [replace(one, values=values) for one, values in zip(chunks, followed, strict=True)], track


@pytest.mark.parametrize("words", [None, ABOUT["text"], WRONG], ids=["by ear", "by words", "wrong words"])
@pytest.mark.parametrize("samples", [SPOKEN, LONG], ids=["one window", "three windows"])
def test_one_pass_gives_what_two_gave(default: LoadedModel, heard: list[int], samples: np.ndarray, words: str | None):
    transcript = None if words is None else Transcript(words)
    planned = planning.plan(default, Request(fps=24.0))
    pipeline.rest_pose(default, planned)
    heard.clear()
    chunks, track = separately(default, planned, default, samples, transcript)
    assert len(heard) == 2 * len(windows.windows(len(samples)))
    heard.clear()
    parts = list(animating.animate(default, samples, planned, Listening(default, transcript)))
    assert heard == [window.stop - window.start for window in windows.windows(len(samples))]
    assert phones(parts) == track
    np.testing.assert_array_equal(motion(parts), motion(chunks))


def test_takes_are_heard_and_their_phones_read_by_one_ear(
    default: LoadedModel, diffusion: LoadedModel, heard: list[int]
):
    words = Transcript(ABOUT["text"])
    planned = planning.plan(diffusion, Request(performance=Performance(takes=2)))
    chunks, track = separately(diffusion, planned, default, SPOKEN, words)
    assert len(heard) == 2
    heard.clear()
    parts = list(animating.animate(diffusion, SPOKEN, planned, Listening(default, words)))
    assert heard == [len(SPOKEN)]
    assert phones(parts) == track and track.follows_transcript
    for take in range(2):
        np.testing.assert_array_equal(motion(parts, take), motion(chunks, take))


def test_an_ear_of_other_weights_is_not_listened_through(default: LoadedModel, diffusion: LoadedModel):
    assert hearing.overhears(default, default) and hearing.overhears(default, diffusion)
    stranger = copy.deepcopy(diffusion.model)
    with torch.no_grad():
        next(stranger.mel.parameters()).mul_(1.001)
    other = replace(diffusion, model=stranger)
    assert not hearing.overhears(default, other)
    planned = planning.plan(other, Request())
    parts = list(animating.animate(other, SPOKEN, planned, Listening(default, Transcript(ABOUT["text"]))))
    assert phones(parts) == known_words.listen(default, SPOKEN, Transcript(ABOUT["text"]))


@pytest.mark.parametrize(("fps", "raw"), [(24.0, False), (24.0, True)])
def test_motion_that_follows_no_words_comes_with_the_first_window(
    default: LoadedModel, heard: list[int], fps: float, raw: bool
):
    planned = planning.plan(default, Request(fps=fps, raw=raw))
    pipeline.rest_pose(default, planned)
    heard.clear()
    words = Transcript(ABOUT["text"]) if raw else None
    parts = animating.animate(default, LONG, planned, Listening(default, words))
    first = next(parts)
    assert isinstance(first, Chunk) and len(first.values) > 19 * fps
    assert len(heard) == 1
    *others, last = parts
    assert all(isinstance(part, Chunk) for part in others) and isinstance(last, PhoneTrack)


def test_motion_waits_for_the_words_that_its_lips_follow(default: LoadedModel):
    planned = planning.plan(default, Request())
    parts = list(animating.animate(default, LONG, planned, Listening(default, Transcript(ABOUT["text"]))))
    kinds = [kind for kind, _ in itertools.groupby(type(part) for part in parts)]
    assert kinds == [Waiting, PhoneTrack, Chunk]
    frames = sum(part.frames for part in parts if isinstance(part, Waiting))
    assert frames == len(motion(parts)) == planned.frames(len(LONG))


def test_a_file_is_animated_as_its_samples_are(default: LoadedModel):
    planned, listening = planning.plan(default, Request()), Listening(default)
    from_file, at_once = (list(animating.animate(default, each, planned, listening)) for each in (Sound(DEMO), SPOKEN))
    np.testing.assert_array_equal(motion(from_file), motion(at_once))
    assert phones(from_file) == phones(at_once)


def test_words_that_nobody_can_say_are_told_before_anything_is_heard(default: LoadedModel, heard: list[int]):
    planned = planning.plan(default, Request())
    with pytest.raises(PronunciationError, match="no words"):
        next(animating.animate(default, LONG, planned, Listening(default, Transcript("…"))))
    assert not heard


@pytest.mark.parametrize("speaker", ["default", "diffusion"])
def test_a_stop_ends_the_shared_pass(request: pytest.FixtureRequest, heard: list[int], speaker: str):
    default, loaded = (request.getfixturevalue(name) for name in ("default", speaker))
    planned = planning.plan(loaded, Request(raw=True))
    parts = animating.animate(loaded, LONG, planned, Listening(default), lambda: len(heard) == 2)
    with pytest.raises(Stopped):
        list(parts)
    assert len(heard) == 2
