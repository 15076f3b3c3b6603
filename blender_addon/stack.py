# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions that play together on one datablock: the active one, and those in NLA tracks below it.

The artist's arrangement is kept: an action that already plays stays where it is, and an active action that has to make
room goes into an NLA track where it plays as before.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy
from bpy.types import Action, AnimData, FCurve, NlaStrip

from . import compat

PROPERTY = "mouthpiece"
"""The custom property that makes an action ours."""


def actions(data: AnimData | None) -> list[Action]:
    """All actions that play, the active one first."""
    if data is None:
        return []
    playing = [data.action, *(strip.action for strip in _strips(data))]
    return [action for action in playing if action is not None]


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
        if PROPERTY not in data.action:
            moved.append(data.action.name)
        _push_down(data)
    compat.assign(data, action)
    data.action_blend_type, data.action_influence = "REPLACE", 1.0
    shared = _animated_below(data) & _paths(compat.curves(action, data))
    data.action_extrapolation = "NOTHING" if shared else "HOLD"
    return moved


def _strips(data: AnimData) -> list[NlaStrip]:
    return [strip for track in data.nla_tracks for strip in track.strips]


def _paths(curves: Iterable[FCurve]) -> set[str]:
    return {curve.data_path for curve in curves}


def _animated_below(data: AnimData) -> set[str]:
    """The data paths that NLA strips animate."""
    return {path for strip in _strips(data) if strip.action for path in _paths(compat.curves(strip.action, strip))}


def _push_down(data: AnimData) -> None:
    """Move the active action into a new track on top of the others, where it plays as before."""
    action = data.action
    curves = compat.curves(action, data)
    if not curves:
        action.use_fake_user = True  # nothing of it plays, but it must survive saving
        return
    _let_tracks_play(data)
    ours = PROPERTY in action
    alone = not _animated_below(data) & _paths(curves)
    as_active = ("HOLD", "REPLACE", 1.0)
    if _strips(data):  # only then Blender heeds these settings of the active action
        as_active = (data.action_extrapolation, data.action_blend_type, data.action_influence)
    track = data.nla_tracks.new()
    track.name = action.name
    strip = compat.new_nla_strip(data, track, action.name)
    _set_range(strip, *_extent(curves, endless=not ours))
    strip.extrapolation, strip.blend_type, strip.influence = as_active
    if ours:
        strip.extrapolation = "HOLD" if alone else "NOTHING"


def _let_tracks_play(data: AnimData) -> None:
    """Where the artist has switched the NLA off, switch it on with every track that is there silenced instead."""
    if not data.use_nla:
        for track in data.nla_tracks:
            track.mute = True
        data.use_nla = True


def _extent(curves: list[FCurve], endless: bool) -> tuple[float, float]:
    """First and last frame of some curves; where they go on by themselves, at least those of all scenes."""
    ranges = [tuple(curve.range()) for curve in curves]
    if endless and any(curve.modifiers or curve.extrapolation == "LINEAR" for curve in curves):
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
