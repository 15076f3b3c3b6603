# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the demo finds and leaves its files, and the words and phone times beside its speech. Standard library only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "out" / "demo"
SPEECH = ROOT / "demo" / "speech" / "demo.flac"
BACKEND_PYTHON = ROOT / ".venv" / "bin" / "python"
BLENDER_PYTHON = ROOT / ".venv-blender" / "bin" / "python"

FRAMES_PER_SECOND = 24
STRIP_START = 7
"""Scene frame of the sound strip's first frame: a moment of a face at rest before it speaks."""
HOLD_FRAMES = 6
"""Frames at rest after the last word."""


@dataclass(frozen=True)
class Phone:
    """One phone of the demo line, in seconds of the sound file."""

    name: str
    start: float
    end: float

    @property
    def centre(self) -> float:
        """The middle of the phone."""
        return (self.start + self.end) / 2


def read_phones(path: Path) -> list[Phone]:
    """The phone times that were written when the line was spoken."""
    rows = json.loads(path.read_text(encoding="utf-8"))["phones"]
    return [Phone(str(name), float(start), float(end)) for name, start, end in rows]


def read_words(path: Path) -> str:
    """What is spoken, as a studio has it in its script."""
    return json.loads(path.read_text(encoding="utf-8"))["text"]
