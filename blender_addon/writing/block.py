# SPDX-License-Identifier: GPL-3.0-or-later
"""A lip sync's keys on one datablock: what is taken away of the earlier one, what is put in, and where."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from bpy.types import ID, Action, AnimData, FCurve

from .. import compat
from ..errors import BadInput, MouthpieceError
from . import anchors, below, keys, shaping, stack
from .ledger import Line, Record, Trace, is_own
from .options import Mode, WritingOptions
from .owner import Owner
from .sheet import Sheet
from .strand import Strand

if TYPE_CHECKING:
    import numpy as np


class Block:
    """One datablock's part of a lip sync."""

    def __init__(self, owner: Owner, record: Record, strands: list[Strand], options: WritingOptions, name: str) -> None:
        """Raises `BadInput` where the artist's action cannot take the keys, and nothing has changed."""
        self._owner, self._record, self._strands, self._options = owner, record, strands, options
        block = self.find()
        earlier = stack.earlier_lines(block, record)
        action, slot = self._destination(block, earlier)
        self._old = next((place.line for place in earlier if place.action == action), None)
        others = [place for place in earlier if place.action != action]
        self._rests = {trace.target: trace.rest for place in earlier for trace in place.line.traces}
        self._in_place = action is not None and options.mode is Mode.REPLACE
        self._sheet = Sheet(block, action, slot, name)
        self._leaving = [
            (Sheet(block, place.action, place.slot), place.action.session_uid, place.line) for place in others
        ]
        self._traces: list[Trace] = []
        self.done = 0
        """How many of `steps` are done."""

    @property
    def is_whole(self) -> bool:
        """Whether no undo has taken anything of it away."""
        return all(sheet.is_whole for sheet in self._sheets())

    @property
    def steps(self) -> int:
        """In how many steps it is built."""
        old = self._old.traces if self._old else ()
        return len(self._strands) + len(old) + sum(len(line.traces) for _, _, line in self._leaving)

    def find(self) -> ID:
        """The datablock with everything that is animated on it; raises `MouthpieceError` where some of it is gone."""
        block = self._owner.find()
        if block is None or not all(_has(block, strand.path) for strand in self._strands):
            raise MouthpieceError(f"What moves “{self._record.character}” was removed while it was animated.")
        return block

    def build(self) -> Generator[None, None, None]:
        """Build it in small pieces, of which `done` are done; nothing of Blender's is held while it yields."""
        for sheet, _, line in self._leaving:
            yield from self._withdraw(sheet, line)
        if self._old:
            yield from self._withdraw(self._sheet, self._old)
        for strand in self._strands:
            trace = yield from self._write(strand)
            self._traces.append(trace)
            self.done += 1
            yield
        for sheet in self._sheets():
            sheet.prune(self.find(), self._rests)

    def commit(self, block: ID) -> tuple[str, tuple[str, ...]]:
        """Put it in place; gives the action's name, and those of the artist's that made room."""
        data = block.animation_data or block.animation_data_create()
        for sheet, uid, line in self._leaving:
            sheet.enter(None, instead_of=line)
            if sheet.is_bare(block):
                sheet.discard()
                stack.remove(data, uid)
            else:
                sheet.swap()
        line = Line(self._record, self._sheet.handle(block), tuple(self._traces))
        self._sheet.enter(line, instead_of=self._old)
        action = self._sheet.swap()
        return action.name, tuple(self._place(data, action))

    def discard(self) -> None:
        """Forget what was built."""
        for sheet in self._sheets():
            sheet.discard()

    def _sheets(self) -> list[Sheet]:
        return [self._sheet, *(sheet for sheet, _, _ in self._leaving)]

    def _destination(self, block: ID, earlier: list[stack.Place]) -> tuple[Action | None, int]:
        """The action that takes the keys, with its slot; None for a new one."""
        data = block.animation_data
        if self._options.mode is Mode.REPLACE and data and data.action:
            ours = {strand.target for strand in self._strands}
            curves = compat.curves(data.action, data)
            _check_rewritable(data.action, [one for one in curves if (one.data_path, one.array_index) in ours])
            return data.action, compat.slot_in(data)
        own = next((place for place in earlier if is_own(place.action)), None)
        return (own.action, own.slot) if own else (None, 0)

    def _withdraw(self, sheet: Sheet, line: Line) -> Generator[None, None, None]:
        for trace in line.traces:
            sheet.withdraw(self.find(), trace)
            self.done += 1
            yield

    def _write(self, strand: Strand) -> Generator[None, None, Trace]:
        """Shape one curve's values and put its keys in; returns what that did."""
        first, last = self._record.first_frame, self._record.last_frame
        rest = self._rest(strand)
        values = self._shaped(strand, rest)
        new = yield from shaping.keyed(first, values, self._options)
        strand.shown = shaping.held(values, self._options.step)
        edges = new[:0]
        if self._options.mode is Mode.REPLACE:
            there = self._sheet.keys(self.find(), strand.target)
            edges = anchors.beside(there, first, last, lambda frames: self._without_us(strand, frames, rest))
        kept = self._sheet.splice(self.find(), strand.target, keys.joined(new, edges), first, last)
        return Trace(*strand.target, first, last, tuple(edges["co"][:, 0].tolist()), rest, kept)

    def _rest(self, strand: Strand) -> float:
        """What the property is where nothing animates it: its value before the first lip sync came."""
        if strand.target in self._rests:
            return self._rests[strand.target]
        now = self.find().path_resolve(strand.path)
        return float(now if isinstance(now, int | float) else now[strand.index])

    def _shaped(self, strand: Strand, rest: float) -> np.ndarray:
        """Smoothed, and passing at its edges into what plays there otherwise (NLA strips pass by themselves)."""
        values = shaping.smoothed(strand.asked, self._options.smoothing)
        if not self._options.blend or self._options.mode is Mode.NLA:
            return values
        weight = shaping.passage(len(values), self._options.blend)
        edge = (weight < 1).nonzero()[0]
        under = self._without_us(strand, self._record.first_frame + edge, rest)
        values = values.copy()
        values[edge] = under + weight[edge] * (values[edge] - under)
        return values

    def _without_us(self, strand: Strand, frames: np.ndarray, rest: float) -> np.ndarray:
        """What plays on a property at some frames without this lip sync: float64."""
        block = self.find()
        if self._options.mode is Mode.REPLACE:
            return self._sheet.sampled(block, strand.target, frames, rest)
        return below.plays_below(block.animation_data, self._sheet.old, strand.target, frames, rest)

    def _place(self, data: AnimData, action: Action) -> list[str]:
        """Let the finished action play; gives the names of the artist's actions that made room."""
        if self._in_place:
            compat.play_slot(data)  # an action that was empty until now had none
            return []
        if self._options.mode is Mode.NLA:
            return stack.lay(data, action, self._options.blend)
        return stack.place(data, action)


def _has(block: ID, path: str) -> bool:
    try:
        block.path_resolve(path)
    except ValueError:
        return False
    return True


def _check_rewritable(action: Action, curves: list[FCurve]) -> None:
    """Raises `BadInput` where keys of the artist's action cannot be replaced without harm."""
    elsewhere = "Choose New Action or NLA Track instead."
    if not action.is_editable:
        raise BadInput(
            f"The action “{action.name}” is linked from another file, so no keys can go into it. {elsewhere}"
        )
    if action.asset_data:
        raise BadInput(f"The action “{action.name}” is an asset, which lip sync would change. {elsewhere}")
    if any(curve.modifiers for curve in curves):
        raise BadInput(f"Curves in “{action.name}” have modifiers, which would change the lip sync. {elsewhere}")
