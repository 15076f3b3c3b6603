# SPDX-License-Identifier: GPL-3.0-or-later
"""A lip sync's keys on one datablock: what is taken away of the earlier one, what is put in, and where."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from bpy.types import ID, Action, AnimData, FCurve

from .. import compat
from ..errors import BadInput, MouthpieceError
from . import posing, stack, takes
from .ledger import Line, is_own
from .options import Mode, WritingOptions
from .owner import Owner
from .part import Part
from .sheet import Sheet, find
from .take import Take


@dataclass(frozen=True)
class Written:
    """What has come into a datablock's animation."""

    actions: tuple[str, ...]
    """The names of the takes' actions, of which the first one plays."""
    moved: tuple[str, ...]
    """The artist's actions that made room."""


class Block:
    """One datablock's part of a lip sync: an action for each of its takes, the first of which is to play.

    Where a take does not move the datablock at all, its action is empty; where there is one take only, there is none.
    """

    def __init__(self, owner: Owner, made: Sequence[Take], options: WritingOptions, name: str) -> None:
        """`name`: what a new action is called.

        Raises `BadInput` where the artist's action cannot take the keys, and nothing has changed.
        """
        self._owner, self._options = owner, options
        self._takes = [take.on(owner) for take in made]
        self._record = self._takes[0].record
        block = self.find()
        earlier = stack.earlier_lines(block, self._record)
        self._rests = {trace.target: trace.rest for place in earlier for trace in place.line.traces}
        own = [place for place in earlier if not self._is_anothers(block, place)]
        beside = takes.standing(own) if options.beside else None
        is_left = beside is None and len(made) == 1 and not self._takes[0].strands
        action, slot = (None, 0) if beside or is_left else self._destination(block, earlier)
        self._in_place = action is not None and options.mode is Mode.REPLACE
        self._old = next((place.line for place in earlier if place.action == action), None)
        others = [place for place in earlier if place.action != action and place != beside]
        self._leaving = [
            (Sheet(block, place.action, place.slot), place.action.session_uid, place.line) for place in others
        ]
        before = beside.action if beside else action
        self._name = takes.untitled(before.name) if before and is_own(before) else name
        self._beside = beside.action.session_uid if beside else None
        self._parts = [] if is_left else self._begin(block, action, slot, before)
        self._withdrawn = 0

    @property
    def is_whole(self) -> bool:
        """Whether no undo has taken anything of it away."""
        return all(sheet.is_whole for sheet in self._sheets())

    @property
    def steps(self) -> int:
        """In how many steps it is built."""
        old = self._old.traces if self._old else ()
        withdrawn = len(old) + sum(len(line.traces) for _, _, line in self._leaving)
        return withdrawn + sum(len(take.strands) for take in self._takes)

    @property
    def done(self) -> int:
        """How many of `steps` are done."""
        return self._withdrawn + sum(part.done for part in self._parts)

    def find(self) -> ID:
        """The datablock with everything that is animated on it; raises `MouthpieceError` where some of it is gone."""
        block = self._owner.find()
        if block is None or not all(_has(block, strand.path) for strand in self._takes[0].strands):
            raise MouthpieceError(
                f"What moves “{self._record.character}” was removed meanwhile. Click Apply Last Result."
            )
        return block

    def build(self) -> Generator[None, None, None]:
        """Build it in small pieces, of which `done` are done; nothing of Blender's is held while it yields."""
        for sheet, _, line in self._leaving:
            yield from self._withdraw(sheet, line)
        if self._old:
            yield from self._withdraw(self._parts[0].sheet, self._old)
        for part in self._parts:
            yield from part.build()
        for sheet in self._sheets():
            sheet.prune(self.find(), self._rests)

    def commit(self, block: ID) -> Written:
        """Put it in place."""
        data = block.animation_data or block.animation_data_create()
        for sheet, uid, line in self._leaving:
            takes.discard(line, self._record.character)
            _leave(data, block, sheet, uid, line)
        written = self._commit_takes(data, block) if self._parts else Written((), ())
        posing.rest(block, self._rests)
        return written

    def _commit_takes(self, data: AnimData, block: ID) -> Written:
        if self._old:
            takes.discard(self._old, self._record.character)
        first, *others = self._parts
        parked = tuple(takes.park(self._finished(part, block)) for part in others)
        before = find(self._beside)
        waiting = (*takes.step_aside(before, self._name, self._record.character), *parked) if before else parked
        first.sheet.enter(replace(first.line, waiting=waiting), instead_of=self._old)
        action = first.sheet.swap(block, "" if self._in_place else self._title(first.take))
        if before:
            stack.exchange(data, before, action, first.sheet.slot)
        return Written((action.name, *parked), tuple(self._place(data, action, first.sheet.slot)))

    def discard(self) -> None:
        """Forget what was built."""
        for sheet in self._sheets():
            sheet.discard()

    def _begin(self, block: ID, action: Action | None, slot: int, before: Action | None) -> list[Part]:
        """The takes with the sheets that they are written on; only the first one may take an action's place."""
        place = before.session_uid if before else None
        first, *others = self._takes
        sheets = [(first, Sheet(block, action, slot, self._title(first)))]
        sheets += [(take, Sheet(block, None, 0, self._title(take))) for take in others]
        return [Part(sheet, take, self._options, self.find, place, self._rests) for take, sheet in sheets]

    def _finished(self, part: Part, block: ID) -> Action:
        part.sheet.enter(part.line, instead_of=None)
        return part.sheet.swap(block, self._title(part.take))

    def _title(self, take: Take) -> str:
        """What a take's action is called."""
        alone = len(self._takes) == 1 and self._beside is None
        return self._name if alone else takes.titled(self._name, take.record.take)

    def _sheets(self) -> list[Sheet]:
        return [*(part.sheet for part in self._parts), *(sheet for sheet, _, _ in self._leaving)]

    def _destination(self, block: ID, earlier: list[stack.Place]) -> tuple[Action | None, int]:
        """The action that takes the keys, with its slot; None for a new one."""
        data = block.animation_data
        if self._options.mode is Mode.REPLACE and data and data.action:
            ours = {strand.target for strand in self._takes[0].strands}
            curves = compat.curves(data.action, data)
            _check_rewritable(data.action, [one for one in curves if (one.data_path, one.array_index) in ours])
            return data.action, compat.slot_in(data)
        own = next((place for place in earlier if is_own(place.action)), None)
        return (own.action, own.slot) if own else (None, 0)

    def _is_anothers(self, block: ID, place: stack.Place) -> bool:
        """Whether a copied character still plays the very action of its original."""
        is_copied = place.line.record.character != self._record.character
        return is_copied and stack.is_shared(place.action, place.slot, block)

    def _withdraw(self, sheet: Sheet, line: Line) -> Generator[None, None, None]:
        for trace in line.traces:
            sheet.withdraw(self.find(), trace)
            self._withdrawn += 1
            yield

    def _place(self, data: AnimData, action: Action, slot: int) -> list[str]:
        """Let the finished action play; gives the names of the artist's actions that made room."""
        if self._in_place:
            compat.play_slot(data, slot)  # an action that was empty or somebody else's until now had none for it
            return []
        if self._options.mode is Mode.NLA:
            return stack.lay(data, action, slot, self._options.blend)
        return stack.place(data, action, slot)


def _leave(data: AnimData, block: ID, sheet: Sheet, uid: int, line: Line) -> None:
    """Put an action in place from which a line was withdrawn, or remove it where nothing else is in it."""
    sheet.enter(None, instead_of=line)
    if sheet.is_bare:
        sheet.discard()
        stack.remove(data, uid)
    else:
        sheet.swap(block)


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
