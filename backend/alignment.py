# SPDX-License-Identifier: GPL-3.0-or-later
"""Alignment: when each phone of a known text is heard, or which phones are heard where no text is known.

Both are Viterbi searches (Rabiner, "A tutorial on hidden Markov models", 1989) over log-probabilities of phone classes,
one row per reading. Time and memory grow with the length of the sound: of all states of the text only those near the
best one are kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .phonetics.phones import SILENCE

BEAM = 250.0
"""A state this much less likely (in nats) than the best one at the same time is given up."""
WIDEST = 4000
"""States kept at one time, at most: about two minutes of text."""
SWITCH_COST = 4.0
"""Nats that a change of class costs where no text is known, so that one odd reading is no phone."""
_IMPOSSIBLE = np.float32(-1e30)
_STAY, _ADVANCE, _SKIP = 0, 1, 2


class Span(NamedTuple):
    """One piece of an alignment, in readings."""

    item: int
    """Which of the wanted items; for `decode`, the class."""
    first: int
    last: int
    """The reading behind the last one."""


@dataclass(frozen=True)
class Item:
    """One class that has to be heard, or may be."""

    kind: int
    """The class."""
    shortest: int = 1
    """Readings that it lasts at least."""
    optional: bool = False
    """It may be left out; no two neighbours may both be."""


def align(scores: np.ndarray, items: Sequence[Item]) -> list[Span] | None:
    """The most likely times of all items, in order and without gaps; items that were left out are missing.

    `scores` float32 [readings, classes] are log-probabilities. None where the items do not fit into the readings or
    are so unlike them that the search loses its way.
    """
    if not items or not len(scores):
        return None
    trellis = _Trellis(items)
    steps = _forward(scores, trellis)
    return None if steps is None else _traced(steps, trellis)


def decode(scores: np.ndarray, switch_cost: float = SWITCH_COST) -> list[Span]:
    """The most likely classes, in order and without gaps, where nothing is known about the text."""
    search = FreeSearch(switch_cost)
    search.hear(scores)
    return search.spans()


class FreeSearch:
    """`decode` while the sound is still heard: it keeps a few bytes of each reading."""

    def __init__(self, switch_cost: float = SWITCH_COST) -> None:
        self._cost = switch_cost
        self._best: np.ndarray | None = None
        """float64 [classes]: how likely the best way into each class is."""
        self._winners = array("H")
        """The best class before each reading but the first."""
        self._switches = bytearray()
        """Which classes were better reached from there than held: a bit each, in whole bytes for a reading."""

    def hear(self, scores: np.ndarray) -> None:
        """Take the next readings: log-probabilities, float32 [readings, classes]."""
        for reading in scores:
            if self._best is None:
                self._best = reading.astype(np.float64)
                continue
            winner = int(self._best.argmax())
            from_winner = self._best[winner] - self._cost
            self._winners.append(winner)
            self._switches += np.packbits(self._best < from_winner).tobytes()
            self._best = np.maximum(self._best, from_winner) + reading

    def spans(self) -> list[Span]:
        """The answer for all readings up to now."""
        if self._best is None:
            return []
        state = int(self._best.argmax())
        path = [state]
        width = -(-len(self._best) // 8)
        for time in range(len(self._winners) - 1, -1, -1):
            if self._switches[time * width + state // 8] >> (7 - state % 8) & 1:
                state = self._winners[time]
            path.append(state)
        return _runs(np.array(path[::-1]))


def fit(scores: np.ndarray, spans: Sequence[Span], kinds: Sequence[int], among: Sequence[Span]) -> float:
    """How much less likely (nats per reading, 0 at best) an alignment is than what was heard freely, pauses left out.

    `kinds` are the classes of the items of `spans`; `among` is the free answer of `decode`.
    """
    wanted, free = np.full(len(scores), SILENCE), np.full(len(scores), SILENCE)
    for span in spans:
        wanted[span.first : span.last] = kinds[span.item]
    for span in among:
        free[span.first : span.last] = span.item
    readings = np.arange(len(scores))
    spoken = (wanted != SILENCE) | (free != SILENCE)
    lost = scores[readings, free] - scores[readings, wanted]
    return float(lost[spoken].mean()) if spoken.any() else 0.0


class _Trellis:
    """The states of a row of items: one for each reading that an item must last, the last of them may repeat."""

    def __init__(self, items: Sequence[Item]) -> None:
        lengths = np.array([item.shortest for item in items])
        self.items = np.repeat(np.arange(len(items)), lengths)
        self.kinds = np.array([item.kind for item in items])[self.items]
        ends = np.cumsum(lengths)
        self.repeats = np.zeros(len(self.items), bool)
        self.repeats[ends - 1] = True
        self.skips = np.zeros(len(self.items), np.int64)
        """How many states back the way past an optional item begins; 0: there is none."""
        starts = ends - lengths
        for index in range(2, len(items)):
            if items[index - 1].optional:
                self.skips[starts[index]] = lengths[index - 1] + 1
        self.behind_optional = np.flatnonzero(self.skips)
        self.furthest = max(int(self.skips.max()), 1)
        """States that one reading may lead ahead."""
        self.entries = {0, int(starts[1])} if len(items) > 1 and items[0].optional else {0}
        self.exits = {len(self.items) - 1}
        if len(items) > 1 and items[-1].optional:
            self.exits.add(int(ends[-2]) - 1)


class _Step(NamedTuple):
    """What one reading has decided: for states from `first` on, where the best way came from."""

    first: int
    moves: np.ndarray
    """uint8 [states]: `_STAY`, `_ADVANCE` or `_SKIP`."""
    best_exit: int
    """The best state to end in, -1 where none is reached."""


def _forward(scores: np.ndarray, trellis: _Trellis) -> list[_Step] | None:
    """All steps; None where no way leads to an end."""
    low, best = 0, np.full(max(trellis.entries) + 1, _IMPOSSIBLE)
    for entry in trellis.entries:
        best[entry] = scores[0, trellis.kinds[entry]]
    steps = [_Step(0, np.zeros(len(best), np.uint8), _exit(trellis, 0, best))]
    for reading in scores[1:]:
        high = min(low + len(best) + trellis.furthest, len(trellis.items))
        reached, moves = _advanced(best, low, high, trellis)
        reached += reading[trellis.kinds[low:high]]
        alive = np.flatnonzero(reached > reached.max() - BEAM)
        start = max(alive[0], min(int(reached.argmax()) - WIDEST // 2, alive[-1] + 1 - WIDEST))
        kept = slice(start, min(alive[-1] + 1, start + WIDEST))
        low, best = low + start, reached[kept]
        steps.append(_Step(low, moves[kept], _exit(trellis, low, best)))
    return steps if steps[-1].best_exit >= 0 else None


def _advanced(best: np.ndarray, low: int, high: int, trellis: _Trellis) -> tuple[np.ndarray, np.ndarray]:
    """For the states from `low` to `high` the likelihood of the best way into each, and the moves that lead there.

    `best` float32 holds the likelihoods of the states from `low` on, one reading before.
    """
    before = np.full(high - low + 1, _IMPOSSIBLE)  # one place in front, for the way into the first state
    before[1 : len(best) + 1] = best
    reached = np.where(trellis.repeats[low:high], before[1:], _IMPOSSIBLE)
    moves = np.zeros(high - low, np.uint8)
    better = before[:-1] > reached
    reached[better], moves[better] = before[:-1][better], _ADVANCE
    places = trellis.behind_optional[np.searchsorted(trellis.behind_optional, low) :]
    places = places[: np.searchsorted(places, high)] - low
    origins = places - trellis.skips[places + low]
    skip = np.where(origins >= 0, before[origins.clip(0) + 1], _IMPOSSIBLE)
    taken = skip > reached[places]
    reached[places[taken]], moves[places[taken]] = skip[taken], _SKIP
    return reached, moves


def _exit(trellis: _Trellis, low: int, best: np.ndarray) -> int:
    inside = [state for state in trellis.exits if low <= state < low + len(best) and best[state - low] > _IMPOSSIBLE]
    return max(inside, key=lambda state: best[state - low], default=-1)


def _traced(steps: list[_Step], trellis: _Trellis) -> list[Span]:
    state = steps[-1].best_exit
    path = np.empty(len(steps), np.int64)
    for time in range(len(steps) - 1, -1, -1):
        path[time] = state
        move = steps[time].moves[state - steps[time].first]
        state -= (0, 1, int(trellis.skips[state]))[move]
    return _runs(trellis.items[path])


def _runs(path: np.ndarray) -> list[Span]:
    edges = np.flatnonzero(np.diff(path)) + 1
    firsts, lasts = [0, *edges.tolist()], [*edges.tolist(), len(path)]
    return [Span(int(path[first]), first, last) for first, last in zip(firsts, lasts, strict=True)]
