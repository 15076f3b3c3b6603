# SPDX-License-Identifier: GPL-3.0-or-later
"""VOCASET as FaceFormer keeps it: FaceTalk_…_TA_sentence01, 5023 vertices at 60 fps, with its split by speakers."""

from __future__ import annotations

from pathlib import Path

from . import vertex_folder
from .annotated import DataSet, Split

TRAINED = tuple(
    f"FaceTalk_{take}_TA"
    for take in (
        *("170728_03272", "170904_00128", "170725_00137", "170915_00223"),
        *("170811_03274", "170913_03279", "170904_03276", "170912_03278"),
    )
)
VALIDATED = ("FaceTalk_170811_03275_TA", "FaceTalk_170908_03277_TA")
TESTED = ("FaceTalk_170809_00138_TA", "FaceTalk_170731_00024_TA")


def read(folder: Path) -> list[DataSet]:
    """The data set in the folder with vertices_npy, wav and templates.pkl. Raises CorpusError."""
    return [vertex_folder.read(folder, FACTS)]


def _split(subject: str, sentence: int) -> Split:
    if subject in TRAINED:
        return "train"
    if sentence <= 20:
        return "unused"
    return "val" if subject in VALIDATED else "test" if subject in TESTED else "unused"


FACTS = vertex_folder.VertexFolder("vocaset", "FLAME_5023_vertices", 60.0, TRAINED + VALIDATED + TESTED, _split)
