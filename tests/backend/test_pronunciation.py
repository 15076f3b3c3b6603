# SPDX-License-Identifier: GPL-3.0-or-later
"""From text to phones: numbers, dictionaries, espeak-ng where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.phonetics import dictionary, espeak, words
from backend.phonetics.numbers import spelled_out
from backend.phonetics.phones import classes_of
from backend.phonetics.pronunciation import MOST_LISTED, Pronunciation, PronunciationError, Word, listed

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


@pytest.fixture
def only_dictionaries(monkeypatch):
    """A computer without espeak-ng."""
    monkeypatch.setattr(espeak, "program", lambda: None)


def phones_of(said: Pronunciation) -> list[tuple[str, ...]]:
    return [word.phones for word in said.words]


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
    assert phones_of(said) == [("p", "ey", "p", "er"), ("m", "ae", "n"), ("d", "ow", "n", "t")]
    assert {word.alphabet for word in said.words} == {"arpabet"}
    assert said.guessed == said.unknown == ()


@pytest.mark.usefixtures("only_dictionaries")
def test_words_that_no_dictionary_has_are_read_by_letters_and_named(own: Path):
    said = words.pronounce("man Zumpho Zämpho", "de", own)
    assert said.guessed == ("zumpho", "zämpho") and said.unknown == ()
    assert [classes_of(phone)[0] for phone in said.words[1].phones] == ["sz", "AH", "m", "fv", "AA"]
    assert [classes_of(phone)[0] for phone in said.words[2].phones] == ["sz", "AE", "m", "fv", "AA"]


@pytest.mark.usefixtures("only_dictionaries")
@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("man 5 … 12 paper 5", ("5", "12")),
        ("man 3,50 € 16:30 paper", ("3,50", "€", "16:30")),
        ("man Привет 你好 paper", ("привет", "你好")),
        ("man mp3 ½ søt paper", ("mp3", "½", "søt")),
    ],
)
def test_what_has_no_phones_keeps_its_place_and_is_named(own: Path, text: str, unknown: tuple[str, ...]):
    said = words.pronounce(text, "de", own)
    assert (said.unknown, said.guessed) == (unknown, ())
    tokens = text.replace("… ", "").split()
    assert [bool(word.phones) for word in said.words] == [token in ("man", "paper") for token in tokens]


@pytest.mark.usefixtures("only_dictionaries")
def test_a_transcript_of_nothing_but_unknown_words_is_refused_and_they_are_named(own: Path):
    with pytest.raises(PronunciationError, match=r"\(5, 12\); write numbers as words"):
        words.pronounce("5 … 12", "de", own)


def test_many_words_are_listed_by_the_first_of_them():
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a"] * (MOST_LISTED + 3)).endswith("a, a and 3 more")


@pytest.mark.usefixtures("only_dictionaries")
def test_words_that_the_users_dictionary_lacks_are_looked_up_in_the_cmu_dictionary(own: Path):
    own.write_text("zumpho Z AH1 M F OW0\nmaybe M EH1 B IY0\nr2d2 AA1 R T UW1\n", encoding="utf-8")
    said = words.pronounce("Maybe Zumpho, my 2 apples: r2d2!", dictionary_file=own)
    assert phones_of(said) == [
        ("m", "eh", "b", "iy"),
        ("z", "ah", "m", "f", "ow"),
        *(("m", "ay"), ("t", "uw"), ("ae", "p", "ah", "l", "z")),
        ("aa", "r", "t", "uw"),
    ]
    assert said.guessed == said.unknown == ()


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


@pytest.mark.usefixtures("only_dictionaries")
def test_english_without_espeak_takes_the_cmu_dictionary():
    said = words.pronounce("Maybe my 2 apples")
    assert phones_of(said) == [("m", "ey", "b", "iy"), ("m", "ay"), ("t", "uw"), ("ae", "p", "ah", "l", "z")]
    with pytest.raises(PronunciationError, match="install espeak-ng"):
        words.pronounce("ein Mann", "de")


@needs_espeak
def test_espeak_reads_any_language_without_losing_a_bilabial():
    english = words.pronounce("The 42 little puppies jump; 3.5 times!")
    assert {word.alphabet for word in english.words} == {"ipa"}
    phones = [phone for word in phones_of(english) for phone in word]
    lips = [phone for phone in phones if classes_of(phone, "ipa")[:1] in (("pb",), ("m",))]
    assert lips == ["p", "p", "m", "p", "p", "m"]
    assert all(classes_of(phone, "ipa") for phone in phones)
    assert "ɾ" not in phones
    german = words.pronounce("Papa mag New York", "de")
    assert [classes_of(phone, "ipa")[0] for phone in german.words[0].phones] == ["pb", "AA", "pb", "AA"]


@needs_espeak
def test_espeak_says_what_the_users_dictionary_lacks(own: Path):
    own.write_text("zumpho Z AH1 M F OW0\nmag M AA1 K\n", encoding="utf-8")
    said = words.pronounce("Zumpho mag Papa. Und (Zumpho) mag 5 Äpfel!", "de", own)
    zumpho, mag = Word(("z", "ah", "m", "f", "ow"), "arpabet"), Word(("m", "aa", "k"), "arpabet")
    papa, und, rest = (words.pronounce(text, "de").words for text in ("Papa.", "Und", "5 Äpfel!"))
    assert said.words == (zumpho, mag, *papa, *und, zumpho, mag, *rest)
    assert said.guessed == said.unknown == ()


@needs_espeak
def test_espeak_is_asked_once_for_all_that_is_between_own_words(own: Path, monkeypatch):
    calls, run = [], espeak.subprocess.run
    monkeypatch.setattr(espeak.subprocess, "run", lambda *given, **how: calls.append(given) or run(*given, **how))
    alone = words.pronounce("apples and pears", dictionary_file=None)
    calls.clear()
    said = words.pronounce("man apples and pears " * 50, dictionary_file=own)
    assert len(calls) == 1
    assert said.words == (Word(("m", "ae", "n"), "arpabet"), *alone.words) * 50


@needs_espeak
def test_a_transcript_that_holds_espeaks_own_mark_loses_nothing(own: Path):
    said = words.pronounce(f"man pears {espeak._BETWEEN}. {espeak._BETWEEN}. man pears", dictionary_file=own)
    first, mark, last = (words.pronounce(text).words for text in ("pears", f"{espeak._BETWEEN}.", "pears"))
    man = Word(("m", "ae", "n"), "arpabet")
    assert len(said.words) == len((man, *first, *mark, *mark, man, *last))


def test_the_users_dictionary_alone_does_where_espeak_does_not_know_the_language(own: Path):
    assert phones_of(words.pronounce("Paper, man!", "xx", own)) == [("p", "ey", "p", "er"), ("m", "ae", "n")]


@needs_espeak
def test_a_language_that_espeak_does_not_know_is_named():
    with pytest.raises(PronunciationError, match="“xx”"):
        words.pronounce("a", "xx")
