# SPDX-License-Identifier: GPL-3.0-or-later
"""Mouthpiece in Blender: registers every part of the add-on, in order, and takes them back in reverse."""

# ruff: noqa: E402 (what is imported below `defer` runs late)

from __future__ import annotations

from . import lazy

lazy.defer(__name__.rpartition(".")[0])

from . import command, demo_head, preferences, runner
from .interface import (
    add_sound,
    emotions,
    export_motion,
    operators,
    panels,
    performance,
    performance_tab,
    phone_track,
    properties,
    rig_files,
    viseme_list,
)
from .interface import backend as backend_box
from .interface import demo_scene as demo_scene_button
from .interface import known_words as known_words_panel
from .interface import linked as linked_buttons
from .interface import mapping as mapping_panel
from .interface import mesh as mesh_panel
from .interface import models as models_box
from .interface import queue as queue_panel
from .interface import status as status_panel
from .interface import takes as takes_panel
from .interface import training_clip as training_clip_panel
from .interface import visemes as visemes_panel
from .interface import writing as writing_panel

PARTS = (
    preferences,
    properties,
    runner,
    operators,
    export_motion,
    add_sound,
    demo_scene_button,
    backend_box,
    models_box,
    linked_buttons,
    panels,
    takes_panel,
    emotions,
    performance,
    performance_tab,
    rig_files,
    mapping_panel,
    known_words_panel,
    writing_panel,
    viseme_list,
    phone_track,
    visemes_panel,
    mesh_panel,
    queue_panel,
    training_clip_panel,
    status_panel,
    demo_head,
    command,
)


def register() -> None:
    """Called by Blender when the extension is enabled."""
    for part in PARTS:
        part.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled, and at its end."""
    for part in reversed(PARTS):
        part.unregister()
