# SPDX-License-Identifier: GPL-3.0-or-later
"""From text to phones: numbers, dictionaries, espeak-ng where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.phonetics import dictionary, espeak, words
from backend.phonetics.numbers import spelled_out
from backend.phonetics.phones import classes_of
from backend.phonetics.pronunciation import PronunciationError

ENTRIES = """;;; a comment
paper  P EY1 P ER0
man M AE1 N
man(2) M AH0 N
don't D OW1 N T # with a comment
five F AY1 V
point P OY1 N T
"""

needs_espeak = pytest.mark.skipif(espeak.program() is None, reason="espeak-ng is not installed")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.dict"
    path.write_text(ENTRIES, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "zero"),
        ("17 men", "seventeen men"),
        ("1,250", "one thousand two hundred fifty"),
        ("in 1984", "in nineteen eighty four"),
        ("1905", "nineteen oh five"),
        ("1800", "eighteen hundred"),
        ("2007", "two thousand seven"),
        ("2024", "twenty twenty four"),
        ("the 1st, 22nd and 30th", "the first , twenty second and thirtieth"),
        ("3.05", "three point zero five"),
        ("$3", "three dollars"),
        ("50%", "fifty percent"),
        ("R&B", "R and B"),
        ("1000000", "one million"),
        ("1234567890123456", "one two three four five six seven eight nine zero one two three four five six"),
    ],
)
def test_numbers_are_spelled_out(text: str, said: str):
    assert spelled_out(text).split() == said.split()


def test_the_users_dictionary_is_read(own: Path):
    said = words.pronounce("Paper, man; DON’T", dictionary_file=own)
    assert said.words == (("p", "ey", "p", "er"), ("m", "ae", "n"), ("d", "ow", "n", "t"))
    assert (said.alphabet, said.guessed) == ("arpabet", ())


def test_words_that_no_dictionary_has_are_read_by_letters_and_named(own: Path):
    said = words.pronounce("man Zumpho 5", dictionary_file=own)
    assert said.guessed == ("zumpho",)
    assert [classes_of(phone)[0] for phone in said.words[1]] == ["sz", "AH", "m", "fv", "AA"]
    assert said.words[2] == ("f", "ay", "v")


@pytest.mark.parametrize("content", [b"", b"this is a novel, no dictionary\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_dictionary_is_refused(content: bytes, tmp_path: Path):
    path = tmp_path / "novel.txt"
    path.write_bytes(content)
    with pytest.raises(PronunciationError, match=r"novel\.txt"):
        words.pronounce("man", dictionary_file=path)


def test_a_text_without_words_is_refused(own: Path):
    with pytest.raises(PronunciationError, match="no words"):
        words.pronounce("… – !", dictionary_file=own)


def test_without_any_means_the_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(espeak, "program", lambda: None)
    monkeypatch.setattr(dictionary, "PACKAGE", "no_such_package")
    with pytest.raises(PronunciationError, match="install espeak-ng"):
        words.pronounce("a man")


def test_english_without_espeak_takes_the_cmu_dictionary(monkeypatch):
    monkeypatch.setattr(espeak, "program", lambda: None)
    said = words.pronounce("Maybe my 2 apples")
    assert said.words == (("m", "ey", "b", "iy"), ("m", "ay"), ("t", "uw"), ("ae", "p", "ah", "l", "z"))
    with pytest.raises(PronunciationError, match="install espeak-ng"):
        words.pronounce("ein Mann", "de")


@needs_espeak
def test_espeak_reads_any_language_without_losing_a_bilabial():
    english = words.pronounce("The 42 little puppies jump; 3.5 times!")
    assert english.alphabet == "ipa"
    lips = [phone for word in english.words for phone in word if classes_of(phone, "ipa")[:1] in (("pb",), ("m",))]
    assert lips == ["p", "p", "m", "p", "p", "m"]
    assert all(classes_of(phone, "ipa") for word in english.words for phone in word)
    assert "ɾ" not in {phone for word in english.words for phone in word}
    german = words.pronounce("Papa mag New York", "de")
    assert [classes_of(phone, "ipa")[0] for phone in german.words[0]] == ["pb", "AA", "pb", "AA"]


@needs_espeak
def test_a_language_that_espeak_does_not_know_is_named():
    with pytest.raises(PronunciationError, match="“xx”"):
        words.pronounce("a", "xx")
