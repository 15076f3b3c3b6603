# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a motion is written: the regions that the artist has chosen, how strong, and eyes that live. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import BadInput
from ..rig.spelling import spelling
from . import life
from .options import WritingOptions
from .regions import region_of

if TYPE_CHECKING:
    import numpy as np

    from ..motion import Motion


_SPEAKING = ("mouth", "jaw")


def directed(motion: Motion, strength: float, options: WritingOptions) -> Motion:
    """The motion as the artist wants it: channels of other regions are left out, so that nothing is written for them.

    Raises `BadInput` where the model moves none of the chosen regions.
    """
    import numpy as np

    alive = _with_eyes(replace(motion, values=strength * motion.values), options)
    chosen = [column for column, name in enumerate(alive.names) if region_of(name) in options.regions]
    if not chosen:
        raise BadInput(f"The model does not move the chosen regions: {', '.join(options.regions)}. Choose others.")
    names = tuple(alive.names[column] for column in chosen)
    strengths = np.array([options.regions[region_of(name)] for name in names], np.float32)
    return replace(alive, names=names, values=alive.values[:, chosen] * strengths)


def _with_eyes(motion: Motion, options: WritingOptions) -> Motion:
    added: dict[str, np.ndarray] = {}
    frames = len(motion.values)
    if options.blinks:
        mouth = [column for column, name in enumerate(motion.names) if region_of(name) in _SPEAKING]
        pauses = life.pauses(motion.values[:, mouth], motion.fps)
        lids = life.blinks(frames, motion.fps, options.seed, pauses)
        added |= {"eyeBlinkLeft": lids, "eyeBlinkRight": lids}
    if options.darts:
        left, up = life.darts(frames, motion.fps, options.seed).T
        added |= _looks(left, up)
    return _combined(motion, added) if added else motion


def _looks(left: np.ndarray, up: np.ndarray) -> dict[str, np.ndarray]:
    """Both eyes' channels for a look to the character's left and up, float32 [frames] each."""
    sides = {"eyeLookOutLeft": left, "eyeLookInRight": left, "eyeLookInLeft": -left, "eyeLookOutRight": -left}
    heights = {"eyeLookUpLeft": up, "eyeLookUpRight": up, "eyeLookDownLeft": -up, "eyeLookDownRight": -up}
    return {name: values.clip(0.0, None) for name, values in (sides | heights).items()}


def _combined(motion: Motion, added: Mapping[str, np.ndarray]) -> Motion:
    """The stronger of both where the model has a channel already, else a new column."""
    import numpy as np

    columns = {spelling(name): column for column, name in enumerate(motion.names)}
    values = motion.values.copy()
    for name, more in added.items():
        if (column := columns.get(spelling(name))) is not None:
            values[:, column] = np.maximum(values[:, column], more)
    new = [name for name in added if spelling(name) not in columns]
    wide = np.concatenate([values, *(added[name][:, None] for name in new)], axis=1)
    return replace(motion, names=(*motion.names, *new), values=wide)
