# SPDX-License-Identifier: GPL-3.0-or-later
"""flite: voices built from recordings of people (slt, rms, awb) and diphones (kal16), phones from its own segments."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import soundfile
from backend.training.errors import EngineError

from .spoken import Prompt, Spoken, tile

CLOSURE_SEARCH = (0.0, 0.075)
"""Seconds after the start of a p or b in which its gap lies: flite marks stops where they begin."""

_PITCH_RANGES = {"slt": (140.0, 215.0), "rms": (75.0, 135.0), "awb": (95.0, 150.0), "kal16": (80.0, 140.0)}


def packages(_voice: str) -> tuple[str, ...]:
    """The Debian packages that bring a voice."""
    return ("flite",)


def speak(prompt: Prompt) -> Spoken:
    """Speaks English with one of the voices above; raises EngineError where flite is missing."""
    if shutil.which("flite") is None:
        raise EngineError("flite is missing; install the package flite (Debian: apt-get install flite).")
    low, high = _PITCH_RANGES[prompt.voice]
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "spoken.wav"
        command = ["flite", "-voice", prompt.voice, "--setf", f"duration_stretch={prompt.stretch:.3f}"]
        command += ["--setf", f"int_f0_target_mean={low + prompt.pitch * (high - low):.1f}"]
        command += ["-psdur", "-t", prompt.text, "-o", str(wav)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode or not wav.is_file():
            raise EngineError(f"flite failed on: {prompt.text}")
        samples, rate = soundfile.read(wav, dtype="float32")
    return Spoken(samples, rate, tile(_marks(answer.stdout), len(samples) / rate), "arpabet")


def _marks(segments: str) -> list[tuple[str, float]]:
    """From flite's "name:end name:end" to (name, start)."""
    marks, start = [], 0.0
    for segment in segments.split():
        name, _, end = segment.rpartition(":")
        marks.append((name, start))
        start = float(end)
    return marks
