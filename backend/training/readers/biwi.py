# SPDX-License-Identifier: GPL-3.0-or-later
"""BIWI as FaceFormer and CodeTalker keep it: F2_e01 to M6_e40, 23370 vertices at 25 fps, with their splits.

190 clips of six speakers train; BIWI-Test-A has these speakers, BIWI-Test-B eight others, both with sentences 37 to 40.
"""

from __future__ import annotations

from pathlib import Path

from . import vertex_folder
from .annotated import DataSet, Split

SEEN = ("F2", "F3", "F4", "M3", "M4", "M5")
UNSEEN = ("F1", "F5", "F6", "F7", "F8", "M1", "M2", "M6")


def read(folder: Path) -> list[DataSet]:
    """The data set in the folder with vertices_npy, wav and templates.pkl. Raises CorpusError."""
    return [vertex_folder.read(folder, FACTS)]


def _split(subject: str, sentence: int) -> Split:
    if subject in UNSEEN:
        return "test-b" if 37 <= sentence <= 40 else "unused"
    if subject not in SEEN or sentence > 40:
        return "unused"
    if sentence > 36:
        return "test-a"
    return "train" if sentence <= 32 else "val"


FACTS = vertex_folder.VertexFolder("biwi", "BIWI_23370_vertices", 25.0, SEEN, _split)
