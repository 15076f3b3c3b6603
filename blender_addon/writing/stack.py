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
    """Where lip syncs of a strip and character play on a datablock: each action once, those that can be written."""
    found: dict[Action, Place] = {}
    for action, slot in _playing(block.animation_data):
        line = Ledger.of(action).find(strip, character, slot)
        if line and action.is_editable:
            found.setdefault(action, Place(action, slot, line))
    return list(found.values())


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


def _playing(data: AnimData | None) -> Iterator[tuple[Action, int]]:
    """Each action that plays with the handle of its slot, the active one first."""
    for player in (data, *_strips(data)) if data else ():
        if player.action is not None:
            yield player.action, compat.slot_in(player)


def animated(data: AnimData) -> set[tuple[str, int]]:
    """What any action that plays animates, by path and index."""
    return {
        path
        for player in (data, *_strips(data))
        if player.action
        for path in _paths(compat.curves(player.action, player))
    }


def place(data: AnimData, action: Action) -> list[str]:
    """Let `action` play: where it already does, else as the active one.

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
    compat.assign(data, action)
    data.action_blend_type, data.action_influence = "REPLACE", 1.0
    shared = _animated_below(data) & _paths(compat.curves(action, data))
    data.action_extrapolation = "NOTHING" if shared else "HOLD"
    return moved


def lay(data: AnimData, action: Action, blend: int) -> list[str]:
    """Let `action` play from NLA tracks: where it already does, else from a new one on top, with no active action.

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
        in_tracks = [_new_strip(data, action, compat.slot_for(action, data.id_data))]
    for strip in in_tracks:
        strip.use_auto_blend = False
        strip.blend_in, strip.blend_out = blend, blend
    return moved


def exchange(data: AnimData, old: Action, new: Action) -> None:
    """Let an action play in every place where another one of the same lip sync did, and as it did."""
    if data.action == old:
        compat.assign(data, new)
    for strip in [strip for strip in _strips(data) if strip.action == old]:
        compat.exchange_in_strip(data, strip, new)
        _follow_keys(strip)


def remove(data: AnimData, uid: int) -> None:
    """Remove an action of our own in which nothing is left, from the tracks and from the file."""
    for track in list(data.nla_tracks):
        for strip in list(track.strips):
            if strip.action is not None and strip.action.session_uid == uid:
                track.strips.remove(strip)
                if not track.strips:
                    data.nla_tracks.remove(track)
                    break
    for action in [action for action in bpy.data.actions if action.session_uid == uid]:
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
    strip.action_frame_start, strip.action_frame_end = first, max(last, first + 1)
    strip.frame_start_raw, strip.frame_end_raw = first, max(last, first + 1)
    strip.scale = 1.0
