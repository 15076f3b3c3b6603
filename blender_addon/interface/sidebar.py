# SPDX-License-Identifier: GPL-3.0-or-later
"""One subject in both sidebars, the 3D viewport's and the Sequencer's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.types import UILayout

SPACES = {
    "InViewport": ("VIEW3D_PT_mouthpiece", "VIEW_3D"),
    "InSequencer": ("SEQUENCER_PT_mouthpiece", "SEQUENCE_EDITOR"),
}


class Tab:
    """What both sidebars show of a subject; a subclass has a label and draws."""

    bl_category = "Mouthpiece"
    bl_region_type = "UI"

    if TYPE_CHECKING:
        layout: UILayout

    def form(self) -> UILayout:
        """The layout for choices: names to their left, and no dots beside them, for scenes' choices are not keyed."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        return self.layout


def in_both_sidebars(tab: type[Tab], suffix: str = "") -> tuple[type[bpy.types.Panel], type[bpy.types.Panel]]:
    """The two panels of a tab: with a suffix, which their identifiers end in, they lie below Lip Sync."""
    viewport, sequencer = (_panel(tab, suffix, where, *about) for where, about in SPACES.items())
    return viewport, sequencer


def _panel(tab: type[Tab], suffix: str, where: str, parent: str, space: str) -> type[bpy.types.Panel]:
    content: dict[str, object] = {"__module__": tab.__module__, "bl_space_type": space, "bl_idname": parent}
    if suffix:
        content |= {"bl_idname": f"{parent}_{suffix}", "bl_parent_id": parent}
    return type(f"{tab.__name__.removesuffix('Tab')}{where}", (tab, bpy.types.Panel), content)
