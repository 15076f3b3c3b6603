# SPDX-License-Identifier: GPL-3.0-or-later
"""The model in the box, through the pipeline that artists use: lips meet where they must, and rest in silence."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from backend import catalogue, checkpoint
from backend.audio import decode
from backend.face import ARKIT_CHANNELS
from backend.training.lips.evaluate import Wanted, evaluate, motion
from backend.training.lips.prepare import arrays_of
from backend.training.lips.rules import to_arkit
from backend.training.lips.score import CLOSED, aperture
from backend.training.speech import sounds
from backend.training.speech.corpus import read_pairs

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "demo" / "speech"
HELD_OUT = ROOT / "tests" / "data" / "speech"
MOST_BYTES = 12 * 2**20
MOUTH = [index for index, name in enumerate(ARKIT_CHANNELS) if name.startswith(("mouth", "jaw", "tongue"))]


@pytest.fixture(scope="module")
def model() -> checkpoint.LoadedModel:
    torch.set_num_threads(1)  # a model this small is only slowed down by more
    return checkpoint.load(catalogue.find("default"))


def opening(values: np.ndarray) -> np.ndarray:
    return aperture(torch.from_numpy(values)).numpy()


def spoken_to(model, samples: np.ndarray, folder: Path) -> np.ndarray:
    soundfile.write(folder / "sound.wav", samples, 16000)
    return motion(model, folder / "sound.wav")


@pytest.mark.parametrize("folder", [DEMO, HELD_OUT], ids=["demo speech", "held-out sentences of seen voices"])
def test_lips_meet_at_p_b_m_and_nowhere_else(model, folder):
    figures = evaluate(model, Wanted((folder,)))[str(folder)]
    assert figures["closures"] >= 10
    assert figures["recall"] >= 0.8
    assert figures["precision"] >= 0.8
    assert abs(figures["lag_ms"]) <= 20
    assert figures["curves"] >= 0.8


@pytest.mark.parametrize("folder", [DEMO, HELD_OUT], ids=["demo speech", "held-out sentences of seen voices"])
def test_mouth_rests_closed_in_pauses(model, folder):
    resting = []
    for path, recording in read_pairs(folder):
        open_between = opening(motion(model, path))
        for name, start, end in recording.phones:
            if name in ("sil", "pau") and end - start > 0.35:
                resting.append(open_between[round((start + 0.15) * 60) : round((end - 0.12) * 60)])
    frames = np.concatenate(resting)
    assert len(frames) > 10
    assert np.percentile(frames, 95) < CLOSED


def test_noise_hides_few_closures(model):
    figures = evaluate(model, Wanted((HELD_OUT,), noise=(20.0, 10.0)))
    clean, faint, loud = (row["f1"] for row in figures.values())
    assert faint > clean - 0.15
    assert loud > clean - 0.30


def test_vowels_open_the_jaw_and_round_the_lips(model):
    jaw, pucker = ARKIT_CHANNELS.index("jawOpen"), ARKIT_CHANNELS.index("mouthPucker")
    opened: dict[str, list[float]] = {"open": [], "narrow": []}
    rounded: dict[str, list[float]] = {"round": [], "wide": []}
    for path, recording in read_pairs(HELD_OUT):
        values = motion(model, path)
        for name, start, end in recording.phones:
            middle = values[round((start + end) / 2 * 60)]
            if name in ("aa", "ae", "ay", "a", "ɑː", "æ"):
                opened["open"].append(middle[jaw])
            if name in ("iy", "s", "z", "t", "iː", "i"):
                opened["narrow"].append(middle[jaw])
                rounded["wide"].append(middle[pucker])
            if name in ("uw", "w", "u", "uː"):
                rounded["round"].append(middle[pucker])
    assert np.median(opened["open"]) > 1.7 * np.median(opened["narrow"])
    assert np.median(rounded["round"]) > 3 * np.median(rounded["wide"])


@pytest.mark.parametrize("seconds", [0.2, 60.0])
def test_silence_is_a_resting_face(model, tmp_path, seconds):
    assert spoken_to(model, np.zeros(round(seconds * 16000)), tmp_path).max() < CLOSED


def test_brows_go_with_accents(model):
    """Where the rules raise them by pitch, loudness and length, and never far."""
    column, likeness = ARKIT_CHANNELS.index("browInnerUp"), []
    for path, recording in read_pairs(HELD_OUT):
        samples = decode(path)
        wanted = to_arkit(arrays_of(recording, samples)["curves"].astype(np.float32))[:, column]
        raised = motion(model, samples)[: len(wanted), column]
        assert 0.03 < raised.max() < 0.4
        if wanted.any():
            likeness.append(np.corrcoef(raised, wanted[: len(raised)])[0, 1])
    assert np.mean(likeness) > 0.35


@pytest.mark.parametrize("maker", sounds.MAKERS, ids=lambda maker: maker.__name__)
def test_sounds_without_speech_leave_the_mouth_at_rest(model, tmp_path, maker):
    sound = maker(np.random.default_rng(7), 6 * 16000)
    values = spoken_to(model, 0.05 * sound / sound.std(), tmp_path)
    farthest = 0.15 if maker is sounds.song else CLOSED  # a melody that glides is the hardest to tell from a voice
    assert np.percentile(values[:, MOUTH].max(axis=1), 95) < farthest


def test_speech_far_apart_in_a_long_silence_is_read_alike(model, tmp_path):
    """The level of a recording must not depend on how long nobody speaks in it."""
    samples, _ = soundfile.read(DEMO / "demo.flac", dtype="float32")
    alone = spoken_to(model, samples, tmp_path)
    among_silence = spoken_to(model, np.pad(samples, (16000 * 12, 16000 * 40)), tmp_path)[12 * 60 :][: len(alone)]
    assert np.corrcoef(opening(alone), opening(among_silence))[0, 1] > 0.97


def test_styles_differ_and_keep_the_closures(model):
    samples, _ = soundfile.read(DEMO / "demo.flac", dtype="float32")
    audio = torch.from_numpy(samples)[None]
    jaw = ARKIT_CHANNELS.index("jawOpen")
    rows = [torch.tensor([row]) for row in range(len(model.identities))]
    said = {
        name: model.model.predict(audio, "arkit", 300, row)[0] for name, row in zip(model.identities, rows, strict=True)
    }
    assert said["jaw"][:, jaw].mean() > 1.2 * said["lips"][:, jaw].mean()
    assert said["clear"].abs().mean() > 1.2 * said["soft"].abs().mean()


def test_it_is_small_and_says_where_it_comes_from(model):
    file = catalogue.find("default")
    assert file.stat().st_size <= MOST_BYTES
    assert model.info.licence == "GPL-3.0-or-later"
    assert "LibriSpeech" in model.info.training["attribution"]
    assert "LibriSpeech" in (file.parent / "README.md").read_text(encoding="utf-8")
