# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that differs between Blender versions, each with the version that will allow removing it.

Nothing else in the add-on asks which Blender it runs in; questions are asked by feature.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import bpy
from bpy.types import ID, Action, AnimData, Context, FCurve, NlaStrip, Scene

# --------------------------------------------------------------------------------------------------------- sequencer


def sequencer_scene(context: Context) -> Scene:
    """The scene that the Sequencer shows (Blender 5.0 lets it differ from the scene of the viewport)."""
    return getattr(context, "sequencer_scene", None) or context.scene


def all_strips(scene: Scene) -> list[bpy.types.Strip]:
    """All strips of a scene, those inside meta strips too (`sequences_all` until 4.4)."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    return list(editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all)


def add_sound_strip(scene: Scene, name: str, path: Path, frame: int, channel: int = 1) -> bpy.types.SoundStrip:
    """Lay a sound file into a scene; raises RuntimeError where Blender cannot read it (`sequences` until 4.3)."""
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    return strips.new_sound(name, str(path), channel, frame)


def show_scene(window: bpy.types.Window, scene: Scene) -> None:
    """Let a window show a scene in the viewport and in the Sequencer (which has a scene of its own since 5.0)."""
    window.scene = scene
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = scene


def remove_scene(scene: Scene) -> None:
    """Remove a scene that no window shows.

    `bpy.data.scenes.remove` crashes where the context has no window: in timers and commands (4.3).
    """
    bpy.data.batch_remove([scene])


def is_retimed(scene: Scene, strip: bpy.types.SoundStrip) -> bool:
    """Whether the strip plays its sound at another speed anywhere."""
    if hasattr(strip, "retiming_keys"):  # 4.4 and later
        return len(strip.retiming_keys) > 0
    return abs(_frames_at_normal_speed(scene, strip.sound) - strip.frame_duration) > 1


def _frames_at_normal_speed(scene: Scene, sound: bpy.types.Sound) -> int:
    """How long a strip of this sound is before any retiming: it is laid out in a scene of its own (until 4.4)."""
    known = set(bpy.data.sounds)
    desk = scene.copy()
    try:
        with tempfile.TemporaryDirectory(prefix="mouthpiece-") as folder:
            path = Path(bpy.path.abspath(sound.filepath, library=sound.library))
            if sound.packed_file:
                path = Path(folder, "packed")
                path.write_bytes(sound.packed_file.data)
            return desk.sequence_editor.sequences.new_sound("length", str(path), 1, 1).frame_duration
    finally:
        remove_scene(desk)
        for extra in set(bpy.data.sounds) - known:
            bpy.data.sounds.remove(extra)


# ----------------------------------------------------------------------------------------------------------- actions


def curves_for_writing(action: Action, block: ID, slot: int = 0) -> bpy.types.bpy_prop_collection:
    """The F-curves of `action` that animate `block`, with the slot, layer and strip that 4.4 and later need for them.

    `slot`: the handle of its slot; 0 stands for the action's first one for such datablocks.
    """
    if not hasattr(action, "slots"):
        action.id_root = block.id_type
        return action.fcurves
    chosen = _slot(action, block, slot) or action.slots.new(id_type=block.id_type, name=block.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(chosen, ensure=True).fcurves


def curves(action: Action, data: AnimData | NlaStrip) -> list[FCurve]:
    """The F-curves of `action` that play in this animation data or NLA strip."""
    if not hasattr(action, "slots"):
        return list(action.fcurves)
    bags = (strip.channelbag(data.action_slot) for layer in action.layers for strip in layer.strips if data.action_slot)
    return [curve for bag in bags if bag for curve in bag.fcurves]


def object_curves(action: Action) -> list[FCurve]:
    """The F-curves of `action` that are made for objects, such as the bones of a pose in a library."""
    if not hasattr(action, "slots"):
        return list(action.fcurves)
    slots = [slot for slot in action.slots if slot.target_id_type in ("OBJECT", "UNSPECIFIED")]
    bags = (strip.channelbag(slot) for layer in action.layers for strip in layer.strips for slot in slots)
    return [curve for bag in bags if bag for curve in bag.fcurves]


def slot_in(data: AnimData | NlaStrip) -> int:
    """The handle of the slot that animation data or an NLA strip plays; 0 before 4.4, which has no slots."""
    return getattr(data, "action_slot_handle", 0)


def plays(data: AnimData | NlaStrip) -> bool:
    """Whether animation data or an NLA strip plays anything of its action: since 4.4 only where it has a slot."""
    return getattr(data, "action_slot_handle", None) != 0


def new_slot(action: Action, block: ID) -> int:
    """Give a datablock a slot of its own in an action; its handle, 0 before 4.4, which has no slots."""
    return action.slots.new(id_type=block.id_type, name=block.name).handle if hasattr(action, "slots") else 0


def has_curves(action: Action) -> bool:
    """Whether anything at all is animated in an action, in whichever slot."""
    if not hasattr(action, "slots"):
        return len(action.fcurves) > 0
    return any(len(bag.fcurves) for layer in action.layers for strip in layer.strips for bag in strip.channelbags)


def assign(data: AnimData, action: Action, slot: int) -> None:
    """Make `action` the active one, in the slot of that handle."""
    data.action = action
    play_slot(data, slot)


def play_slot(data: AnimData, slot: int) -> None:
    """Let animation data play the slot of that handle in its action."""
    if data.action is not None and hasattr(data, "action_slot"):
        chosen = _slot(data.action, data.id_data, slot)
        if data.action_slot != chosen:  # assigned anew, it crashes on an armature that was never evaluated (5.0)
            data.action_slot = chosen


def new_nla_strip(data: AnimData, track: bpy.types.NlaTrack, action: Action, slot: int) -> NlaStrip:
    """Lay an action into a track, in the slot of that handle."""
    strip = track.strips.new(action.name, 0, action)
    if hasattr(strip, "action_slot"):
        strip.action_slot = _slot(action, data.id_data, slot)
    return strip


def exchange_in_strip(data: AnimData, strip: NlaStrip, action: Action, slot: int) -> None:
    """Let an NLA strip show another action, in the slot of that handle."""
    strip.action = action
    if hasattr(strip, "action_slot"):
        strip.action_slot = _slot(action, data.id_data, slot)


def _slot(action: Action, block: ID, handle: int) -> bpy.types.ActionSlot | None:
    """The slot of that handle; 0, out of files from before 4.4, stands for the first one for such datablocks."""
    fitting = (slot for slot in action.slots if slot.target_id_type == block.id_type)
    return next((slot for slot in fitting if handle in (0, slot.handle)), None)
