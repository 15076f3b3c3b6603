# SPDX-License-Identifier: GPL-3.0-or-later
"""The data sets of the miniature, as a table: who speaks which language, in which layout, rate and way.

They stand for those of A2F-Bench (UniTalker, table 1): scans of few sentences, faces fitted to videos, captures with a
phone, songs. Nobody speaks in two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Voice(NamedTuple):
    """Who speaks: a voice of an engine and the language of its sentences."""

    engine: str
    name: str
    language: str


@dataclass(frozen=True)
class BenchSet:
    """One data set."""

    name: str
    like: str
    """The data set of the paper that it stands for."""
    layout: str
    """Of `backend.training.readers`."""
    space: str
    """Name of its FaceSpace."""
    fps: float
    """Of its files."""
    unit: str
    voices: tuple[Voice, ...]
    sentences: int
    """Of every voice."""
    exaggeration: float = 1.0
    """How much wider than in plain speech the mouth moves."""
    stretch: tuple[float, float] = (0.85, 1.2)
    """Fastest and slowest speech; 1 is the engine's own."""


def _espeak(language: str, *variants: str) -> tuple[Voice, ...]:
    return tuple(Voice("espeak", f"{language}+{variant}", language.split("-")[0]) for variant in variants)


GRID = BenchSet(
    "grid", "BIWI", "unitalker", "grid_1020_vertices", 25.0, "m",
    (*_espeak("en-us", "f2", "m3", "Annie", "max"), *_espeak("en-gb-scotland", "f4", "robert")), 13,
)  # fmt: skip
RINGS = BenchSet(
    "rings", "Multiface", "unitalker", "rings_vertices", 60.0, "mm",
    (Voice("flite", "slt", "en"), *_espeak("en-us", "linda", "m5"), *_espeak("en-gb-x-rp", "john")), 13,
)  # fmt: skip
FITTED = BenchSet(
    "fitted", "3D-ETF", "3d-etf", "3DETF_blendshape_weight", 30.0, "weights",
    (Voice("flite", "rms", "en"), *_espeak("en-us", "f1", "m1", "belinda", "david"), *_espeak("en-029", "steph2")), 20,
)  # fmt: skip
FLAME = BenchSet(
    "flame", "FaceForensics++", "unitalker", "flame_params_from_dadhead", 30.0, "parameters",
    (*_espeak("de", "f3", "adam"), *_espeak("fr", "aunty", "boris"), *_espeak("es", "caleb"), *_espeak("it", "ed")), 20,
)  # fmt: skip
CAPTURED = BenchSet(
    "captured", "Chinese speech", "beat", "arkit", 60.0, "weights",
    (*_espeak("cmn-latn-pinyin", "f5", "m7"), *_espeak("pl", "zac"), *_espeak("tr", "Alicia")), 20,
)  # fmt: skip
RIG = BenchSet(
    "rig", "songs", "clips", "rig", 24.0, "weights",
    (*_espeak("en-us", "Andrea", "Hugo"), *_espeak("it", "victor"), *_espeak("pt", "shelby")), 20,
    exaggeration=1.5, stretch=(1.2, 1.5),
)  # fmt: skip
SETS: tuple[BenchSet, ...] = (GRID, RINGS, FITTED, FLAME, CAPTURED, RIG)

PHONES = BenchSet(
    "phones", "what WavLM was pretrained on", "clips", "phone_classes", 25.0, "classes",
    (
        *_espeak("en-us", "Alex", "grandma", "michel", "quincy"), *_espeak("nl", "Andy", "iven"),
        *_espeak("sv", "Denis", "sandro"), *_espeak("fi", "paul", "travis"),
    ), 15,
)  # fmt: skip
"""No face: an encoder learns from it to tell phones apart before it sees any motion."""

SHARES = (1, 2, 4, 8)
"""The unseen data set is also prepared with so many times fewer sentences to train on."""
UNSEEN = GRID
