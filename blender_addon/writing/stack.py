# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions that play together on one datablock: the active one, and those in NLA tracks below it.

The artist's arrangement is kept: an action that already plays stays where it is, and an active action that has to make
room goes into an NLA track where it plays as before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import bpy
from bpy.types import ID, Action, AnimData, FCurve, NlaStrip

from .. import compat
from . import owner
from .ledger import Ledger, Line, Record, is_own


@dataclass(frozen=True)
class Place:
    """An action that plays an earlier lip sync."""

    action: Action
    slot: int
    """Handle of the slot that plays; 0 where Blender has no slots."""
    line: Line


def actions(data: AnimData | None) -> list[Action]:
    """All actions that play, the active one first."""
    return [action for action, _ in _playing(data)]


def lines_of(block: ID, strip: str, character: str) -> list[Place]:
    """Where lip syncs of a strip and character play on a datablock: each action once, those that can be written.

    Where there are none, those of a character that the datablock is not of: this one has had another name since, or is
    a copy of that one.
    """
    found = _remembered(block, strip, character)
    return found or next((_remembered(block, strip, name) for name in _strangers(block, strip)), [])


def _remembered(block: ID, strip: str, character: str) -> list[Place]:
    found: dict[Action, Place] = {}
    for action, slot in _playing(block.animation_data):
        line = Ledger.of(action).find(strip, character, slot)
        if line and action.is_editable:
            found.setdefault(action, Place(action, slot, line))
    return list(found.values())


def _strangers(block: ID, strip: str) -> list[str]:
    """The characters that speak a strip on a datablock which is not, or no more, one of theirs."""
    names = (
        line.record.character
        for action, slot in _playing(block.animation_data)
        for line in Ledger.of(action).lines
        if line.record.strip == strip and line.slot == slot and (is_own(action) or not is_shared(action, slot, block))
    )
    return [name for name in dict.fromkeys(names) if block not in owner.blocks_of(name)]


def earlier_lines(block: ID, record: Record) -> list[Place]:
    """Where the lip sync plays that a new one takes the place of; its strip may have been renamed meanwhile.

    Renamed is one whose strip is in no scene any more, while the new one is heard at exactly its frames.
    """
    found = lines_of(block, record.strip, record.character)
    strips = {strip.name for scene in bpy.data.scenes for strip in compat.all_strips(scene)}
    if found or record.strip not in strips:
        return found
    frames = (record.first_frame, record.last_frame)
    played = [line.record for action, _ in _playing(block.animation_data) for line in Ledger.of(action).lines]
    renamed = [one.strip for one in played if (one.first_frame, one.last_frame) == frames and one.strip not in strips]
    return lines_of(block, renamed[0], record.character) if renamed else []


def is_shared(action: Action, slot: int, block: ID) -> bool:
    """Whether an action that plays on a datablock is somebody else's too: it plays or waits there in the same slot.

    Copies of an object have actions of their own, but in their NLA strips those of the original.
    """
    others = (other for other in owner.animated() if other != block)
    playing = (one for other in others for one in _playing(other.animation_data))
    return bool(Ledger.of(action).parked) or (action, slot) in playing


def _playing(data: AnimData | None) -> Iterator[tuple[Action, int]]:
    """Each action that plays with the handle of its slot, the active one first."""
    for player in (data, *_strips(data)) if data else ():
        if player.action is not None and compat.plays(player):
            yield player.action, compat.slot_in(player)


def animated(data: AnimData) -> set[tuple[str, int]]:
    """What any action that plays animates, by path and index."""
    return {
        path
        for player in (data, *_strips(data))
        if player.action
        for path in _paths(compat.curves(player.action, player))
    }


def place(data: AnimData, action: Action, slot: int) -> list[str]:
    """Let a slot of `action` play: where it already does, else as the active one.

    Gives the names of the artist's actions that were moved to an NLA track to make room.
    """
    moved: list[str] = []
    in_tracks = [strip for strip in _strips(data) if strip.action == action]
    if data.action != action and in_tracks:
        for strip in in_tracks:
            _follow_keys(strip)
        return moved
    if data.action not in (None, action):
        moved += _make_room(data)
    compat.assign(data, action, slot)
    data.action_blend_type, data.action_influence = "REPLACE", 1.0
    shared = _animated_below(data) & _paths(compat.curves(action, data))
    data.action_extrapolation = "NOTHING" if shared else "HOLD"
    return moved


def lay(data: AnimData, action: Action, slot: int, blend: int) -> list[str]:
    """Let a slot of `action` play from NLA tracks: where it does, else from a new one on top, with no active action.

    It comes and goes over `blend` frames. Gives the names of the artist's actions that were moved to a track below.
    """
    moved: list[str] = []
    in_tracks = [strip for strip in _strips(data) if strip.action == action]
    for strip in in_tracks:
        _follow_keys(strip)
    if not in_tracks:
        if data.action not in (None, action):
            moved = _make_room(data)
        data.action = None
        _let_tracks_play(data)
        in_tracks = [_new_strip(data, action, slot)]
    for strip in in_tracks:
        strip.use_auto_blend = False
        strip.blend_in, strip.blend_out = blend, blend
    return moved


def exchange(data: AnimData, old: Action, new: Action, slot: int) -> None:
    """Let a slot of an action play in every place where another one of the same lip sync did, and as it did."""
    if data.action == old:
        compat.assign(data, new, slot)
    for strip in [strip for strip in _strips(data) if strip.action == old]:
        compat.exchange_in_strip(data, strip, new, slot)
        _follow_keys(strip)


def remove(data: AnimData, uid: int) -> None:
    """Remove an action of our own in which nothing is left, and from the file too where nobody else plays it."""
    for track in list(data.nla_tracks):
        for strip in list(track.strips):
            if strip.action is not None and strip.action.session_uid == uid:
                track.strips.remove(strip)
                if not track.strips:
                    data.nla_tracks.remove(track)
                    break
    if data.action is not None and data.action.session_uid == uid:
        data.action = None
    for action in [action for action in bpy.data.actions if action.session_uid == uid]:
        if action.users <= action.use_fake_user:
            bpy.data.actions.remove(action)


def _make_room(data: AnimData) -> list[str]:
    """Move the active action into a track; gives its name where it is the artist's."""
    moved = [] if is_own(data.action) else [data.action.name]
    _push_down(data)
    return moved


def _strips(data: AnimData) -> list[NlaStrip]:
    return [strip for track in data.nla_tracks for strip in track.strips]


def _paths(curves: Iterable[FCurve]) -> set[tuple[str, int]]:
    return {(curve.data_path, curve.array_index) for curve in curves}


def _animated_below(data: AnimData) -> set[tuple[str, int]]:
    """What NLA strips animate, by path and index."""
    return {path for strip in _strips(data) if strip.action for path in _paths(compat.curves(strip.action, strip))}


def _push_down(data: AnimData) -> None:
    """Move the active action into a new track on top of the others, where it plays as before."""
    action = data.action
    if not compat.curves(action, data):
        action.use_fake_user = True  # nothing of it plays, but it must survive saving
        return
    _let_tracks_play(data)
    as_active = ("HOLD", "REPLACE", 1.0)
    if _strips(data):  # only then Blender heeds these settings of the active action
        as_active = (data.action_extrapolation, data.action_blend_type, data.action_influence)
    strip = _new_strip(data, action, compat.slot_in(data))
    if not is_own(action):
        strip.extrapolation, strip.blend_type, strip.influence = as_active


def _new_strip(data: AnimData, action: Action, slot: int) -> NlaStrip:
    """Lay an action into a new track on top; one of ours holds its edges only where nothing else plays."""
    below = _animated_below(data)
    track = data.nla_tracks.new()
    track.name = action.name
    strip = compat.new_nla_strip(data, track, action, slot)
    curves, own = compat.curves(action, strip), is_own(action)
    _set_range(strip, *_extent(curves, endless=not own))
    strip.extrapolation = "NOTHING" if own and below & _paths(curves) else "HOLD"
    return strip


def _let_tracks_play(data: AnimData) -> None:
    """Where the artist has switched the NLA off, switch it on with every track that is there silenced instead."""
    if not data.use_nla:
        for track in data.nla_tracks:
            track.mute = True
        data.use_nla = True


def _extent(curves: list[FCurve], endless: bool) -> tuple[float, float]:
    """First and last frame of some curves; where they go on by themselves or there are none, of all scenes at least."""
    ranges = [tuple(curve.range()) for curve in curves]
    if not curves or (endless and any(curve.modifiers or curve.extrapolation == "LINEAR" for curve in curves)):
        ranges += [(scene.frame_start, scene.frame_end) for scene in bpy.data.scenes]
    return min(first for first, _ in ranges), max(last for _, last in ranges)


def _follow_keys(strip: NlaStrip) -> None:
    """Let an NLA strip show all keys of its regenerated action, unless the artist has moved or stretched it."""
    untouched = strip.frame_start == strip.action_frame_start and strip.scale == 1 and strip.repeat == 1
    curves = compat.curves(strip.action, strip)
    if untouched and curves:
        _set_range(strip, *_extent(curves, endless=False))


def _set_range(strip: NlaStrip, first: float, last: float) -> None:
    last = max(last, first + 1)
    strip.action_frame_end = max(strip.action_frame_end, last)  # Blender keeps the start in front of it
    strip.action_frame_start, strip.action_frame_end = first, last
    strip.frame_start_raw, strip.frame_end_raw = first, last
    strip.scale = 1.0
