# SPDX-License-Identifier: GPL-3.0-or-later
"""Festival: diphone and HTS voices built from recordings of people, phones from its saved segments."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import soundfile
from backend.phonetics.phones import ARPABET, IPA
from backend.training.errors import EngineError

from .spoken import Prompt, Spoken, tile

CLOSURE_SEARCH = (0.0, 0.080)
"""Seconds after the start of a p or b in which its gap lies."""


@dataclass(frozen=True)
class Voice:
    """How one voice wants its text and names its phones."""

    package: str
    """The Debian package that brings it."""
    encoding: str = "ascii"
    ipa: Mapping[str, str] = field(default_factory=dict)
    """Its own phone names that IPA writes otherwise; a voice without any speaks ARPAbet."""


_ITALIAN = {"E": "ɛ", "O": "ɔ", "S": "ʃ", "tS": "tʃ", "dZ": "dʒ", "J": "ɲ", "L": "ʎ", "ng": "ŋ", "nf": "ɱ"}
_CZECH = {"t~": "c", "d~": "ɟ", "n*": "ɲ", "c": "ts", "c~": "tʃ", "s~": "ʃ", "z~": "ʒ", "dz~": "dʒ"} | {
    "ch": "x",
    "h": "ɦ",
    "r~": "r̝",
    "N": "ŋ",
    "M": "ɱ",
}
_FINNISH = {"@": "æ", "7": "ø", "v": "ʋ", "N": "ŋ", "S": "ʃ", "T": "θ", "L": "ʎ", "&": "ə"}
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
}
_STRESS = re.compile(r"1$")
_SCRIPT = """
(voice_{voice})
(Parameter.set 'Duration_Stretch {stretch:.3f})
(set! spoken (utt.synth (Utterance Text {text})))
(utt.save.segs spoken "spoken.lab")
(utt.save.wave spoken "spoken.wav" 'riff)
"""


def packages(voice: str) -> tuple[str, ...]:
    """The Debian packages that bring a voice."""
    return ("festival", _VOICES[voice].package)


def speak(prompt: Prompt) -> Spoken:
    """Speaks with one of the voices above; raises EngineError where Festival or the voice is missing."""
    voice = _VOICES[prompt.voice]
    if shutil.which("festival") is None:
        raise EngineError(f"Festival is missing; install the packages festival and {voice.package}.")
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(prompt.text, ensure_ascii=False)
        script = _SCRIPT.format(voice=prompt.voice, stretch=prompt.stretch, text=text)
        answer = subprocess.run(
            ["festival", "--pipe"],
            input=script.encode(voice.encoding, "ignore"),
            cwd=folder,
            capture_output=True,
            check=False,
        )
        labels, wav = Path(folder) / "spoken.lab", Path(folder) / "spoken.wav"
        if b"unbound variable" in answer.stderr:
            raise EngineError(f"Festival has no voice {prompt.voice}; install the package {voice.package}.")
        if not (labels.is_file() and wav.is_file()):
            raise EngineError(f"Festival failed on: {prompt.text}")
        samples, rate = soundfile.read(wav, dtype="float32")
        marks = _marks(labels.read_text(encoding=voice.encoding))
    if not voice.ipa:
        return Spoken(samples, rate, tile(marks, len(samples) / rate), ARPABET)
    named = [(in_ipa(name, voice.ipa), start) for name, start in marks]
    return Spoken(samples, rate, tile(named, len(samples) / rate), IPA)


def in_ipa(name: str, table: Mapping[str, str]) -> str:
    """A voice's own phone name, such as "a1", "c~" or "p:", in IPA."""
    plain = _STRESS.sub("", name)
    short = plain.removesuffix(":")
    return table.get(short, short) + ("ː" if short != plain else "")


def _marks(labels: str) -> list[tuple[str, float]]:
    """From lines "end colour name" after a line "#" to (name, start)."""
    marks, start = [], 0.0
    for line in labels.splitlines()[1:]:
        end, _, name = line.split()
        marks.append((name, start))
        start = float(end)
    return marks
