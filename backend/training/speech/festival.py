# SPDX-License-Identifier: GPL-3.0-or-later
"""Festival: diphone and HTS voices built from recordings of people, phones from its saved segments."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import soundfile
from backend.training.errors import EngineError

from .spoken import Prompt, Spoken, tile

CLOSURE_SEARCH = (0.0, 0.080)
"""Seconds after the start of a p or b in which its gap lies."""

_PACKAGES = {
    "kal_diphone": "festvox-kallpc16k",
    "ked_diphone": "festvox-kdlpc16k",
    "cmu_us_slt_arctic_hts": "festvox-us-slt-hts",
}
_SCRIPT = """
(voice_{voice})
(Parameter.set 'Duration_Stretch {stretch:.3f})
(set! spoken (utt.synth (Utterance Text {text})))
(utt.save.segs spoken "spoken.lab")
(utt.save.wave spoken "spoken.wav" 'riff)
"""


def speak(prompt: Prompt) -> Spoken:
    """Speaks English with one of the voices above; raises EngineError where Festival or the voice is missing."""
    package = _PACKAGES[prompt.voice]
    if shutil.which("festival") is None:
        raise EngineError(f"Festival is missing; install the packages festival and {package}.")
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(prompt.text, ensure_ascii=False)
        script = _SCRIPT.format(voice=prompt.voice, stretch=prompt.stretch, text=text)
        answer = subprocess.run(
            ["festival", "--pipe"], input=script, cwd=folder, capture_output=True, text=True, check=False
        )
        labels, wav = Path(folder) / "spoken.lab", Path(folder) / "spoken.wav"
        if "unbound variable" in answer.stderr:
            raise EngineError(f"Festival has no voice {prompt.voice}; install the package {package}.")
        if not (labels.is_file() and wav.is_file()):
            raise EngineError(f"Festival failed on: {prompt.text}")
        samples, rate = soundfile.read(wav, dtype="float32")
        marks = _marks(labels.read_text(encoding="utf-8"))
    return Spoken(samples, rate, tile(marks, len(samples) / rate), "arpabet")


def _marks(labels: str) -> list[tuple[str, float]]:
    """From lines "end colour name" after a line "#" to (name, start)."""
    marks, start = [], 0.0
    for line in labels.splitlines()[1:]:
        end, _, name = line.split()
        marks.append((name, start))
        start = float(end)
    return marks
