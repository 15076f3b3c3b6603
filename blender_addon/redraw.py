# SPDX-License-Identifier: GPL-3.0-or-later
"""Has Blender draw again what shows Mouthpiece: a timer that changes something is seen by nobody until then."""

from __future__ import annotations

import bpy

AREAS = ("VIEW_3D", "SEQUENCE_EDITOR", "PREFERENCES")


def redraw() -> None:
    """Draw both sidebars and the preferences anew, in every window."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in AREAS:
                area.tag_redraw()
