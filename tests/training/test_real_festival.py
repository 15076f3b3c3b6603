# SPDX-License-Identifier: GPL-3.0-or-later
"""Festival, where it is installed: what it speaks, and what becomes of a sentence that it cannot speak."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from backend.training.errors import EngineError
from backend.training.speech import festival
from backend.training.speech.spoken import Prompt, Spoken
from backend.training.speech.synthesize import synthesize

if shutil.which("festival") is None:
    pytest.skip("needs festival and its voices from the system's packages", allow_module_level=True)

SENTENCES = {
    "kal_diphone": "My mother bought 12 apples, Bob!",
    "lp_diphone": "La mamma beve poco.",
    "czech_ph": "Máma mele maso, a táta pije pivo.",
    "czech_dita": "Babička peče bábovku.",
    "suo_fi_lj_diphone": "Minä en puhu, vaan syön.",
    "hindi_NSK_diphone": "मेरा भाई बाज़ार में है.",
    "upc_ca_ona_hts": "La mare beu aigua.",
}


def spoken(voice: str, text: str = "") -> Spoken:
    """A text, else the voice's own sentence; the test is skipped where the voice is missing."""
    try:
        return festival.speak(Prompt("festival", voice, "", text or SENTENCES[voice]))
    except EngineError as error:
        if "install" not in str(error):
            raise
        pytest.skip(f"needs a voice from the system's packages: {error}")


def alike(one: Spoken, other: Spoken) -> bool:
    return one.samples.tobytes() == other.samples.tobytes() and one.phones == other.phones


@pytest.mark.parametrize("voice", SENTENCES)
def test_room_for_scheme_changes_no_sample(voice: str, monkeypatch: pytest.MonkeyPatch):
    small = spoken(voice)
    monkeypatch.setattr(festival, "_CELLS", 10_000_000)  # as Festival has it
    assert alike(spoken(voice), small)


@pytest.mark.parametrize("voice", ["kal_diphone", "upc_ca_ona_hts"])
def test_there_is_room_for_long_texts(voice: str):
    assert len(spoken(voice, SENTENCES[voice] * 20).samples) > 10 * len(spoken(voice).samples)


def test_a_sentence_that_takes_forever_is_given_up(monkeypatch: pytest.MonkeyPatch):
    spoken("kal_diphone")
    monkeypatch.setattr(festival, "_PATIENCE", 0.01)
    with pytest.raises(EngineError, match=r"Festival failed on: My mother"):
        spoken("kal_diphone")


@pytest.mark.parametrize(("voice", "text"), [("kal_diphone", "..."), ("hindi_NSK_diphone", "Hello, Bob.")])
def test_a_sentence_that_festival_fails_on_or_dies_of_is_named(voice: str, text: str):
    expected = spoken(voice)
    with pytest.raises(EngineError, match=re.escape(f"Festival failed on: {text}")):
        spoken(voice, text)
    assert alike(spoken(voice), expected)


@pytest.mark.parametrize(
    "text", ['Bob") (quit) (print "Bob', 'Bob\\") (quit) (print "Bob', "Bob\\", "Bob) (quit)\n(quit)"]
)
def test_no_text_is_taken_for_scheme(text: str):
    assert len(spoken("kal_diphone", text).samples) > len(spoken("kal_diphone", "Bob").samples)


def test_a_corpus_is_the_same_from_one_process_and_from_two(tmp_path: Path):
    voices = ("kal_diphone", "czech_ph", "czech_dita")
    for voice in voices:
        spoken(voice)
    utterances = [
        (f"{voice}-{index}", Prompt("festival", voice, "", SENTENCES[voice], 1 + 0.1 * index))
        for index in range(3)
        for voice in voices
    ]
    made = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        assert synthesize(folder, utterances, processes) == len(utterances)
        lines = sorted((folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
        made.append((lines, {path.name: path.read_bytes() for path in (folder / "audio").iterdir()}))
    assert len(made[0][1]) == len(utterances) and made[0] == made[1]
