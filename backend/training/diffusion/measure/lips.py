# SPDX-License-Identifier: GPL-3.0-or-later
"""Lips: whether a model that diffuses shuts them where the default model does, on the same held-out speech."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from backend import pipeline, planning
from backend.audio import decode
from backend.checkpoint import LoadedModel
from backend.performance import Performance
from backend.planning import Request
from backend.training.errors import CorpusError
from backend.training.lips.score import Score
from backend.training.motion.motion_set import MotionSet
from backend.training.speech import corpus
from backend.training.speech.corpus import Recording
from tqdm import tqdm

FPS = 60.0
_LAYOUT = "speakers"


def recordings(sets: Sequence[MotionSet]) -> list[tuple[Path, Recording]]:
    """The held-out recordings of synthesized speakers. Raises CorpusError where their corpus is gone."""
    found = [pair for prepared in sets if prepared.header.layout == _LAYOUT for pair in _of(prepared)]
    if not found:
        raise CorpusError("None of the data sets has speakers of `synthesize`, whose phones say when lips are shut.")
    return found


def closures(loaded: LoadedModel, pairs: Sequence[tuple[Path, Recording]], seed: int | None = None) -> dict[str, float]:
    """Figures (`Score.figures`) of what an artist would get at 60 frames a second; `seed` for models that diffuse."""
    score, request = Score(), Request(space="arkit", fps=FPS, performance=Performance(seed=seed))
    for path, recording in tqdm(pairs, loaded.info.name, unit=" recordings", leave=False, disable=None):
        planned = planning.plan(loaded, request)
        motion = np.concatenate([chunk.values for chunk in pipeline.generate(loaded, decode(path), planned)])
        score.add(motion, FPS, recording.phones, recording.closures)
    return score.figures()


def _of(prepared: MotionSet) -> Iterator[tuple[Path, Recording]]:
    source = Path(prepared.header.source)
    held_out = {clip.name for clip in prepared.split("test")}
    for recording in corpus.read(source):
        if Path(recording.audio).with_suffix("").as_posix() in held_out:
            yield source / recording.audio, recording
