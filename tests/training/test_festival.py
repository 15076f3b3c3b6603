# SPDX-License-Identifier: GPL-3.0-or-later
"""Festival: how its voices name their phones and what they are told; nothing here needs Festival itself."""

from __future__ import annotations

import re
import unicodedata
from types import SimpleNamespace

import pytest

from backend.phonetics.phones import IPA, Phone, classes_of, closures_of
from backend.training import commands
from backend.training.errors import EngineError
from backend.training.speech import festival, prompts
from backend.training.speech.festival import in_ipa, softened
from backend.training.speech.spoken import Prompt
from backend.training.speech.synthesize import plan, read_plan

INDIC = """
    a aa ih iy uh uw eh ee oh oo ay aw p b bh m f v T D N L th dh tth ddh n l r s sh ch j k kh g h y pau
"""
"""What the rules of Hindi, Marathi and Telugu make of their letters."""
PHONES = {
    "hindi_NSK_diphone": INDIC,
    "marathi_NSK_diphone": INDIC,
    "telugu_NSK_diphone": INDIC,
    "upc_ca_ona_hts": """
        a a1 ax e e1 E E1 i i1 o o1 O O1 u u1 j w b d f g J k l L m n p r rr s S t z Z pau
    """,
    "msu_ru_nsh_clunits": """
        ii yy uu ee oo aa a e i y u ae ay ur p pp b bb t tt d dd k kk g gg c ch f ff v vv s ss z zz sh sch zh h hh
        m mm n nn l ll r rr j pau
    """,
}
CLASSES = {
    ("hindi_NSK_diphone", "a"): "AH",
    ("hindi_NSK_diphone", "aa"): "AA",
    ("hindi_NSK_diphone", "uw"): "UW",
    ("hindi_NSK_diphone", "aw"): "AA UH",
    ("hindi_NSK_diphone", "bh"): "pb",
    ("hindi_NSK_diphone", "T"): "td",
    ("hindi_NSK_diphone", "N"): "n",
    ("hindi_NSK_diphone", "th"): "td",
    ("hindi_NSK_diphone", "ddh"): "td",
    ("hindi_NSK_diphone", "ch"): "sh",
    ("hindi_NSK_diphone", "j"): "sh",
    ("hindi_NSK_diphone", "y"): "y",
    ("telugu_NSK_diphone", "L"): "l",
    ("telugu_NSK_diphone", "v"): "fv",
    ("upc_ca_ona_hts", "ax"): "AH",
    ("upc_ca_ona_hts", "O1"): "AO",
    ("upc_ca_ona_hts", "J"): "n",
    ("upc_ca_ona_hts", "j"): "y",
    ("upc_ca_ona_hts", "r"): "rr",
    ("msu_ru_nsh_clunits", "pp"): "pb",
    ("msu_ru_nsh_clunits", "mm"): "m",
    ("msu_ru_nsh_clunits", "yy"): "IH",
    ("msu_ru_nsh_clunits", "ur"): "UH",
    ("msu_ru_nsh_clunits", "c"): "sz",
    ("msu_ru_nsh_clunits", "sch"): "sh",
    ("msu_ru_nsh_clunits", "j"): "y",
}
LIPS = {"p": "pb", "pp": "pb", "b": "pb", "bb": "pb", "bh": "pb", "m": "m", "mm": "m"}
SCRIPTS = {"hi": "DEVANAGARI", "mr": "DEVANAGARI", "te": "TELUGU"}


def classes(voice: str, name: str) -> tuple[str, ...]:
    return classes_of(in_ipa(name, festival._VOICES[voice].ipa), IPA)


def told(voice: str, text: str = "a", stretch: float = 1.0) -> str:
    return festival._script(Prompt("festival", voice, "", text, stretch), festival._VOICES[voice])


@pytest.mark.parametrize("voice", PHONES)
def test_every_phone_is_seen_on_a_mouth_and_lips_close_at_no_other(voice: str):
    for name in PHONES[voice].split():
        seen = classes(voice, name)
        assert seen, name
        assert ({*seen} & {"pb", "m"}) == ({LIPS[name]} if name in LIPS else set()), name


@pytest.mark.parametrize(("phone", "expected"), CLASSES.items())
def test_phones_are_of_their_class(phone: tuple[str, str], expected: str):
    assert classes(*phone) == tuple(expected.split())


@pytest.mark.parametrize(("voice", "names"), [("hindi_NSK_diphone", "p b bh m"), ("msu_ru_nsh_clunits", "pp bb mm")])
def test_aspirated_and_soft_lips_are_closures(voice: str, names: str):
    table = festival._VOICES[voice].ipa
    phones = [Phone(in_ipa(name, table), 0.1 * index, 0.1 * index + 0.1) for index, name in enumerate(names.split())]
    assert len(closures_of(phones)) == len(phones)


@pytest.mark.parametrize(
    ("phones", "expected"),
    [
        ("pau b ɔ n b i", "pau b ɔ n b i"),
        ("l ə b a r k ə", "l ə β a r k ə"),
        ("ə m b u", "ə m b u"),
        ("a ɾ b ɾ ə", "a ɾ β ɾ ə"),
        ("a l d ə g u d ə", "a l d ə ɣ u ð ə"),
        ("a l b ə", "a l β ə"),
    ],
)
def test_soft_stops_close_only_behind_pauses_nasals_and_stops(phones: str, expected: str):
    marks = [(name, 0.1 * index) for index, name in enumerate(phones.split())]
    changed = softened(marks, festival._VOICES["upc_ca_ona_hts"].soft)
    assert " ".join(name for name, _ in changed) == expected
    assert [start for _, start in changed] == [start for _, start in marks]
    assert softened(marks, festival._VOICES["lp_diphone"].soft) == marks


def test_a_nukta_is_not_told_however_it_is_written():
    composed, apart = "\u092c\u093e\u095b\u093e\u0930", "\u092c\u093e\u091c\u093c\u093e\u0930"
    assert told("hindi_NSK_diphone", composed) == told("hindi_NSK_diphone", apart)
    assert '"\u092c\u093e\u091c\u093e\u0930"' in told("hindi_NSK_diphone", apart)


def test_a_telugu_vowel_sign_stays_in_one_piece():
    assert '"ఐదు నలభై"' in told("telugu_NSK_diphone", "ఐదు నలభై")


def test_voices_are_stretched_from_their_own_pace():
    assert "'Duration_Stretch 1.200)" in told("lp_diphone", stretch=1.2)
    assert "'Duration_Stretch 1.680)" in told("hindi_NSK_diphone", stretch=1.2)
    assert '("-r" 0.833)' in told("upc_ca_ona_hts", stretch=1.2)


@pytest.mark.parametrize("complaint", [b"unbound variable: voice_hindi", b"could not open file hindi_phones.scm"])
def test_a_voice_without_the_letters_of_its_language_names_both_packages(
    complaint: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(festival.shutil, "which", lambda _name: "festival")
    monkeypatch.setattr(
        festival.subprocess, "run", lambda *_, **__: SimpleNamespace(stderr=b"SIOD ERROR: " + complaint)
    )
    with pytest.raises(EngineError, match="install the packages festvox-hi-nsk and festival-hi"):
        festival.speak(Prompt("festival", "hindi_NSK_diphone", "hi", "\u0906"))


@pytest.mark.parametrize("config", ["corpus", "heldout", "heldout_russian"])
def test_voices_can_write_every_sentence(config: str):
    for name, prompt in plan(read_plan(commands.CONFIGS / f"{config}.toml"), 1):
        if prompt.engine == "festival":
            encoding = festival._VOICES[prompt.voice].encoding
            assert prompt.text.encode(encoding).decode(encoding) == prompt.text, name


@pytest.mark.parametrize("language", SCRIPTS)
def test_indian_sentences_have_only_letters_that_the_voices_read(language: str):
    lists = prompts._languages()[language]
    text = re.sub(r"\{\w+\}", "", "".join("".join(entries) for entries in lists.values()))
    letters = {character for character in text if unicodedata.category(character)[0] in "LM"}
    assert all(unicodedata.name(letter).startswith(SCRIPTS[language]) for letter in letters)
    assert {*text} - letters <= {*" .,?!"}


def test_held_out_languages_are_never_learned():
    learned = {prompt.language for _, prompt in plan(read_plan(commands.CONFIGS / "corpus.toml"), 1)}
    assert {"hi", "mr", "te", "ca"} <= learned
    assert not learned & {"ru", "ja"}
