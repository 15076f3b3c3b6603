# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of a lip sync: one of them plays, the others wait in actions of their own until they are chosen.

The action that plays remembers the names of those that wait, and each of those its own. What the artist renames,
copies or uses elsewhere is the artist's from then on: it is neither shown nor removed any more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import bpy
from bpy.types import ID, Action

from ..errors import BadInput
from . import owner, posing, stack
from .ledger import PROPERTY, Ledger, Line, Record, is_own
from .stack import Place


@dataclass(frozen=True)
class Listed:
    """A take that can be chosen."""

    record: Record
    plays: bool


@dataclass(frozen=True)
class _Spot:
    """A datablock on which takes play, with the action that does now."""

    block: ID
    place: Place
    character: str

    @property
    def takes(self) -> dict[int, Action]:
        """The action of each take by its number."""
        return {self.place.line.record.take: self.place.action} | _waiting(self.place.line, self.character)


def recorded(strip: str, character: str) -> list[Listed]:
    """The takes of a strip that a character has on everything that moves it, by their numbers; one of them plays."""
    spots = _spots(strip, character)
    if not spots:
        return []
    shown, common = spots[0].place.action, set.intersection(*(set(spot.takes) for spot in spots))
    actions = [action for number, action in sorted(spots[0].takes.items()) if number in common]
    return [Listed(Ledger.of(action).lines[0].record, action == shown) for action in actions]


def show(strip: str, character: str, number: int) -> None:
    """Let another take play, on all that moves the character; raises `BadInput`, and nothing has changed."""
    spots = _spots(strip, character)
    for spot in spots:
        if number not in spot.takes:
            raise BadInput(f"“{character}” has no take {number} of “{strip}”.")
        owner.check_not_tweaked(spot.block, character)
    for spot in spots:
        if number != spot.place.line.record.take:
            _exchange(spot, spot.takes[number])


def keep(strip: str, character: str) -> int:
    """Remove the takes that wait; gives how many there were. Raises `BadInput` where there are none."""
    there = recorded(strip, character)
    if len(there) < 2:
        raise BadInput(f"“{character}” has but one take of “{strip}”. Generate more, or keep the earlier one beside.")
    for spot in _spots(strip, character):
        discard(spot.place.line, character)
        _remember(spot.place.action, ())
    return len(there) - 1


def blocks(strip: str, character: str) -> list[ID]:
    """Every datablock of a character on which a lip sync of a strip plays, but none of its copies'."""
    if not any(PROPERTY in action for action in bpy.data.actions):
        return []
    return [block for block in owner.blocks_of(character) if stack.lines_of(block, strip, character)]


def standing(places: Sequence[Place]) -> Place | None:
    """The first of some places whose action can wait as a take: one of ours that holds nothing else."""
    return next((one for one in places if is_own(one.action) and len(Ledger.of(one.action).lines) == 1), None)


def highest(block: ID, record: Record) -> int:
    """The highest number of a take that a lip sync has on a datablock so far; 0 where it has none."""
    place = standing(stack.earlier_lines(block, record))
    return max(_Spot(block, place, record.character).takes) if place else 0


def titled(name: str, number: int) -> str:
    """What the action of a take is called."""
    return f"{name} take {number}"


def untitled(name: str) -> str:
    """The same without the number of a take."""
    return re.sub(r" take \d+(\.\d+)?$", "", name)


def park(action: Action) -> str:
    """Let an action wait as a take; gives its name."""
    ledger = Ledger.of(action)
    lines = tuple(replace(line, waiting=()) for line in ledger.lines)
    replace(ledger, lines=lines, parked=action.name).store(action)
    action.use_fake_user = True
    return action.name


def step_aside(action: Action, name: str, character: str) -> tuple[str, ...]:
    """Let the action that plays wait behind those that do already; gives the names of all of them.

    `name`: what its takes are called, without their numbers.
    """
    line = Ledger.of(action).lines[0]
    action.name = titled(name, line.record.take)
    return (*(other.name for other in _waiting(line, character).values()), park(action))


def discard(line: Line, character: str) -> None:
    """Remove the takes of a character that wait beside a line; those that are used elsewhere are the artist's."""
    for action in _waiting(line, character).values():
        if action.users > action.use_fake_user:
            replace(Ledger.of(action), parked="").store(action)
        else:
            bpy.data.actions.remove(action)


def _spots(strip: str, character: str) -> list[_Spot]:
    """Where takes of a strip play on a character; a take that waits and is used elsewhere does not play there."""
    found = ((block, standing(stack.lines_of(block, strip, character))) for block in blocks(strip, character))
    return [_Spot(block, place, character) for block, place in found if place and not Ledger.of(place.action).parked]


def _waiting(line: Line, character: str) -> dict[int, Action]:
    """The other takes of a line that plays, by their numbers, as far as they still are ours and that character's."""
    local = {action.name: action for action in bpy.data.actions if action.library is None}
    names = line.waiting if line.record.character == character else _unshared(line.waiting)
    ledgers = {name: Ledger.of(local[name]) for name in names if name in local}
    ours = {name: ledger for name, ledger in ledgers.items() if ledger.parked == name and len(ledger.lines) == 1}
    return {ledger.lines[0].record.take: local[name] for name, ledger in ours.items()}


def _unshared(names: Sequence[str]) -> list[str]:
    """Those takes that wait on one datablock only: a copied character's line names those of its original too."""
    playing = [action for block in owner.animated() for action in set(stack.actions(block.animation_data))]
    counts = Counter(name for action in playing for line in Ledger.of(action).lines for name in line.waiting)
    return [name for name in names if counts[name] == 1]


def _exchange(spot: _Spot, chosen: Action) -> None:
    before = spot.place.action
    was_kept = before.use_fake_user
    stays = [action for action in spot.takes.values() if action not in (before, chosen)]
    stack.exchange(spot.block.animation_data, before, chosen, Ledger.of(chosen).lines[0].slot)
    posing.rest(spot.block, {trace.target: trace.rest for trace in spot.place.line.traces})
    _remember(chosen, (*(action.name for action in stays), park(before)))
    chosen.use_fake_user = was_kept


def _remember(action: Action, waiting: tuple[str, ...]) -> None:
    """Let an action that plays know which ones wait."""
    ledger = Ledger.of(action)
    lines = tuple(replace(line, waiting=waiting) for line in ledger.lines)
    replace(ledger, lines=lines, parked="").store(action)
