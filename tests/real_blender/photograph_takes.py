# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the sub-panels Performance and Takes in the real window; takes are flipped, kept, and had back.

Needs a Blender with a window in which the extension is installed, and a folder with the model ``talker``, which
denoises: ``blender --python photograph_takes.py -- FOLDER MODELS``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, click, mouthpiece, until

FOLDER, MODELS = map(Path, sys.argv[sys.argv.index("--") + 1 :])


def set_scene() -> bpy.types.Object:
    """A head, a strip, and three takes asked for, in the style of the strip and with a smile that grows."""
    window, scene = bpy.context.window_manager.windows[0], bpy.context.scene
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    with in_window.context_of("VIEW_3D"):
        bpy.ops.mouthpiece.add_demo_head()
    head = window.view_layer.objects.active
    in_window.add_strip(scene, in_window.SPEECH, 1)
    chosen = bpy.context.preferences.addons[mouthpiece("preferences").EXTENSION].preferences
    chosen.models, chosen.device = str(MODELS), "cpu"
    scene.mouthpiece.model = "talker"
    performance = scene.mouthpiece_performance
    performance.takes, performance.seed = 3, 7
    performance.style, performance.style_strip = "strip", scene.sequence_editor.active_strip.name
    for frame, happy in ((1, 0.0), (60, 0.8)):
        head.mouthpiece_happy = happy
        head.keyframe_insert("mouthpiece_happy", frame=frame)
    return head


def act() -> Act:
    head = set_scene()
    yield from look_at_it()
    yield from generate()
    yield from flip(head)
    yield from keep_and_undo()


def look_at_it() -> Act:
    view = in_window.area_of("VIEW_3D")
    view.spaces.active.show_region_ui = True
    yield 1.0
    next(region for region in view.regions if region.type == "UI").active_panel_category = "Mouthpiece"
    with in_window.context_of("VIEW_3D"):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()


def generate() -> Act:
    session, runner = mouthpiece("session").current, mouthpiece("runner").current
    click(bpy.ops.mouthpiece.check_backend)
    yield from until(lambda: session.ready is not None)
    in_window.open_panel(mouthpiece("interface.performance_tab").PerformanceInViewport)
    yield from in_window.scroll_to_the_end()
    yield from shoot("performance")
    in_window.scroll_up()
    click(bpy.ops.mouthpiece.generate)
    yield from until(lambda: not runner.busy)
    if runner.report is None or len(runner.report.takes) != 3:
        raise RuntimeError(session.message)


def flip(head: bpy.types.Object) -> Act:
    bpy.context.scene.frame_set(40)
    yield from shoot("take 1")
    before = shown(head)
    with in_window.context_of("VIEW_3D"):
        bpy.ops.mouthpiece.flip_take("INVOKE_DEFAULT", True, way="next")
    yield from shoot("take 2")
    if shown(head) == before:
        raise RuntimeError("the other take is not to be seen")


def keep_and_undo() -> Act:
    click(bpy.ops.mouthpiece.keep_take)
    yield 0.5
    kept = len(bpy.data.actions)
    with in_window.context_of("VIEW_3D"):
        bpy.ops.ed.undo()
    yield 0.5
    if (kept, len(bpy.data.actions)) != (2, 4):  # with the emotions' own
        raise RuntimeError(f"{kept} actions were kept, undo brings back {len(bpy.data.actions)}")


def shown(head: bpy.types.Object) -> list[float]:
    """The values of the shape keys as the window shows them, at the frame where it stands."""
    key = head.data.shape_keys.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return [round(block.value, 5) for block in key.key_blocks]


def shoot(name: str) -> Act:
    yield from in_window.shoot(FOLDER / f"{name}.png")


in_window.play(act)
