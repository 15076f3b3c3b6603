# SPDX-License-Identifier: GPL-3.0-or-later
"""In the real window (``--enable-event-simulate``): a click is one undo step, and a drag is not disturbed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, click, mouthpiece, until


def act() -> Act:
    now = mouthpiece("session").current
    in_window.set_stage()
    yield 1.0
    in_window.frame_all()
    undo_push("a head and a strip")
    bpy.context.view_layer.objects.active.location.x = 1.0
    undo_push("moved")

    click(bpy.ops.mouthpiece.generate)
    yield from until(lambda: not now.busy)
    assert "speaks" in now.message, now.message
    assert [action.name for action in bpy.data.actions] == ["Mouthpiece demo Demo Head"]
    yield from undo()
    assert len(bpy.data.actions) == 0
    assert bpy.data.objects["Demo Head"].location.x == 1.0
    yield from undo()
    assert bpy.data.objects["Demo Head"].location.x == 0.0

    yield from drag_while_a_job_ends(now)


def drag_while_a_job_ends(now) -> Act:
    """Nothing is written while the artist drags; it is written once the drag is over."""
    window = bpy.context.window_manager.windows[0]
    click(bpy.ops.mouthpiece.generate)
    with in_window.context_of("VIEW_3D"):
        bpy.ops.transform.translate("INVOKE_DEFAULT")
    yield from until(lambda: bool(now.takes))
    yield 1.0
    assert [operator.bl_idname for operator in window.modal_operators] == ["TRANSFORM_OT_translate"]
    assert now.busy
    assert not any(action.users for action in bpy.data.actions)
    window.event_simulate(type="ESC", value="PRESS")
    window.event_simulate(type="ESC", value="RELEASE")
    yield from until(lambda: not now.busy)
    assert bpy.data.actions["Mouthpiece demo Demo Head"].users == 1


def undo_push(message: str) -> None:
    with in_window.context_of("VIEW_3D"):
        bpy.ops.ed.undo_push(message=message)


def undo() -> Act:
    """Ctrl-Z over the viewport, as an artist does it."""
    area = in_window.area_of("VIEW_3D")
    place = {"x": area.x + area.width // 2, "y": area.y + area.height // 2}
    window = bpy.context.window_manager.windows[0]
    window.event_simulate(type="MOUSEMOVE", value="NOTHING", **place)
    for value in ("PRESS", "RELEASE"):
        window.event_simulate(type="Z", value=value, ctrl=True, **place)
    yield 1.0


in_window.play(act)
