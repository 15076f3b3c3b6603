# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's lines: what is said, which lines are kept back, and the sliders' values to each of them, on disk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

POSES, SPOKEN = "poses", "spoken"
"""Folders of what the animator keys, and of what the taught model has keyed."""
FRAMES_PER_SECOND = 24
GAP = 12
"""Scene frames between two lines."""
HEAD = "Demo Head"
STRANGER = "stranger"
"""The voice that the character is never taught with."""


@dataclass(frozen=True)
class Line:
    """One sentence."""

    name: str
    sound: str
    """Path of the sound file."""
    voice: str
    is_taught: bool
    """False: kept back, to see what was learnt."""
    frames: int

    def starts_after(self, frame: int) -> int:
        """The first scene frame of this line, behind another one that ends at `frame`."""
        return frame + GAP


def write(folder: Path, lines: list[Line]) -> None:
    """Keep the lines in a folder."""
    (folder / "lines.json").write_text(json.dumps([asdict(line) for line in lines], indent=1), encoding="utf-8")


def read(folder: Path) -> list[Line]:
    """The lines of a folder."""
    return [Line(**row) for row in json.loads((folder / "lines.json").read_text(encoding="utf-8"))]


def write_values(folder: Path, line: str, values: np.ndarray) -> None:
    """Keep what the sliders do to a line, float32 [frames, 8] at 24 frames per second."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{line}.npy", values)


def read_values(folder: Path) -> dict[str, np.ndarray]:
    """What the sliders do, by line."""
    return {path.stem: np.load(path, allow_pickle=False) for path in sorted(folder.glob("*.npy"))}
