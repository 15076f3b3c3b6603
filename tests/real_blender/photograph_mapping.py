# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the Rig Mapping panel in the real window: a face that is known, a stranger, the list in use.

Needs a Blender with a window in which the extension is installed: ``blender --python photograph_mapping.py -- FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, context_of

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
STRANGE = {"jawOpen": "qx01 open", "mouthClose": "qx02", "mouthPucker": "kiss ♥", "mouthFunnel": "blob.007"}


def act() -> Act:
    show_only("VIEW3D_PT_mouthpiece_mapping")
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    with context_of("VIEW_3D"):
        bpy.ops.mouthpiece.add_demo_head()
    head = bpy.context.window_manager.windows[0].view_layer.objects.active
    in_window.add_strip(bpy.context.scene, in_window.SPEECH, 37)
    in_window.area_of("VIEW_3D").spaces.active.show_region_ui = True
    yield 1.0
    region = next(region for region in in_window.area_of("VIEW_3D").regions if region.type == "UI")
    region.active_panel_category = "Mouthpiece"
    yield from shoot("mapping known")

    keys = head.data.shape_keys.key_blocks
    for number, key in enumerate(keys[1:]):
        key.name = STRANGE.get(key.name, f"shape {number:02}")
    head.name = "Stranger"
    yield from shoot("mapping stranger")

    with context_of("VIEW_3D"):
        bpy.ops.mouthpiece.choose_rig()
    rows = {row.name: row for row in head.mouthpiece_mapping.rows}
    for control, name in STRANGE.items():
        rows[control].shown_by = name
    rows["mouthPucker"].gain = 0.8
    rows["jawForward"].is_on = False
    head.mouthpiece_mapping.active = head.mouthpiece_mapping.rows.find("mouthClose")
    yield from shoot("mapping list")


def show_only(panel: str) -> None:
    """Open one sub-panel, and leave the others above it out of the picture; before any of them is drawn."""
    for name in dir(bpy.types):
        kind = getattr(bpy.types, name)
        if getattr(kind, "bl_parent_id", "") == "VIEW3D_PT_mouthpiece" and name != panel:
            bpy.utils.unregister_class(kind)
    kind = getattr(bpy.types, panel)
    bpy.utils.unregister_class(kind)
    kind.bl_options = set()
    bpy.utils.register_class(kind)


def shoot(state: str) -> Act:
    yield from in_window.shoot(FOLDER / f"{state}.png", 1.4)


in_window.play(act)
