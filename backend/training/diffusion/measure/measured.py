# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured: everything that a student, its teacher and its fellow students are compared by, in one go."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from backend.checkpoint import LoadedModel
from backend.face import ARKIT_CHANNELS
from backend.training.diffusion.talker_model import Talker
from backend.training.errors import ConfigError, CorpusError
from backend.training.motion.motion_set import MotionSet

from . import feelings, lifelike, lips, people, scenes, steps
from .report import Found
from .scenes import Scene

SPACE = "arkit"
_TAKES = 12
"""Of every scene, to look at the upper face: takes of one seed look up and blink at the same times in all scenes."""
_MOUTH = np.array([place for place, name in enumerate(ARKIT_CHANNELS) if name.startswith(("jaw", "mouth", "tongue"))])


@dataclass(frozen=True, eq=False)
class Measurement:
    """What is compared on what."""

    teacher: Talker
    students: Sequence[Talker]
    """The first one is the one that is shown."""
    sets: Sequence[MotionSet]
    strangers: Sequence[MotionSet]
    """Speakers that nobody learnt from."""
    models: Sequence[LoadedModel]
    """The default model, and the first student again as artists use it."""


def measure(wanted: Measurement) -> Found:
    """All figures. Raises CorpusError for data without held-out clips of ARKit weights, or without its corpus."""
    began = time.process_time()
    teacher, shown = wanted.teacher, wanted.students[0]
    if SPACE not in teacher.spaces:
        raise ConfigError(f"The teacher speaks {', '.join(teacher.spaces)}; the figures are those of {SPACE} faces.")
    held_out = _held_out(wanted.sets, teacher)
    taught, borrowed = (scenes.of_sets(wanted.sets, "train", borrowed=borrowed) for borrowed in (False, True))
    strange = [
        scene for split in ("train", "val", "test") for scene in scenes.of_sets(wanted.strangers, split, teacher)
    ]
    pairs = lips.recordings(wanted.sets)
    takes = scenes.perform(shown, SPACE, held_out, range(_TAKES)).takes.reshape(-1, *held_out[0].motion.shape)
    fps = shown.rates[SPACE]
    return Found(
        steps.compare([teacher, *wanted.students], SPACE, held_out, _MOUTH),
        people.retrieved(shown, held_out),
        people.rank_correlation(shown, taught, strange) if strange else None,
        people.personalization(shown, SPACE, held_out, {"all": [*taught, *borrowed], "own speech": taught}),
        {each.info.name: lips.closures(each, pairs) for each in wanted.models},
        lifelike.figures(scenes.annotated(wanted.sets, "train"), fps),
        lifelike.figures(list(takes), fps),
        feelings.likeness(shown, SPACE, held_out, taught),
        shown.model.config.steps,
        time.process_time() - began,
    )


def _held_out(sets: Sequence[MotionSet], teacher: Talker) -> list[Scene]:
    """The scenes of the held-out clips. Raises CorpusError where there is none, or nobody that the teacher knows."""
    found = scenes.of_sets(sets, "test", teacher)
    if not found:
        raise CorpusError("No data set holds out clips of 4 s; prepare ten recordings of each speaker or more.")
    if strange := sorted({scene.identity for scene in found} - set(teacher.identities)):
        raise CorpusError(f"The teacher did not learn from {strange[0]}; name by --data what it learnt from.")
    return found
