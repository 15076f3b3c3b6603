# SPDX-License-Identifier: GPL-3.0-or-later
"""Known words with the shipped model on sound files: alignment, closures, wrong transcripts, command and server."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend import animating, audio, closures, known_words, motion_file, phone_track, pipeline, planning
from backend.__main__ import main
from backend.animating import Listening
from backend.face import ARKIT_CHANNELS
from backend.known_words import Transcript
from backend.phonetics import espeak
from backend.phonetics.pronunciation import PronunciationError
from backend.protocol import Failed, Finished, Phones

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "demo" / "speech" / "demo.flac"
ABOUT = json.loads(DEMO.with_suffix(".json").read_text(encoding="utf-8"))
WRONG = "Seven tired wizards are drinking cold coffee under a tree while the sun is going down."
MOUTHPIECE = (1.774, 2.669)
"""Seconds in which the demo says this word; the p in it is a closure."""
GERMAN = ROOT / "tests" / "data" / "speech" / "espeak_de_f2_pflaumen.flac"


@pytest.fixture(scope="module")
def default():
    from backend import catalogue, checkpoint

    return checkpoint.load(catalogue.find("default"))


@pytest.fixture(scope="module")
def followed(default) -> phone_track.PhoneTrack:
    return known_words.listen(default, audio.decode(DEMO), Transcript(ABOUT["text"]))


def middles(closures) -> np.ndarray:
    return np.array([(start + end) / 2 for start, end in closures])


def test_the_phones_of_a_transcript_lie_where_they_are_spoken(followed):
    assert followed.follows_transcript and followed.note == ""
    found, true = middles(phone_track.lips(followed.phones).shut), middles(ABOUT["closures_snap"])
    assert len(found) == len(true)
    assert abs(found - true).max() < 0.06
    assert np.median(abs(found - true)) < 0.025


def test_phones_tile_the_sound(followed):
    ends = [phone.end for phone in followed.phones]
    assert followed.phones[0].start == 0
    assert [phone.start for phone in followed.phones[1:]] == ends[:-1]
    assert ends[-1] == pytest.approx(len(audio.decode(DEMO)) / 16000, abs=0.011)


def test_a_wrong_transcript_is_ignored_with_a_sentence(default):
    track = known_words.listen(default, audio.decode(DEMO), Transcript(WRONG))
    assert not track.follows_transcript
    assert "does not fit" in track.note
    assert track.phones == known_words.listen(default, audio.decode(DEMO)).phones


def test_without_a_transcript_the_phones_are_heard(default):
    track = known_words.listen(default, audio.decode(DEMO))
    assert not track.follows_transcript and track.note == ""
    heard = [phone for phone in track.phones if phone.viseme in ("pb", "m")]
    true = middles(ABOUT["closures_snap"])
    near = [min(abs((phone.start + phone.end) / 2 - true)) for phone in heard]
    assert len(heard) >= len(true) / 2 and np.median(near) < 0.04


def test_lips_meet_at_every_bilabial_of_the_transcript(default):
    samples = audio.decode(DEMO)
    planned = planning.plan(default, planning.Request(fps=30.0))
    alone, following = (
        np.concatenate([part.values for part in parts if isinstance(part, pipeline.Chunk)])
        for parts in (
            animating.animate(default, samples, planned),
            animating.animate(default, samples, planned, Listening(default, Transcript(ABOUT["text"]))),
        )
    )
    jaw, close = ARKIT_CHANNELS.index("jawOpen"), ARKIT_CHANNELS.index("mouthClose")
    gap = following[:, jaw] - following[:, close]
    for middle in middles(ABOUT["closures_snap"]):
        assert gap[max(round((middle - 0.06) * 30), 0) : round((middle + 0.06) * 30) + 1].min() < 0.02
    np.testing.assert_array_equal(following[:, jaw], alone[:, jaw])


def test_raw_motion_and_faces_without_arkits_lips_are_left_to_the_model(default, followed):
    raw = planning.plan(default, planning.Request(raw=True))
    assert known_words.lips(followed, raw) is None
    heard = phone_track.PhoneTrack(followed.phones, follows_transcript=False)
    assert known_words.lips(heard, planning.plan(default, planning.Request())) is None


@pytest.mark.skipif(espeak.program() is None, reason="only espeak-ng reads German")
def test_another_language(default):
    about = json.loads(GERMAN.with_suffix(".json").read_text(encoding="utf-8"))
    track = known_words.listen(default, audio.decode(GERMAN), Transcript(about["text"], "de"))
    assert track.follows_transcript
    found, true = middles(phone_track.lips(track.phones).shut), middles(about["closures"])
    assert np.mean([min(abs(found - middle)) < 0.05 for middle in true]) >= 0.8


@pytest.fixture
def with_an_unknown_word(default, monkeypatch) -> phone_track.PhoneTrack:
    """The demo by a transcript with one word that nothing tells the sound of."""
    monkeypatch.setattr(espeak, "program", lambda: None)
    return known_words.listen(default, audio.decode(DEMO), Transcript(ABOUT["text"].replace("Mouthpiece", "Привет")))


def heard(track: phone_track.PhoneTrack) -> list[phone_track.TimedPhone]:
    return [phone for phone in track.phones if phone.name.endswith("?")]


def test_words_beside_an_unknown_one_stay_in_their_places(with_an_unknown_word, followed):
    assert with_an_unknown_word.follows_transcript
    assert with_an_unknown_word.note.endswith("left to the model there: привет.")
    first, last = heard(with_an_unknown_word)[0].start, heard(with_an_unknown_word)[-1].end
    np.testing.assert_allclose([first, last], MOUTHPIECE, atol=0.06)
    shut, true = (middles(phone_track.lips(track.phones).shut) for track in (with_an_unknown_word, followed))
    np.testing.assert_allclose(shut, true[(true < first) | (true > last)], atol=0.025)
    ends = [phone.end for phone in with_an_unknown_word.phones]
    assert [phone.start for phone in with_an_unknown_word.phones[1:]] == ends[:-1]


def test_lips_are_left_to_the_model_in_an_unknown_word(with_an_unknown_word, default):
    planned = planning.plan(default, planning.Request(fps=60.0))
    alone = np.concatenate([chunk.values for chunk in pipeline.generate(default, audio.decode(DEMO), planned)])
    lips = known_words.lips(with_an_unknown_word, planned)
    assert lips is not None
    following = closures.follow(alone, planned.channels, lips, 0, planned.fps)
    inside = slice(*(round(second * 60) for second in (MOUTHPIECE[0] + 0.12, MOUTHPIECE[1] - 0.12)))
    gaps = [closures.opening(values, planned.channels)[inside].clip(min=0) for values in (following, alone)]
    np.testing.assert_allclose(gaps[0], gaps[1], atol=1e-6)
    assert gaps[1].min() == 0, "the p, which the transcript does not tell of"


def test_a_transcript_of_too_many_unknown_words_is_ignored_and_they_are_named(default, monkeypatch):
    monkeypatch.setattr(espeak, "program", lambda: None)
    track = known_words.listen(default, audio.decode(DEMO), Transcript("Hello Привет 你好 мир"))
    assert not track.follows_transcript
    assert "does not fit" in track.note and "привет, 你好, мир" in track.note


WRITTEN = {
    "notes": "read",
    "notes.md": "read",
    "notes.TXT": "read",
    "folder": "folder",
    "Open notes.md": "Open notes.md",
    "gone.md": "gone.md",
    "Hello " * 900: "Hello " * 900,
}
"""What `--transcript` may be given, and what is meant; the same table as in tests/addon/test_known_words.py."""


@pytest.mark.parametrize("written", WRITTEN)
def test_a_file_that_is_there_is_read_whatever_its_name(written: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    for name in ("notes", "notes.md", "notes.TXT"):
        Path(name).write_text("read", encoding="utf-8")
    assert known_words.meant(written) == WRITTEN[written]
    with pytest.raises(PronunciationError, match=r"gone\.txt cannot be read"):
        known_words.meant("gone.txt")


@pytest.fixture
def talk(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "talk.flac"
    path.write_bytes(DEMO.read_bytes())
    return path


def test_the_command_takes_text_file_or_sidecar(talk: Path, capsys):
    Path("words.txt").write_text(ABOUT["text"], encoding="utf-8")
    talk.with_suffix(".txt").write_text(ABOUT["text"], encoding="utf-8")
    made = []
    for words in (ABOUT["text"], "words.txt", "auto"):
        assert main(["generate", str(talk), "--transcript", words, "--output", "talk.npz"]) == 0
        made.append(motion_file.read(Path("talk.npz")))
    assert [json.loads(motion.metadata)["follows_transcript"] for motion in made] == [True] * 3
    np.testing.assert_array_equal(made[0].values, made[1].values)
    np.testing.assert_array_equal(made[0].values, made[2].values)
    assert capsys.readouterr().err == ""


def test_the_command_warns_where_auto_finds_no_text_file(talk: Path, capsys):
    assert main(["generate", str(talk), "--transcript", "auto", "--output", "talk.npz"]) == 0
    assert capsys.readouterr().err == "warning: talk.flac: there is no talk.txt beside it; its words are not known.\n"


def test_the_command_warns_of_a_wrong_transcript_and_goes_on(talk: Path, capsys):
    assert main(["generate", str(talk), "--output", "alone.npz"]) == 0
    assert main(["generate", str(talk), "--transcript", WRONG, "--output", "wrong.npz"]) == 0
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("warning: talk.flac: The transcript does not fit")
    alone, wrong = motion_file.read(Path("alone.npz")), motion_file.read(Path("wrong.npz"))
    np.testing.assert_array_equal(alone.values, wrong.values)


@pytest.mark.parametrize("name", ["talk.TextGrid", "talk.json"])
def test_the_command_saves_phones(talk: Path, name: str):
    assert main(["generate", str(talk), "--phones", name, "--transcript", ABOUT["text"]]) == 0
    text = Path(name).read_text(encoding="utf-8")
    if name.endswith("json"):
        rows = json.loads(text)["phones"]
        assert [row["viseme"] for row in rows if row["viseme"] != "sil"][:5] == ["hh", "AH", "l", "OW", "m"]
        kept = json.loads(motion_file.read(Path("talk.npz")).metadata)["phones"]
        assert [[row[key] for key in ("name", "viseme", "start", "end")] for row in rows] == kept
    else:
        assert text.startswith('File type = "ooTextFile"\nObject class = "TextGrid"\n')
        assert text.count('class = "IntervalTier"') == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--transcript", "gone.txt"], "gone.txt cannot be read"),
        (["--phones", "talk.lab"], "must end in .TextGrid or .json"),
        (["--transcript", "Hello", "--dictionary", "gone.dict"], "gone.dict cannot be read"),
        (["--transcript", "…"], "no words"),
    ],
)
def test_bad_input_is_one_line_and_code_2(talk: Path, capsys, options: list[str], sentence: str):
    assert main(["generate", str(talk), *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and sentence in error and error.count("\n") == 1


def test_the_server_tells_phones_and_what_came_of_the_words(start_client, request_for):
    from dataclasses import replace

    client = start_client("--device", "cpu")
    client.next()
    base = replace(request_for(1, sound=DEMO.read_bytes()), model="default", duration=6.0)
    jobs = ("", ABOUT["text"], WRONG, "…")
    for number, words in enumerate(jobs, 1):
        client.send(replace(base, job=number, transcript=words))
    ends = {}
    for number in range(1, len(jobs) + 1):
        replies = client.until_end(number)
        ends[number] = replies[-1]
        phones = [reply for reply in replies if isinstance(reply, Phones)]
        assert bool(phones) == isinstance(replies[-1], Finished)
    notes = {job: json.loads(end.metadata[0]) for job, end in ends.items() if isinstance(end, Finished)}
    assert [notes[job]["follows_transcript"] for job in (1, 2, 3)] == [False, True, False]
    assert [bool(notes[job]["transcript_note"]) for job in (1, 2, 3)] == [False, False, True]
    assert isinstance(ends[4], Failed) and "no words" in ends[4].reason and not ends[4].detail
    assert client.leave() == 0
