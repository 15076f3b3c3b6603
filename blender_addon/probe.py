# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks whether a character really moves after its keys were written, and says why where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import bpy
from bpy.types import Action, Key, Object

from . import compat, stack

if TYPE_CHECKING:
    import numpy as np

VISIBLE = 0.02
"""A smaller change of a shape key is not looked for."""


def complaints(character: Object, name: str, first_frame: int, columns: Mapping[str, np.ndarray]) -> list[str]:
    """One sentence for each thing that keeps the shape keys from showing what was written; empty where all is well.

    `name`: the action's; `columns` holds the values float32 [frames] written for each shape key, from `first_frame` on.
    """
    key, action = character.data.shape_keys, bpy.data.actions.get(name)
    if action is None:
        return [f"The action “{name}” has been removed."]
    return [*_silenced(character, key, columns), *_unmoved(character, key, action, first_frame, columns)]


def _silenced(character: Object, key: Key, columns: Mapping[str, np.ndarray]) -> Iterator[str]:
    """What keeps values that do move from being seen."""
    moving = {name: values for name, values in columns.items() if values.max() - values.min() > VISIBLE}
    muted = [name for name in moving if key.key_blocks[name].mute]
    if muted:
        yield f"Muted shape keys do not show: {_listed(muted)}. Unmute them in the Shape Keys panel."
    if character.show_only_shape_key:
        yield f"“{character.name}” shows its active shape key only (the pin in the Shape Keys panel). Turn that off."
    cut = [name for name, values in columns.items() if _is_cut(key, name, values)]
    if cut:
        yield f"The slider range cuts the motion of {_listed(cut)}. Widen it and generate again."


def _is_cut(key: Key, name: str, values: np.ndarray) -> bool:
    block = key.key_blocks[name]
    return bool(values.max() > block.slider_max + VISIBLE or values.min() < block.slider_min - VISIBLE)


def _unmoved(
    character: Object, key: Key, action: Action, first_frame: int, columns: Mapping[str, np.ndarray]
) -> Iterator[str]:
    """Why evaluated values differ from the written ones at the two frames between which most happens."""
    strongest = max(columns.values(), key=lambda values: values.max() - values.min())
    frames = (int(strongest.argmin()), int(strongest.argmax()))
    seen = _evaluated(character, [first_frame + frame for frame in frames])
    differing = {
        name
        for frame, now in zip(frames, seen, strict=True)
        for name, values in columns.items()
        if abs(_shown(key, name, values[frame]) - now[name]) > VISIBLE
    }
    still = [name for name in columns if name in differing]
    if still:
        yield f"{_reason(character, key, action, still)} ({_listed(still)})"


def _evaluated(character: Object, frames: list[int]) -> list[dict[str, float]]:
    """The values of all shape keys at some frames.

    Evaluated in a scene that holds the character alone: neither the artist's current frame nor anything posed without
    a key is lost.
    """
    room = bpy.data.scenes.new("Mouthpiece")
    try:
        room.collection.objects.link(character)
        values: list[dict[str, float]] = []
        for frame in frames:
            room.frame_set(frame)
            key = character.data.shape_keys.evaluated_get(room.view_layers[0].depsgraph)
            values.append({block.name: block.value for block in key.key_blocks})
        return values
    finally:
        compat.remove_scene(room)


def _shown(key: Key, name: str, value: float) -> float:
    block = key.key_blocks[name]
    return min(max(float(value), block.slider_min), block.slider_max)


def _reason(character: Object, key: Key, action: Action, names: list[str]) -> str:
    data = key.animation_data
    paths = {key.key_blocks[name].path_from_id("value") for name in names}
    if character.hide_viewport:
        return f"“{character.name}” is disabled in viewports, so its motion could not be checked."
    if paths & {driver.data_path for driver in data.drivers}:
        return "Drivers set these shape keys, so keys on them do not show. Remove the drivers, or animate them."
    if any(track.is_solo for track in data.nla_tracks):
        return "A solo track in the NLA editor silences the lip sync. Turn its star off."
    if any(curve.mute for curve in compat.curves_for_writing(action, key) if curve.data_path in paths):
        return "Some of the lip sync's own curves are muted. Unmute them in the Graph Editor."
    if data.action == action:
        return "The keys are written, but something else sets these shape keys."
    return _reason_below(data, action)


def _reason_below(data: bpy.types.AnimData, action: Action) -> str:
    """Why an action of ours that plays from an NLA track does not show."""
    tracks = [track for track in data.nla_tracks if any(strip.action == action for strip in track.strips)]
    silent = not data.use_nla or any(track.mute for track in tracks)
    if silent or any(strip.mute for track in tracks for strip in track.strips if strip.action == action):
        return "The lip sync lies in an NLA track that is muted. Unmute it in the NLA editor."
    others = [other.name for other in stack.actions(data) if other != action]
    return f"Another action plays in front of the lip sync: {_listed(others)}."


def _listed(names: list[str], most: int = 3) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
