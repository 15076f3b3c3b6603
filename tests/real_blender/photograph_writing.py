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
    head, strip = in_window.set_stage()
    head.name, strip.name = "Anna", "anna_010"
    for number, name in enumerate(("anna_020", "bert_030", "anna_040")):
        in_window.add_strip(bpy.context.scene, in_window.SPEECH, 400 + 300 * number).name = name
    bpy.context.scene.sequence_editor.active_strip = strip
    chosen = bpy.context.scene.mouthpiece_writing
    chosen.mode, chosen.blend, chosen.keys = "nla", 4, "few"
    chosen.regions, chosen.jaw = {"mouth", "jaw", "tongue"}, 0.8
    yield 1.0
    in_window.open_tab()
    in_window.frame_all()
    yield from shoot("keys", mouthpiece("interface.writing").WritingInViewport)

    runner = mouthpiece("runner").current
    click(bpy.ops.mouthpiece.generate_all)
    yield from until(lambda: runner.report is not None)
    yield from shoot("queue", mouthpiece("interface.queue").QueueInViewport)
    click(bpy.ops.mouthpiece.cancel)
    yield from until(lambda: not runner.busy)


def shoot(name: str, panel: type) -> Act:
    """A picture with one sub-panel open; Blender opens a panel that is new to it by its own options only."""
    bpy.utils.unregister_class(panel)
    panel.bl_options = set()
    bpy.utils.register_class(panel)
    for area in bpy.context.window_manager.windows[0].screen.areas:
        area.tag_redraw()
    yield 1.0
    photograph(FOLDER / f"{name}.png")
    bpy.utils.unregister_class(panel)
    panel.bl_options = {"DEFAULT_CLOSED"}
    panel.bl_idname += "_closed"
    bpy.utils.register_class(panel)


in_window.play(act)
