# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks whether a character really moves after its keys were written, and says why where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import bpy
from bpy.types import ID, Action, AnimData, Object

from . import compat
from .vertices.writing import MeshWriting
from .wording import listed
from .writing import stack
from .writing.options import Mode
from .writing.owner import Owner
from .writing.staging import Writing
from .writing.strand import Strand

VISIBLE = 0.02
"""A smaller change of a value is not looked for."""


def complaints(character: Object, things: Sequence[Object], writing: Writing | MeshWriting) -> list[str]:
    """One sentence for each thing that keeps what was written from being seen; empty where all is well.

    `things`: the objects that move, the character itself or its parts.
    """
    return [*_silenced(dict.fromkeys((character, *things)), writing.strands), *_unmoved(character, things, writing)]


def _silenced(things: Iterable[Object], strands: Sequence[Strand]) -> Iterator[str]:
    """What keeps values that do move from being seen."""
    written = {(strand.owner, strand.kind) for strand in strands}
    muted = [strand.title for strand in strands if _moves(strand) and _is_muted(strand)]
    if muted:
        yield f"Muted shape keys do not show: {listed(muted)}. Unmute them in the Shape Keys panel."
    for thing in things:
        key = getattr(thing.data, "shape_keys", None)
        if thing.show_only_shape_key and key and (Owner.of(key), "shape key") in written:
            yield f"“{thing.name}” shows its active shape key only (the pin in the Shape Keys panel). Turn that off."
        if (Owner.of(thing), "bone") in written and thing.data.pose_position == "REST":
            yield f"“{thing.name}” is in Rest Position, so its bones do not move. Set it to Pose Position."
    cut = [strand.title for strand in strands if strand.cut > VISIBLE]
    if cut:
        yield f"The slider range cuts the motion of {listed(cut)}. Widen it and generate again."


def _moves(strand: Strand) -> bool:
    return bool(strand.shown.max() - strand.shown.min() > VISIBLE)


def _is_muted(strand: Strand) -> bool:
    block = strand.owner.find()
    return bool(block and strand.owner.kind == "KEY" and block.path_resolve(strand.path.rpartition(".")[0]).mute)


def _unmoved(character: Object, things: Sequence[Object], writing: Writing | MeshWriting) -> Iterator[str]:
    """Why evaluated values differ from the written ones at the two frames between which most happens."""
    # an NLA strip passes in and out by itself: there it shows something between our values and others
    edge = writing.options.blend if writing.options.mode is Mode.NLA else 0
    strands, record = [strand for strand in writing.strands if len(strand.shown) > 2 * edge], writing.record
    if not strands:
        return
    inner = slice(edge, len(strands[0].shown) - edge)
    strongest = max(strands, key=lambda strand: strand.shown[inner].max() - strand.shown[inner].min())
    frames = [edge + int(strongest.shown[inner].argmin()), edge + int(strongest.shown[inner].argmax())]
    seen = _evaluated(things, strands, [record.first_frame + frame for frame in frames])
    allowed = VISIBLE + writing.options.tolerance
    still = [
        strand
        for strand, values in zip(strands, seen, strict=True)
        if any(abs(strand.shown[frame] - value) > allowed for frame, value in zip(frames, values, strict=True))
    ]
    for owner in dict.fromkeys(strand.owner for strand in still):
        mine = [strand for strand in still if strand.owner == owner]
        block = owner.find()
        if block:
            action = next((place.action for place in stack.lines_of(block, record.strip, record.character)), None)
            yield f"{_reason(character, block, action, mine)} ({listed([strand.title for strand in mine])})"


def _evaluated(things: Sequence[Object], strands: Sequence[Strand], frames: Sequence[int]) -> list[list[float]]:
    """The values of each strand's property at some frames.

    Evaluated in a scene that holds the character alone: neither the artist's current frame nor anything posed without
    a key is lost.
    """
    room = bpy.data.scenes.new("Mouthpiece")
    room.render.use_simplify, room.render.simplify_subdivision = True, 0  # nobody looks at the mesh
    try:
        for thing in dict.fromkeys(things):
            room.collection.objects.link(thing)
        values: list[list[float]] = [[] for _ in strands]
        for frame in frames:
            room.frame_set(frame)
            graph = room.view_layers[0].depsgraph
            blocks = {owner: owner.find() for owner in {strand.owner for strand in strands}}
            shown = {owner: block.evaluated_get(graph) for owner, block in blocks.items() if block}
            for strand, column in zip(strands, values, strict=True):
                found = shown[strand.owner].path_resolve(strand.path)
                column.append(float(found if isinstance(found, int | float) else found[strand.index]))
        return values
    finally:
        compat.remove_scene(room)


def _reason(character: Object, block: ID, action: Action | None, strands: Sequence[Strand]) -> str:
    data = block.animation_data
    paths = {strand.path for strand in strands}
    if character.hide_viewport:
        return f"“{character.name}” is disabled in viewports, so its motion could not be checked."
    if paths & {driver.data_path for driver in data.drivers}:
        return "Drivers set what the lip sync moves, so its keys do not show. Remove the drivers, or animate them."
    if any(track.is_solo for track in data.nla_tracks):
        return "A solo track in the NLA editor silences the lip sync. Turn its star off."
    if action is None:
        return "The action with the lip sync has been removed."
    if any(curve.mute for curve in compat.curves_for_writing(action, block) if curve.data_path in paths):
        return "Some of the lip sync's own curves are muted. Unmute them in the Graph Editor."
    if data.action == action:
        return "The keys are written, but something else sets what they move."
    return _reason_below(data, action)


def _reason_below(data: AnimData, action: Action) -> str:
    """Why an action of ours that plays from an NLA track does not show."""
    tracks = [track for track in data.nla_tracks if any(strip.action == action for strip in track.strips)]
    silent = not data.use_nla or any(track.mute for track in tracks)
    if silent or any(strip.mute for track in tracks for strip in track.strips if strip.action == action):
        return "The lip sync lies in an NLA track that is muted. Unmute it in the NLA editor."
    others = [other.name for other in stack.actions(data) if other != action]
    return f"Another action plays in front of the lip sync: {listed(others)}."
