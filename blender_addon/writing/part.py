# SPDX-License-Identifier: GPL-3.0-or-later
"""One take's keys on one datablock, built in an action aside."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING

from bpy.types import ID

from . import anchors, below, keys, shaping
from .ledger import Line, Trace
from .options import Mode, WritingOptions
from .sheet import Sheet, find
from .strand import Strand
from .take import Take

if TYPE_CHECKING:
    import numpy as np


class Part:
    """A take on a datablock: its curves become keys of a sheet."""

    def __init__(
        self,
        sheet: Sheet,
        take: Take,
        options: WritingOptions,
        block: Callable[[], ID],
        place: int | None,
        rests: Mapping[tuple[str, int], float],
    ) -> None:
        """`block` finds the datablock again, however often the artist undoes something meanwhile.

        `place`: the `session_uid` of the action where it will play, None for a new place; `rests`: what properties were
        before an earlier lip sync animated them.
        """
        self.sheet, self.take, self._options = sheet, take, options
        self._block, self._place, self._rests = block, place, rests
        self._traces: list[Trace] = []

    @property
    def done(self) -> int:
        """How many of its curves are written."""
        return len(self._traces)

    def build(self) -> Generator[None, None, None]:
        """Write curve after curve, in small pieces."""
        for strand in self.take.strands:
            trace = yield from self._write(strand)
            self._traces.append(trace)
            yield

    @property
    def line(self) -> Line:
        """What its action is to remember."""
        return Line(self.take.record, self.sheet.slot, tuple(self._traces))

    def _write(self, strand: Strand) -> Generator[None, None, Trace]:
        """Shape one curve's values and put its keys in; returns what that did."""
        first, last = self.take.record.first_frame, self.take.record.last_frame
        rest = self._rest(strand)
        values = self._shaped(strand, rest)
        new = yield from shaping.keyed(first, values, self._options)
        strand.shown = shaping.held(values, self._options.step)
        edges = new[:0]
        if self._options.mode is Mode.REPLACE:
            there = self.sheet.keys(self._block(), strand.target)
            edges = anchors.beside(there, first, last, lambda frames: self._without_us(strand, frames, rest))
        kept = self.sheet.splice(self._block(), strand.target, keys.joined(new, edges), first, last)
        return Trace(*strand.target, first, last, tuple(edges["co"][:, 0].tolist()), rest, kept)

    def _rest(self, strand: Strand) -> float:
        """What the property is where nothing animates it: its value before the first lip sync came."""
        if strand.target in self._rests:
            return self._rests[strand.target]
        now = self._block().path_resolve(strand.path)
        return float(now if isinstance(now, int | float) else now[strand.index])

    def _shaped(self, strand: Strand, rest: float) -> np.ndarray:
        """Smoothed, and passing at its edges into what plays there otherwise (NLA strips pass by themselves)."""
        values = shaping.smoothed(strand.asked, self._options.smoothing)
        if not self._options.blend or self._options.mode is Mode.NLA:
            return values
        weight = shaping.passage(len(values), self._options.blend)
        edge = (weight < 1).nonzero()[0]
        under = self._without_us(strand, self.take.record.first_frame + edge, rest)
        values = values.copy()
        values[edge] = under + weight[edge] * (values[edge] - under)
        return values

    def _without_us(self, strand: Strand, frames: np.ndarray, rest: float) -> np.ndarray:
        """What plays on a property at some frames without this lip sync: float64."""
        block = self._block()
        if self._options.mode is Mode.REPLACE:
            return self.sheet.sampled(block, strand.target, frames, rest)
        return below.plays_below(block.animation_data, find(self._place), strand.target, frames, rest)
