# SPDX-License-Identifier: GPL-3.0-or-later
"""Add Sound: a recording comes into the Sequencer, whether or not a Sequencer is open."""

from __future__ import annotations

import itertools

import bpy
from bpy.types import Context, Scene

from .. import compat, sound_file
from . import properties
from .buttons import AtOnce
from .file_dialog import FileDialog


class AddSound(FileDialog, AtOnce, bpy.types.Operator):
    """Lay a recording into the Sequencer, where it plays from the current frame on, and choose it to be spoken"""

    bl_idname = "mouthpiece.add_sound"
    bl_label = "Add Sound"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: bpy.props.StringProperty(
        default="*.wav;*.flac;*.ogg;*.opus;*.mp3;*.aif;*.aiff;*.m4a;*.aac", options={"HIDDEN"}
    )

    def act(self, context: Context) -> str:
        """Make a strip of the file on a channel where it covers nothing."""
        scene, path = compat.sequencer_scene(context), self.path
        frame = scene.frame_current
        sound_file.listen(scene, str(path), frame)  # it refuses what is no sound
        strip = compat.add_sound_strip(scene, path.stem, path, frame, free_channel(scene))
        scene.sequence_editor.active_strip = strip
        chosen = properties.settings(context)
        chosen.source, chosen.strip = "strip", strip.name
        return f"“{strip.name}” plays from frame {frame} on."


def free_channel(scene: Scene) -> int:
    """The lowest channel on which nothing plays from the current frame on."""
    taken = {strip.channel for strip in compat.all_strips(scene) if strip.frame_final_end > scene.frame_current}
    return next(channel for channel in itertools.count(1) if channel not in taken)


register, unregister = bpy.utils.register_classes_factory((AddSound,))
