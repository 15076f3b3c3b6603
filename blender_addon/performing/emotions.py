# SPDX-License-Identifier: GPL-3.0-or-later
"""Emotions along a line: as said once for all of it, or as the artist has set and keyed them on the character."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bpy.types import Object

from ..writing import below
from .sliders import EMOTIONS, property_of

if TYPE_CHECKING:
    import numpy as np

TOLERANCE = 0.01
"""How far a weight may be from the artist's curve on any frame."""


@dataclass(frozen=True, eq=False)
class Feelings:
    """What is felt when."""

    names: tuple[str, ...]
    seconds: np.ndarray
    """float32 [points]: rising, counted from the first frame."""
    weights: np.ndarray
    """float32 [points, names]."""

    def among(self, known: tuple[str, ...]) -> Feelings:
        """Only what is among some emotions."""
        columns = [column for column, name in enumerate(self.names) if name in known]
        return Feelings(tuple(self.names[column] for column in columns), self.seconds, self.weights[:, columns])


def steady(weights: Mapping[str, float]) -> Feelings | None:
    """The same all the time; None where there is no emotion."""
    import numpy as np

    if not weights:
        return None
    return Feelings(tuple(weights), np.zeros(1, np.float32), np.array([[*weights.values()]], np.float32))


def keyed(character: Object, first: int, frames: int, fps: float) -> Feelings | None:
    """What a character is set and keyed to feel on some frames of the scene; None where that is nothing."""
    import numpy as np

    at = np.arange(first, first + frames)
    columns = [_column(character, property_of(name), at) for name in EMOTIONS]
    weights = np.stack(columns, axis=1).clip(0.0, None)
    felt = [column for column in range(len(EMOTIONS)) if weights[:, column].any()]
    if not felt:
        return None
    places = thinned(weights[:, felt], TOLERANCE)
    names = tuple(EMOTIONS[column] for column in felt)
    return Feelings(names, (places / fps).astype(np.float32), weights[places][:, felt].astype(np.float32))


def thinned(values: np.ndarray, tolerance: float) -> np.ndarray:
    """Rows of values float [n, columns] between which straight lines stay within a tolerance: int [points], rising.

    Rows are added where the line is furthest off (Ramer, Douglas, Peucker); one is enough where nothing changes.
    """
    import numpy as np

    last = len(values) - 1
    if (abs(values - values[0]) <= tolerance).all():
        return np.zeros(1, int)
    places, open_spans = {0, last}, [(0, last)]
    while open_spans:
        begin, end = open_spans.pop()
        way = np.linspace(0.0, 1.0, end - begin + 1)[:, None]
        off = abs(values[begin : end + 1] - (values[begin] + way * (values[end] - values[begin]))).max(axis=1)
        worst = begin + int(off.argmax())
        if off.max() > tolerance:
            places.add(worst)
            open_spans += [(begin, worst), (worst, end)]
    return np.array(sorted(places))


def _column(character: Object, name: str, frames: np.ndarray) -> np.ndarray:
    """A property's values at some frames, float64, as the character's own animation has them."""
    return below.plays_below(character.animation_data, None, (name, 0), frames, getattr(character, name))
