# SPDX-License-Identifier: GPL-3.0-or-later
"""Moods: synthesized voices and faces that carry an emotion, and its way from the corpus to a batch of training."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile
import torch

from backend.emotions import EMOTIONS
from backend.face import ARKIT_CHANNELS
from backend.phonetics.phones import Phone
from backend.training.diffusion import talker_model
from backend.training.diffusion.chunks import Chunks, Labels
from backend.training.diffusion.config import SamplingConfig
from backend.training.lips import life, moods, voices
from backend.training.lips.voices import Sound
from backend.training.motion import motion_set
from backend.training.motion.prepare import prepare
from backend.training.speech import corpus, synthesize
from backend.training.speech import moods as voice_moods
from backend.training.speech.corpus import Recording
from backend.training.speech.spoken import Prompt
from backend.training.speech.synthesize import VoiceSet

RATE = 16000
CALM = voices.manner_of(Sound(0, 0, 0))
SOME = Prompt("espeak", "en-us+m3", "en", "Hello.")
FELT = [name for name in EMOTIONS if name != "neutral"]


def face_of(weights: dict[str, float], mouth: np.ndarray | None = None) -> np.ndarray:
    """float32 [52]: the mean of half a minute."""
    still = np.zeros((1800, 52), np.float32) if mouth is None else mouth
    parts, manner = [Phone("AA", 0.0, 30.0)], moods.moody(CALM, weights)
    return life.lively(still, 60.0, parts, manner, moods.expression(weights), np.random.default_rng(1)).mean(axis=0)


def weight(values: np.ndarray, name: str) -> float:
    return float(values[ARKIT_CHANNELS.index(name)])


# --- voices ---


def test_every_emotion_but_neutral_has_a_voice_and_a_face():
    assert set(voice_moods.TONES) == set(moods.MOODS) == set(FELT)


def test_anger_is_fast_and_bright_and_sadness_slow_low_and_dark():
    angry, sad = (voice_moods.toned(SOME, {name: 1.0}, 1.0) for name in ("angry", "sad"))
    assert angry.stretch < SOME.stretch < sad.stretch
    assert angry.tilt > 0 > sad.tilt
    assert angry.pitch > SOME.pitch > sad.pitch
    assert voice_moods.toned(SOME, {}, 1.0) == SOME


def test_a_mood_that_is_hidden_is_felt_all_the_same():
    prompt = voice_moods.toned(SOME, {"angry": 1.0}, 0.0)
    assert (prompt.pitch, prompt.stretch, prompt.tilt) == (SOME.pitch, SOME.stretch, 0)
    assert prompt.emotions == {"angry": 1.0}


def test_a_tilt_raises_high_tones_by_so_many_decibels_an_octave():
    time = np.arange(RATE) / RATE
    for hertz, decibels in ((250, 0.0), (1000, 3.0), (4000, 9.0)):
        tone = np.sin(2 * np.pi * hertz * time).astype(np.float32)
        louder = voice_moods.tilted(tone, RATE, 3.0)
        assert 20 * np.log10(louder.std() / tone.std()) == pytest.approx(decibels, abs=0.05)


def test_emotions_are_drawn_for_a_share_of_the_utterances_and_sum_up_to_at_most_one():
    drawn = [voice_moods.drawn(0.5, Random(number)) for number in range(600)]
    felt = [weights for weights in drawn if weights]
    assert 0.4 < len(felt) / len(drawn) < 0.6
    assert {name for weights in felt for name in weights} == set(FELT)
    assert {len(weights) for weights in felt} == {1, 2}
    assert all(0.39 < sum(weights.values()) < 1.01 for weights in felt)


def test_corpora_without_emotions_are_as_they_were():
    plain = VoiceSet("v", "espeak", ("en-us",), 3)
    moody = VoiceSet("v", "espeak", ("en-us",), 3, emotional=1.0)
    calm, felt = (dict(synthesize.plan((each,), 1)) for each in (plain, moody))
    assert all(not prompt.emotions for prompt in calm.values())
    assert all(prompt.emotions for prompt in felt.values())
    assert [prompt.text for prompt in calm.values()] == [prompt.text for prompt in felt.values()]


# --- faces ---


@pytest.mark.parametrize(
    ("emotion", "raised"),
    [
        ("happy", ("mouthSmileLeft", "cheekSquintRight")),
        ("sad", ("browInnerUp", "mouthFrownLeft", "eyeLookDownLeft")),
        ("angry", ("browDownLeft", "noseSneerRight")),
        ("surprised", ("browOuterUpLeft", "eyeWideLeft")),
        ("afraid", ("browInnerUp", "eyeWideRight", "mouthStretchLeft")),
        ("disgusted", ("noseSneerLeft", "mouthUpperUpRight")),
    ],
)
def test_an_emotion_shows_in_the_action_units_that_are_its_own(emotion: str, raised: tuple[str, ...]):
    calm, half, full = face_of({}), face_of({emotion: 0.5}), face_of({emotion: 1.0})
    for name in raised:
        assert weight(full, name) > weight(half, name) + 0.01 > weight(calm, name) + 0.02, name


def test_lips_that_are_shut_stay_shut_in_every_mood():
    shut = np.zeros((1800, 52), np.float32)
    shut[:, [ARKIT_CHANNELS.index("jawOpen"), ARKIT_CHANNELS.index("mouthClose")]] = 0.1
    face = face_of({"disgusted": 0.5, "surprised": 0.5}, shut)
    assert weight(face, "mouthUpperUpLeft") == weight(face, "mouthFunnel") == 0


def test_an_angry_mouth_is_wide_and_a_sad_one_small():
    sad, calm, angry = (moods.moody(CALM, weights) for weights in ({"sad": 1.0}, {}, {"angry": 1.0}))
    assert sad.jaw < calm.jaw < angry.jaw
    assert calm == CALM
    assert moods.moody(CALM, {"sad": 0.5, "angry": 0.5}).jaw == pytest.approx((sad.jaw + angry.jaw) / 2)


# --- from the corpus to a batch ---


def test_labels_travel_from_the_corpus_to_a_batch(tmp_path: Path):
    folder = tmp_path / "spoken"
    folder.mkdir()
    lines = []
    for number in range(6):
        samples = np.random.default_rng(number).normal(0, 0.1, 2 * RATE).astype(np.float32)
        soundfile.write(folder / f"{number}.flac", samples, RATE)
        felt = {"happy": 0.75} if number % 2 else {}
        phones = (Phone("sil", 0.0, 0.5), Phone("AA", 0.5, 2.0))
        about = Recording(f"{number}.flac", "", "ann", "en", "test", "none", phones, (), emotions=felt)
        lines.append(corpus.write_line(about))
    (folder / corpus.MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")
    prepare("speakers", folder, tmp_path / "out")
    sets = motion_set.read([tmp_path / "out"])
    assert {clip.name: clip.emotions for clip in sets[0].clips}["1"] == {"happy": 0.75}
    emotions = talker_model.emotions_of(sets)
    assert emotions == ("neutral", "happy")
    labels = Labels({"spoken/ann": 0}, emotions)
    batch = Chunks(sets, labels, SamplingConfig(batch=12, seconds=1.0), None, 1).batch(0)
    assert batch.emotion is not None
    assert {tuple(row) for row in batch.emotion.tolist()} == {(1.0, 0.0), (0.25, 0.75)}
    smile = batch.values[..., ARKIT_CHANNELS.index("mouthSmileLeft")].mean(dim=1)
    happy = batch.emotion[:, 1] > 0
    assert smile[happy].min() > smile[~happy].max() + 0.1
    moved = batch.to(torch.device("cpu")).emotion
    assert moved is not None and torch.equal(moved, batch.emotion)
