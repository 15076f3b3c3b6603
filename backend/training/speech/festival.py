# SPDX-License-Identifier: GPL-3.0-or-later
"""Festival: diphone and HTS voices built from recordings of people, phones from its saved segments."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import soundfile
from backend.phonetics.phones import ARPABET, IPA, classes_of
from backend.training.errors import EngineError

from .spoken import Prompt, Spoken, tile

CLOSURE_SEARCH = (0.0, 0.080)
"""Seconds after the start of a p or b in which its gap lies."""

_STRETCHED = "(Parameter.set 'Duration_Stretch {stretch:.3f})"
_HTS_SPEED = """(set! hts_engine_params (append hts_engine_params '(("-r" {speed:.3f}))))"""
"""HTS voices have durations of their own, which the stretch above does not reach; a speed does."""


@dataclass(frozen=True)
class Voice:
    """How one voice wants its text and names its phones."""

    package: str
    """The Debian package that brings it."""
    encoding: str = "ascii"
    ipa: Mapping[str, str] = field(default_factory=dict)
    """Its own phone names that IPA writes otherwise; a voice without any speaks ARPAbet."""
    pace: str = _STRETCHED
    """How it is told to speak slower."""
    natural_stretch: float = 1.0
    """The stretch at which it speaks at its ease."""
    unread: str = ""
    """A mark at a letter that makes it leave out the whole word."""
    soft: Mapping[str, str] = field(default_factory=dict)
    """Stops in IPA that do not close behind an open sound, and what they are there."""
    letters: str = ""
    """The Debian package that reads its language, where its own only recommends that."""

    @property
    def packages(self) -> tuple[str, ...]:
        """All that apt-get has to be asked for."""
        return (self.package, self.letters) if self.letters else (self.package,)


def _table(names: str) -> dict[str, str]:
    """From "ax=ə rr=r" to a table."""
    return dict(name.split("=") for name in names.split())


_NUKTA = "\u093c"
_ITALIAN = {"E": "ɛ", "O": "ɔ", "S": "ʃ", "tS": "tʃ", "dZ": "dʒ", "J": "ɲ", "L": "ʎ", "ng": "ŋ", "nf": "ɱ"}
_CZECH = {"t~": "c", "d~": "ɟ", "n*": "ɲ", "c": "ts", "c~": "tʃ", "s~": "ʃ", "z~": "ʒ", "dz~": "dʒ"} | {
    "ch": "x",
    "h": "ɦ",
    "r~": "r̝",
    "N": "ŋ",
    "M": "ɱ",
}
_FINNISH = {"@": "æ", "7": "ø", "v": "ʋ", "N": "ŋ", "S": "ʃ", "T": "θ", "L": "ʎ", "&": "ə"}
_INDIC = _table(
    "a=ə aa=aː ih=ɪ iy=iː uh=ʊ uw=uː eh=e ee=eː oh=o oo=oː ay=aɪ aw=aʊ "
    "T=ʈ D=ɖ N=ɳ L=ɭ th=t̪ dh=d̪ tth=t̪ʰ ddh=d̪ʱ kh=kʰ bh=bʱ ch=tʃ j=dʒ sh=ʃ y=j v=ʋ"
)
"""Capitals are retroflex; th and dh are t and d at the teeth, and one letter more breathes out."""
_CATALAN = _table("ax=ə E=ɛ O=ɔ S=ʃ Z=ʒ J=ɲ L=ʎ r=ɾ rr=r")
_CATALAN_SOFT = {"b": "β", "d": "ð", "g": "ɣ"}
"""As Catalans say them between vowels: in the voice too formants go on and no burst follows."""
_RUSSIAN = _table(
    "ii=i yy=ɨ uu=u ee=ɛ oo=o aa=a a=ɐ e=ɪ i=ɪ y=ɨ u=ʊ ae=ə ay=ə ur=ʊ "
    "pp=pʲ bb=bʲ tt=tʲ dd=dʲ kk=kʲ gg=ɡʲ ff=fʲ vv=vʲ ss=sʲ zz=zʲ hh=xʲ mm=mʲ nn=nʲ ll=lʲ rr=rʲ "
    "c=ts ch=tɕ sh=ʂ sch=ɕː zh=ʐ h=x l=ɫ"
)
"""Doubled vowels are stressed, doubled consonants are soft."""


def _indic(package: str, letters: str) -> Voice:
    """The same sounds of one man say Hindi, Marathi and Telugu; he knows no letters with a nukta."""
    return Voice(package, "utf-8", _INDIC, natural_stretch=1.4, unread=_NUKTA, letters=letters)


_VOICES = {
    "kal_diphone": Voice("festvox-kallpc16k"),
    "ked_diphone": Voice("festvox-kdlpc16k"),
    "cmu_us_slt_arctic_hts": Voice("festvox-us-slt-hts"),
    "lp_diphone": Voice("festvox-italp16k", "latin-1", _ITALIAN),
    "pc_diphone": Voice("festvox-itapc16k", "latin-1", _ITALIAN),
    "czech_ph": Voice("festvox-czech-ph", "iso-8859-2", _CZECH),
    "czech_krb": Voice("festvox-czech-krb", "iso-8859-2", _CZECH),
    "czech_machac": Voice("festvox-czech-machac", "iso-8859-2", _CZECH),
    "czech_dita": Voice("festvox-czech-dita", "iso-8859-2", _CZECH),
    "suo_fi_lj_diphone": Voice("festvox-suopuhe-lj", "latin-1", _FINNISH),
    "hy_fi_mv_diphone": Voice("festvox-suopuhe-mv", "latin-1", _FINNISH),
    "hindi_NSK_diphone": _indic("festvox-hi-nsk", "festival-hi"),
    "marathi_NSK_diphone": _indic("festvox-mr-nsk", "festival-mr"),
    "telugu_NSK_diphone": _indic("festvox-te-nsk", "festival-te"),
    "upc_ca_ona_hts": Voice("festvox-ca-ona-hts", "iso-8859-15", _CATALAN, pace=_HTS_SPEED, soft=_CATALAN_SOFT),
    "msu_ru_nsh_clunits": Voice("festvox-ru", "utf-8", _RUSSIAN),
}
_KEEPS_STOPS = frozenset({"sil", "m", "n", "ng", "pb", "td", "kg"})
"""Classes behind which even a soft stop closes."""
_STRESS = re.compile(r"1$")
_NOT_INSTALLED = (b"unbound variable", b"could not open file")
"""What Festival says of a voice, and of a voice without its language."""
_CELLS = 1_000_000
"""Room for Scheme, some 30 bytes each. Festival's own choice is ten times as much, and clearing that before it speaks
takes longer than speaking; the largest voice with a text of 700 words fits into this."""
_PATIENCE = 300.0
"""Seconds for one sentence, which takes one or two even where a computer is busy."""
_SCRIPT = """
(voice_{voice})
{pace}
(set! spoken (utt.synth (Utterance Text {text})))
(utt.save.segs spoken "spoken.lab")
(utt.save.wave spoken "spoken.wav" 'riff)
"""


def packages(voice: str) -> tuple[str, ...]:
    """The Debian packages that bring a voice."""
    return ("festival", *_VOICES[voice].packages)


def speak(prompt: Prompt) -> Spoken:
    """Speaks with one of the voices above; raises EngineError where Festival or the voice is missing.

    Every sentence has a Festival of its own. One that has spoken before draws other durations for Czech, and one
    sentence in some thousand ends in noise, out of memory that it takes for empty.
    """
    voice = _VOICES[prompt.voice]
    if shutil.which("festival") is None:
        raise EngineError(f"Festival is missing; install the packages festival and {' and '.join(voice.packages)}.")
    with tempfile.TemporaryDirectory() as folder:
        said = _said(prompt, folder)
        labels, wav = Path(folder) / "spoken.lab", Path(folder) / "spoken.wav"
        if any(sign in said for sign in _NOT_INSTALLED):
            wanted = "package" if len(voice.packages) == 1 else "packages"
            raise EngineError(
                f"Festival has no voice {prompt.voice}; install the {wanted} {' and '.join(voice.packages)}."
            )
        if not (labels.is_file() and wav.is_file()):
            raise EngineError(f"Festival failed on: {prompt.text}")
        samples, rate = soundfile.read(wav, dtype="float32")
        marks = _marks(labels.read_text(encoding=voice.encoding))
    if not voice.ipa:
        return Spoken(samples, rate, tile(marks, len(samples) / rate), ARPABET)
    named = [(in_ipa(name, voice.ipa), start) for name, start in marks]
    return Spoken(samples, rate, tile(softened(named, voice.soft), len(samples) / rate), IPA)


def _said(prompt: Prompt, folder: str) -> bytes:
    """What a new Festival complains of while it speaks into a folder; raises EngineError where it takes too long."""
    voice = _VOICES[prompt.voice]
    try:
        answer = subprocess.run(
            ["festival", "--heap", str(_CELLS), "--pipe"],
            input=_script(prompt, voice).encode(voice.encoding, "ignore"),
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"Festival failed on: {prompt.text}") from error
    return answer.stderr


def _script(prompt: Prompt, voice: Voice) -> str:
    """What Festival is told; in NFC a nukta is always a character of its own, so that it can be left out."""
    stretch = prompt.stretch * voice.natural_stretch
    text = unicodedata.normalize("NFC", prompt.text).replace(voice.unread, "") if voice.unread else prompt.text
    pace = voice.pace.format(stretch=stretch, speed=1 / stretch)
    return _SCRIPT.format(voice=prompt.voice, pace=pace, text=json.dumps(text, ensure_ascii=False))


def in_ipa(name: str, table: Mapping[str, str]) -> str:
    """A voice's own phone name, such as "a1", "c~" or "p:", in IPA."""
    plain = _STRESS.sub("", name)
    short = plain.removesuffix(":")
    return table.get(short, short) + ("ː" if short != plain else "")


def softened(marks: list[tuple[str, float]], soft: Mapping[str, str]) -> list[tuple[str, float]]:
    """The same marks with b, d and g as a voice says them behind vowels and most consonants."""
    befores = ["sil", *(name for name, _ in marks)]
    return [
        (soft.get(name, name) if _lets_through(before, name) else name, start)
        for before, (name, start) in zip(befores, marks, strict=False)
    ]


def _lets_through(before: str, name: str) -> bool:
    """Whether a soft stop stays open; for d the tongue is where l has left it."""
    left = classes_of(before, IPA)[-1:]
    return not _KEEPS_STOPS.issuperset(left) and not (name == "d" and left == ("l",))


def _marks(labels: str) -> list[tuple[str, float]]:
    """From lines "end colour name" after a line "#" to (name, start)."""
    marks, start = [], 0.0
    for line in labels.splitlines()[1:]:
        end, _, name = line.split()
        marks.append((name, start))
        start = float(end)
    return marks
