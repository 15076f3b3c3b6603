# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the sub-panels Keys and Many Strips in the real window.

Needs a Blender with a window in which the extension is installed: ``blender --python photograph_writing.py -- FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, click, mouthpiece, photograph, until

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])


def act() -> Act:
    window, scene = bpy.context.window_manager.windows[0], bpy.context.scene
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    with in_window.context_of("VIEW_3D"):
        bpy.ops.mouthpiece.add_demo_head()
    window.view_layer.objects.active.name = "Anna"
    for number, name in enumerate(("anna_010", "anna_020", "bert_030", "anna_040")):
        in_window.add_strip(scene, in_window.SPEECH, 37 + 300 * number).name = name
    chosen = scene.mouthpiece_writing
    chosen.mode, chosen.blend, chosen.keys = "nla", 4, "few"
    chosen.regions, chosen.jaw = {"mouth", "jaw", "tongue"}, 0.8
    view = in_window.area_of("VIEW_3D")
    view.spaces.active.show_region_ui = True
    yield 1.0
    region = next(region for region in view.regions if region.type == "UI")
    region.active_panel_category = "Mouthpiece"
    with in_window.context_of("VIEW_3D"):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
    yield from shoot("keys", mouthpiece("interface.writing").WritingInViewport)

    runner = mouthpiece("runner").current
    click(bpy.ops.mouthpiece.generate_all)
    yield from until(lambda: runner.report is not None)
    yield from shoot("queue", mouthpiece("interface.queue").QueueInViewport)
    click(bpy.ops.mouthpiece.cancel)
    yield from until(lambda: not runner.busy)


def shoot(name: str, panel: type) -> Act:
    """A picture with one sub-panel open: Blender opens what is new to it as its options say."""
    closed = panel.bl_idname
    as_new(panel, f"{closed}_open", set())
    yield from in_window.scroll_to_the_end()
    photograph(FOLDER / f"{name}.png")
    in_window.scroll_up()
    as_new(panel, closed, {"DEFAULT_CLOSED"})


def as_new(panel: type, name: str, options: set[str]) -> None:
    """Register a panel again under another name."""
    bpy.utils.unregister_class(panel)
    panel.bl_idname, panel.bl_options = name, options
    bpy.utils.register_class(panel)
    in_window.redraw()


in_window.play(act)
