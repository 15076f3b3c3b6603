# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthesized speakers: a manner that goes with the voice, and a face that lives beside the mouth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend.face import ARKIT_CHANNELS
from backend.phonetics.phones import Phone, split
from backend.training import readers
from backend.training.errors import CorpusError
from backend.training.lips import life, moods, rules, voices
from backend.training.lips.voices import Sound
from backend.training.readers import speakers
from backend.training.speech import corpus
from backend.training.speech.corpus import Recording

RATE = 16000
CALM = voices.manner_of(Sound(0, 0, 0))
CALM_FACE = moods.Expression()


def channel(values: np.ndarray, name: str) -> np.ndarray:
    return values[..., ARKIT_CHANNELS.index(name)]


def buzz(hertz: float, seconds: float, harmonics: int) -> np.ndarray:
    """A voice of so many harmonics: the more, the brighter."""
    time = np.arange(round(seconds * RATE)) / RATE
    waves = [np.sin(2 * np.pi * hertz * number * time) / number**0.3 for number in range(1, harmonics + 1)]
    return (0.2 * np.sum(waves, axis=0) / harmonics**0.5).astype(np.float32)


def talk(seconds: float, each: float) -> list[Phone]:
    """Vowels and closures in turn, with a pause every two seconds."""
    names = ("AA", "P", "IY", "T")
    starts = np.arange(0, seconds - each, each)
    return [
        Phone("sil" if start % 2 < 0.4 else names[number % 4], float(start), float(start + each))
        for number, start in enumerate(starts)
    ]


def minutes_of(
    manner: voices.Manner, count: int = 20, seconds: float = 30.0, felt: moods.Expression = CALM_FACE
) -> list[np.ndarray]:
    parts = split(talk(seconds, 0.12), "arpabet")
    still = np.zeros((round(seconds * 60), 52), np.float32)
    return [life.lively(still, 60.0, parts, manner, felt, np.random.default_rng(seed)) for seed in range(count)]


# --- voices ---


def test_a_voice_is_heard_as_it_is():
    low, high = (voices.sound_of([buzz(hertz, 1.0, 12)], [talk(1, 0.1)]) for hertz in (100, 250))
    assert low.pitch < -0.5 < 0.5 < high.pitch
    dark, bright = (voices.sound_of([buzz(150, 1.0, count)], [talk(1, 0.1)]) for count in (4, 40))
    assert bright.brightness > dark.brightness + 0.5
    assert abs(dark.pitch) < 0.05
    slow, fast = (voices.sound_of([buzz(150, 1.0, 12)], [talk(1, each)]) for each in (0.12, 0.06))
    assert fast.tempo > slow.tempo + 1


def test_silence_and_noise_are_voices_too():
    for samples in (np.zeros(100, np.float32), np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)):
        manner = voices.manner_of(voices.sound_of([samples], [[]]))
        assert all(np.isfinite(value) for value in vars(manner).values())


def test_who_sounds_alike_moves_alike():
    slow, fast = voices.manner_of(Sound(0, 0, -1)), voices.manner_of(Sound(0, 0, 1))
    assert slow.jaw > 1.1 > 0.9 > fast.jaw
    assert voices.manner_of(Sound(0, -1, 0)).rounding > 1.1
    assert voices.manner_of(Sound(1, 1, 0)).smile > 0.1
    assert abs(voices.manner_of(Sound(0.3, 0.2, 0)).jaw - voices.manner_of(Sound(0.31, 0.2, 0)).jaw) < 0.01


def test_a_mouth_that_is_shut_stays_shut_in_every_manner():
    phones = [Phone("sil", 0, 0.3), Phone("AA", 0.3, 0.5), Phone("P", 0.5, 0.6), Phone("AA", 0.6, 0.8)]
    curves = rules.weights(rules.Speech(phones, [(0.5, 0.6)]), 48, 60.0)
    shut = round(0.55 * 60)
    for tempo in (-2, 2):
        moved = voices.articulated(curves, voices.manner_of(Sound(0, 0, tempo)))
        jaw, close = (moved[shut, rules.CHANNELS.index(name)] for name in ("jawOpen", "mouthClose"))
        assert close > 0.9 * jaw
    assert not np.allclose(moved, curves)


# --- life ---


@pytest.mark.parametrize("rate", [8.0, 24.0])
def test_blinks_come_as_often_as_the_speaker_blinks(rate: float):
    faces = minutes_of(replace(CALM, blinks=rate, gaze=0.0))
    lids = np.stack([channel(face, "eyeBlinkLeft") > 0.5 for face in faces])
    blinks = (lids[:, 1:] & ~lids[:, :-1]).sum() / (len(faces) * 0.5)
    assert 0.7 * rate < blinks < 1.3 * rate
    lengths = lids.sum() / (lids[:, 1:] & ~lids[:, :-1]).sum() / 60
    assert 0.08 < lengths < 0.3


def test_both_eyes_look_the_same_way_and_come_back():
    faces = np.stack(minutes_of(CALM))
    looks = {side: channel(faces, f"eyeLook{side}") for side in ("InLeft", "OutRight", "OutLeft", "InRight")}
    np.testing.assert_array_equal(looks["InLeft"], looks["OutRight"])
    np.testing.assert_array_equal(looks["OutLeft"], looks["InRight"])
    assert (np.minimum(looks["InLeft"], looks["OutLeft"]) == 0).all()
    away = (looks["InLeft"] + looks["OutLeft"]) > 0.05
    assert 0.2 < away.mean() < 0.7


def test_lively_brows_move_more():
    calm, lively = (np.stack(minutes_of(replace(CALM, brows=amount))) for amount in (0.1, 0.8))
    assert channel(lively, "browInnerUp").mean() > 1.5 * channel(calm, "browInnerUp").mean()


def test_a_face_differs_from_take_to_take_and_is_a_face():
    one, other = minutes_of(CALM, count=2)
    assert np.abs(one - other).max() > 0.5
    assert one.min() >= 0 and one.max() <= 1
    assert one.dtype == np.float32


def test_an_asymmetric_mouth_leans():
    mouth = np.zeros((60, 52), np.float32)
    mouth[:, [ARKIT_CHANNELS.index("mouthSmileLeft"), ARKIT_CHANNELS.index("mouthSmileRight")]] = 0.5
    leaning = replace(CALM, asymmetry=0.2)
    face = life.lively(mouth, 60.0, [Phone("sil", 0, 1)], leaning, CALM_FACE, np.random.default_rng())
    assert channel(face, "mouthSmileLeft").mean() > 1.3 * channel(face, "mouthSmileRight").mean()


# --- the reader ---


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    folder = tmp_path / "spoken"
    folder.mkdir()
    lines = []
    for number in range(12):
        speaker, hertz = ("ann", 240) if number % 2 else ("bob", 90)
        soundfile.write(folder / f"{number}.flac", buzz(hertz, 1.5, 12), RATE)
        phones = tuple(talk(1.5, 0.1))
        about = Recording(f"{number}.flac", "", speaker, "en", "test", "none", phones, ((0.6, 0.65),))
        lines.append(corpus.write_line(about))
    (folder / corpus.MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_a_corpus_becomes_speakers(spoken: Path):
    (found,) = readers.reader("speakers")(spoken)
    assert found.identities == ("ann", "bob")
    assert (found.space.name, found.space.fps) == ("arkit", 30.0)
    assert {clip.split for clip in found.clips} == {"train", "val"}
    motions = {clip.name: clip.load() for clip in found.clips}
    assert all(values.shape == (90, 52) for values in motions.values())
    ann, bob = (clip for clip in found.clips if clip.name in ("0", "1"))
    assert not np.allclose(motions[ann.name], motions[bob.name])
    again = readers.reader("speakers")(spoken)[0]
    np.testing.assert_array_equal(again.clips[0].load(), motions[again.clips[0].name])


def test_every_recording_is_there_again_in_the_manner_of_another(spoken: Path):
    (found,) = readers.reader("speakers")(spoken)
    own = {clip.name: clip for clip in found.clips if not clip.voice}
    borrowed = {clip.name.removesuffix(speakers.BORROWED): clip for clip in found.clips if clip.voice}
    assert len(own) == 12 and own.keys() == borrowed.keys()
    for name, clip in borrowed.items():
        assert (clip.voice, clip.split, clip.audio) == (own[name].identity, own[name].split, own[name].audio)
        assert clip.identity != clip.voice
        smiles = [channel(each.load(), "mouthSmileRight").mean() for each in (own[name], clip)]
        higher = own[name] if own[name].identity == "ann" else clip
        assert (smiles[0] > smiles[1]) == (higher is own[name])  # high voices smile, whoever is heard


def test_a_speaker_is_judged_by_the_plain_voice(spoken: Path):
    recordings = [recording for recording in corpus.read(spoken) if recording.speaker == "ann"]
    whisper = replace(recordings[0], audio="not_there.flac", effort="whispered")
    assert speakers.Speaker(spoken, [whisper, *recordings]).manner == speakers.Speaker(spoken, recordings).manner


def test_a_folder_without_recordings_is_no_corpus(tmp_path: Path):
    with pytest.raises(CorpusError, match=r"manifest\.jsonl"):
        readers.reader("speakers")(tmp_path)
    (tmp_path / corpus.MANIFEST).write_text("")
    with pytest.raises(CorpusError, match="no recording"):
        readers.reader("speakers")(tmp_path)
