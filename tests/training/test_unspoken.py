# SPDX-License-Identifier: GPL-3.0-or-later
"""Sounds that nobody speaks in: found in packages, played here, and drawn in training with the mouth at rest."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend.phonetics.phones import CLASSES, SILENCE
from backend.training.errors import CorpusError
from backend.training.lips.augment import mixed
from backend.training.lips.config import AugmentConfig, DataConfig, GroupConfig
from backend.training.lips.data import TrainingSet
from backend.training.lips.prepare import prepare
from backend.training.speech import corpus, music, sounds, unspoken

RATE = 16000
SPEECH = Path(__file__).parents[1] / "data" / "speech"
ANIMALS = Path("usr/share/tuxpaint/stamps/animals/birds")
TOOLS = Path("usr/share/tuxpaint/stamps/household/tools")
MUSIC = Path("usr/share/games/warmux/music/ingame")
VOICES = Path("usr/share/games/warmux/sound/default/voices")


def put(file: Path, seconds: float, pitch: float = 700.0) -> Path:
    """A tone in a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, 0.2 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * RATE)) / RATE), RATE)
    return file


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Unpacked packages: a bird that calls, is named, and clicks; a tool; a piece of music; a voice."""
    folder = tmp_path / "packages"
    put(folder / ANIMALS / "bird.ogg", 1.5)
    put(folder / ANIMALS / "crow.wav", 1.0)
    put(folder / ANIMALS / "bird_desc.ogg", 1.0)
    put(folder / ANIMALS / "click.wav", 0.05)
    put(folder / TOOLS / "hammer.wav", 1.0)
    put(folder / MUSIC / "march.ogg", 40.0, 300.0)
    put(folder / VOICES / "hurray.ogg", 1.0)
    return folder


def test_animals_and_music_are_found_and_no_voice_and_no_name(tree: Path):
    found = {one.name: [sound.name for sound in one.sounds] for one in unspoken.find(tree)}
    assert found == {"animals-birds": ["bird.ogg", "crow.wav"], "music-ingame": ["march.ogg"]}


def test_a_folder_without_packages_says_how_to_get_them(tmp_path: Path):
    with pytest.raises(CorpusError, match="apt-get download tuxpaint-stamps-default warmux-data"):
        unspoken.find(tmp_path)


def test_a_broken_sound_is_named(tree: Path):
    (tree / MUSIC / "torn.ogg").write_bytes(b"OggS and no more")
    with pytest.raises(CorpusError, match=r"torn\.ogg"):
        unspoken.find(tree)


def test_they_become_a_corpus_of_silence_in_short_parts(tree: Path, tmp_path: Path):
    minutes = unspoken.write(unspoken.find(tree), 0, tmp_path / "corpus")
    recordings = corpus.read(tmp_path / "corpus")
    assert minutes == pytest.approx((1.5 + 1.0 + 40 + 3 * 0.25) / 60, abs=0.01)
    assert len(recordings) == 1 + 3  # 40 s in three parts
    for recording in recordings:
        assert recording.duration <= unspoken.LONGEST
        assert recording.phones == ((CLASSES[SILENCE], 0.0, recording.duration),)
        assert (recording.text, recording.language, recording.closures) == ("", "zxx", ())
        assert soundfile.info(tmp_path / "corpus" / recording.audio).duration == pytest.approx(recording.duration)


@pytest.fixture
def prepared(tree: Path, tmp_path: Path) -> Path:
    """The set of these sounds and of a voice."""
    unspoken.write(unspoken.find(tree), 0, tmp_path / "corpus")
    voice = tmp_path / "voice"
    voice.mkdir()
    path, spoken = corpus.read_pairs(SPEECH)[0]
    shutil.copy(path, voice / path.name)
    (voice / corpus.MANIFEST).write_text(corpus.write_line(dataclasses.replace(spoken, source="voice")) + "\n")
    prepare([tmp_path / "corpus", voice], tmp_path / "set")
    return tmp_path / "set"


GROUPS = (
    GroupConfig("voices", 1.0, ("voice",)),
    GroupConfig("animals", 0.0, ("tuxpaint-stamps-default, animals",), background=True),
    GroupConfig("music", 0.0, ("warmux-data, music",), background=True),
)
QUIET = AugmentConfig(clean=1.0, interrupted=0.0, speed=0.0, tempo=0.0)


def test_a_mouth_rests_over_them_in_training(prepared: Path):
    data = DataConfig(GROUPS, batch=12, seconds=2.0, rest=1.0, recorded=1.0, pivot=1.0)  # no style smiles
    batch = TrainingSet(prepared, data, QUIET, seed=1).batch(1)
    assert batch.values.max() <= 0.011  # the jaw of a pause, by the rules
    assert (batch.visemes == SILENCE).all()
    pitches = np.abs(np.fft.rfft(batch.audio.numpy(), axis=1)).argmax(axis=1) / 2.0
    heard = {round(pitch, -2) for pitch, row in zip(pitches, batch.audio.numpy(), strict=True) if row.any()}
    assert heard == {700.0, 300.0}


def test_they_are_heard_behind_a_voice(prepared: Path):
    loud = AugmentConfig(noise=1.0, loudest_noise=0.0, white=0.0, recorded=1.0)
    chunks = TrainingSet(prepared, DataConfig(GROUPS, seconds=2.0), loud, seed=1)
    assert chunks.recorded is not None
    assert np.sqrt(np.mean(chunks.recorded**2, axis=1)) == pytest.approx(1.0, abs=1e-3)
    voice = 0.1 * np.random.default_rng(1).standard_normal((40, 2 * RATE)).astype(np.float32)
    behind = mixed(voice, sounds.bank(20, 4.0, 1), loud, np.random.default_rng(2), chunks.recorded) - voice
    share = np.abs(np.fft.rfft(behind, axis=1)) ** 2
    tones = share[:, [*range(590, 611), *range(1390, 1411)]].sum(axis=1) / share.sum(axis=1)  # bins of half a hertz
    assert (tones > 0.9).mean() > 0.6  # the others are knocks and other voices


def test_a_config_that_asks_for_none_draws_as_before(prepared: Path):
    """Runs of older configs repeat to the last bit, also on a set with these sounds in it."""
    silent = tuple(dataclasses.replace(group, background=False) for group in GROUPS)
    batches = [
        TrainingSet(prepared, DataConfig(groups, batch=8, seconds=2.0, rest=0.5), AugmentConfig(), seed=3).batch(5)
        for groups in (GROUPS, silent)
    ]
    assert np.array_equal(batches[0].audio.numpy(), batches[1].audio.numpy())


def test_pieces_differ_nobody_sings_and_the_seed_decides():
    pieces = [music.composed(np.random.default_rng(seed), 20.0) for seed in range(40)]
    for piece in pieces:
        programs = [message.program for track in piece.tracks for message in track if message.type == "program_change"]
        assert programs and not {52, 53, 54, 85, 91} & set(programs)
        assert 10 < piece.length < 35  # whole bars, and a last note that may reach over the end
    assert len({piece.length for piece in pieces}) > 30
    again = music.composed(np.random.default_rng(7), 20.0)
    assert [list(track) for track in again.tracks] == [list(track) for track in pieces[7].tracks]


def test_no_note_is_left_sounding():
    for seed in range(20):
        for track in music.composed(np.random.default_rng(seed), 10.0).tracks:
            started = [message.note for message in track if message.type == "note_on"]
            ended = [message.note for message in track if message.type == "note_off"]
            assert sorted(started) == sorted(ended)
            assert all(message.time >= 0 for message in track)


def test_music_is_played():
    if shutil.which("fluidsynth") is None or not unspoken.SOUNDFONT.is_file():
        pytest.skip("needs fluidsynth and fluid-soundfont-gm from the system's packages")
    first, other = (music.played(np.random.default_rng(seed), 6.0, unspoken.SOUNDFONT) for seed in (1, 2))
    assert 3 * RATE < len(first) < 20 * RATE
    assert np.abs(first).max() > 0.005
    assert np.abs(first).max() <= 1
    assert len(first) != len(other) or not np.allclose(first, other)


def test_without_a_player_the_packages_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CorpusError, match="install fluidsynth and fluid-soundfont-gm"):
        music.played(np.random.default_rng(1), 5.0, unspoken.SOUNDFONT)


def test_a_missing_sound_font_is_named(tmp_path: Path):
    if shutil.which("fluidsynth") is None:
        pytest.skip("needs fluidsynth from the system's packages")
    with pytest.raises(CorpusError, match=r"none\.sf2 is missing"):
        unspoken.write([], 1, tmp_path / "corpus", soundfont=tmp_path / "none.sf2")
