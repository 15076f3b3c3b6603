# SPDX-License-Identifier: GPL-3.0-or-later
"""From a model's own numbers to curves that an animator can use, piece by piece as they come.

Every function maps an iterator of consecutive pieces, float32 [frames, …], to another one. A frame's result never
depends on where the pieces were cut.

Nothing here smooths: the decoders' own curves hold next to no energy above 12 Hz, and lips that meet for 50 ms would be
the first thing that a filter takes away. What trembles in a take's eyes and brows is for `stillness`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from . import closures


def rested(pieces: Iterable[np.ndarray], rest: np.ndarray) -> Iterator[np.ndarray]:
    """Control weights counted from the rest pose [channels], kept between 0 and 1."""
    for piece in pieces:
        yield np.clip(piece - rest, 0.0, 1.0)


def sealed(pieces: Iterable[np.ndarray], names: Sequence[str]) -> Iterator[np.ndarray]:
    """Weights whose lips meet wherever they all but do; unchanged where the names are not ARKit's."""
    for piece in pieces:
        yield closures.sealed(piece, names) if closures.can_follow(names) else piece


def within(pieces: Iterable[np.ndarray], limits: Sequence[tuple[float, float]]) -> Iterator[np.ndarray]:
    """Controls of somebody's own rig, each kept between its lowest and highest value.

    They are not counted from a rest pose: the model has learnt from this very rig how it rests.
    """
    lowest, highest = np.array(limits, np.float32).T
    for piece in pieces:
        yield np.clip(piece, lowest, highest)
