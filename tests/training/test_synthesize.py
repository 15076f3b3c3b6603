# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthesize: what becomes of a corpus where engines or voices are missing, and how it whispers and shouts."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from training_commands import run

from backend.__main__ import main
from backend.audio import decode
from backend.phonetics.phones import VOWELS, Phone, classes_of
from backend.training import commands
from backend.training.errors import ConfigError, EngineError
from backend.training.lips.prosody import pitch
from backend.training.speech import corpus, moods, synthesize
from backend.training.speech.sounds import bank
from backend.training.speech.spoken import Prompt, Spoken
from backend.training.speech.synthesize import ENGINES, RATE, VoiceSet, plan, read_plan

ROOT = Path(__file__).resolve().parents[2]
PLAN = """
[[sets]]
name = "known"
engine = "flite"
language = "en"
voices = ["slt"]
utterances = 2

[[sets]]
name = "missing"
engine = "festival"
language = "en"
voices = ["kal_diphone", "czech_ph"]
utterances = 8
"""

VOICES = VoiceSet("v", "espeak", ("en-us", "de"), 400, emotional=0.5)
LOUDNESS = {"plain": 0.0, "whispered": -9.0, "shouted": 3.0}
"""Decibels."""
LOUD = replace(VOICES, whispered=0.2, shouted=0.3)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A plan of three voices."""
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without programs."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def only_flite(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose only engine hisses; this process alone knows it."""

    def speak(_prompt: Prompt) -> Spoken:
        hiss = bank(1, 1.0, seed=1)[0]
        return Spoken(hiss, 16000, (Phone("s", 0.0, 1.0),), "arpabet")

    monkeypatch.setitem(ENGINES, "flite", SimpleNamespace(speak=speak, packages=ENGINES["flite"].packages))


def test_missing_voices_are_told(config: Path, only_flite: None):
    missing = synthesize.missing_voices(list(plan(read_plan(config), 1)))
    assert set(missing) == {("festival", "kal_diphone"), ("festival", "czech_ph")}
    assert "festvox-czech-ph" in missing["festival", "czech_ph"]


def test_strictly_a_missing_voice_ends_it_before_anything_is_made(config: Path, only_flite: None, tmp_path: Path):
    sentence = (
        "2 of 3 voices cannot speak here; install the Debian packages festival festvox-czech-ph festvox-kallpc16k,"
    )
    with pytest.raises(EngineError, match=sentence):
        run("synthesize", tmp_path / "corpus", "--config", config, "--strict")
    assert not (tmp_path / "corpus").exists()


def test_strictly_no_voice_at_all_names_all_packages(config: Path, bare: None, tmp_path: Path, capsys):
    assert main(["synthesize", str(tmp_path / "corpus"), "--config", str(config), "--strict"]) == 2
    said = capsys.readouterr().err
    assert "3 of 3 voices" in said and "festival festvox-czech-ph festvox-kallpc16k flite," in said
    assert len(said.splitlines()) == 1 and not (tmp_path / "corpus").exists()


def test_the_default_model_is_made_of_all_voices_or_not_at_all():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "backend synthesize $(MODEL)/corpus --strict" in makefile


@pytest.mark.parametrize("config", ["corpus", "heldout", "heldout_russian"])
def test_the_page_on_training_names_every_package(config: str):
    page = (ROOT / "docs" / "training_default.md").read_text(encoding="utf-8")
    prompts = [prompt for _, prompt in plan(read_plan(commands.CONFIGS / f"{config}.toml"), 1)]
    packages = {package for prompt in prompts for package in ENGINES[prompt.engine].packages(prompt.voice)}
    assert not [package for package in packages if not re.search(rf"{package}(?![\w-])", page)]


# --- whispers and shouts ---


def voiced(samples: np.ndarray, recording: corpus.Recording) -> list[float]:
    """Hz in the middle of each long vowel that has a voice."""
    vowels = [
        phone for phone in recording.phones if not VOWELS.isdisjoint(classes_of(phone.name, recording.alphabet)[:1])
    ]
    middles = [round((phone.start + phone.end) / 2 * RATE) for phone in vowels if phone.end - phone.start > 0.06]
    assert len(middles) > 3
    return list(filter(None, (pitch(samples[middle - 400 : middle + 400]) for middle in middles)))


def spoken(folder: Path, effort: str, engine: str, voice: str) -> tuple[np.ndarray, corpus.Recording]:
    """What a corpus has of one utterance; the test is skipped where nobody can speak it."""
    prompt = Prompt(engine, voice, "en", "Stop! Come back with my boat, Bob!", pitch=0.2, effort=effort)
    try:
        ENGINES[engine].speak(prompt)
    except EngineError as error:
        pytest.skip(f"needs a speech engine from the system's packages: {error}")
    synthesize.synthesize(folder / effort, [("utterance", prompt)], 1)
    (recording,) = corpus.read(folder / effort)
    return decode(folder / effort / recording.audio), recording


@pytest.mark.parametrize(("engine", "voice"), [("espeak", "en-us"), ("flite", "rms"), ("festival", "kal_diphone")])
def test_a_whisper_has_no_voice_and_a_shout_a_higher_one_at_the_same_times(tmp_path: Path, engine: str, voice: str):
    (plain, calm), *strained = (spoken(tmp_path, effort, engine, voice) for effort in ("plain", "whispered", "shouted"))
    for effort, (samples, recording) in zip(("whispered", "shouted"), strained, strict=True):
        assert replace(recording, effort="plain") == calm and recording.effort == effort
        assert samples.shape == plain.shape and np.abs(samples).max() == pytest.approx(np.abs(plain).max(), abs=0.01)
        # the resampler of the plain voice rings for a millisecond beyond its edges
        before, after = recording.phones[0].end - 0.002, recording.phones[-1].start + 0.002
        assert not samples[: round(before * RATE)].any() and not samples[round(after * RATE) :].any()
    whisper, shout = (voiced(samples, calm) for samples, _ in strained)
    assert len(whisper) <= 0.2 * len(voiced(plain, calm))
    assert np.median(shout) > 1.2 * np.median(voiced(plain, calm))


def test_shares_of_the_utterances_are_whispered_and_shouted():
    prompts = [prompt for _, prompt in plan((LOUD,), 1)]
    counted = Counter(prompt.effort for prompt in prompts)
    assert 50 < counted["whispered"] < 110 and 85 < counted["shouted"] < 155
    assert {prompt.effort for _, prompt in plan((replace(VOICES, shouted=1.0),), 1)} == {"shouted"}
    assert any("closer" in prompt.text for prompt in prompts if prompt.effort == "whispered")
    assert any("Come back" in prompt.text for prompt in prompts if prompt.effort == "shouted")


def test_utterances_that_are_spoken_plainly_are_as_they_were():
    before, after = (dict(plan((each,), 1)) for each in (VOICES, LOUD))
    assert all(prompt.effort == "plain" for prompt in before.values())
    assert all(prompt == before[name] for name, prompt in after.items() if prompt.effort == "plain")


def test_shouts_are_slow_and_loud_and_whispers_soft_in_every_mood():
    prompts = [prompt for _, prompt in plan((replace(LOUD, stretch=(1.0, 1.0)),), 1)]
    by_effort = {effort: [prompt for prompt in prompts if prompt.effort == effort] for effort in LOUDNESS}
    for effort, usual in LOUDNESS.items():
        calm, felt = (
            [prompt for prompt in by_effort[effort] if bool(prompt.emotions) == moody] for moody in (False, True)
        )
        assert {prompt.loudness for prompt in calm} == {usual}
        assert min(prompt.loudness for prompt in felt) < usual < max(prompt.loudness for prompt in felt)
        assert {prompt.stretch for prompt in calm} == {1.15 if effort == "shouted" else 1.0}
    most = LOUDNESS["shouted"] + max(tone.loudness for tone in moods.TONES.values())
    assert 0.5 * 10 ** (most / 20) < 1, "as loud as a file can be"


@pytest.mark.parametrize(
    "shares", ["whispered = -0.1", "shouted = 1.1", "whispered = 0.6\nshouted = 0.5", "shouted = nan"]
)
def test_impossible_shares_are_refused_in_a_sentence(tmp_path: Path, shares: str):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN + shares + "\n", encoding="utf-8")
    sentence = r"config\.sets\[1\]: the shares whispered and shouted are 0 or more, and at most 1 together\.$"
    with pytest.raises(ConfigError, match=sentence):
        read_plan(path)


def test_manifests_from_before_are_plain(tmp_path: Path):
    old = {"audio": "a.flac", "text": "", "speaker": "", "language": "", "source": "", "licence": "", "phones": []}
    (tmp_path / corpus.MANIFEST).write_text(json.dumps(old) + "\n", encoding="utf-8")
    assert corpus.read(tmp_path)[0].effort == "plain"
