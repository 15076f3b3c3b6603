# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the panel's main states in the real window, and four of them side by side as ``panel.png``.

Needs a Blender with a window in which the extension is installed:
``blender SHOT.blend --python photograph_panel.py -- FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, click, mouthpiece, until

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])


def act() -> Act:
    now = mouthpiece("session").current
    head, strip = in_window.set_stage()
    yield 1.0
    in_window.open_tab()
    in_window.frame_all()
    yield from shoot("ready")

    bpy.context.scene.sequence_editor.active_strip = None
    yield from shoot("disabled")
    bpy.context.scene.sequence_editor.active_strip = strip

    long = in_window.add_strip(bpy.context.scene, in_window.long_speech(FOLDER, 20), 300)
    long.mute = True
    click(bpy.ops.mouthpiece.generate)
    yield from until(lambda: now.fraction > 0.3 or not now.busy)
    yield from shoot("running")
    click(bpy.ops.mouthpiece.cancel)
    yield from until(lambda: not now.busy)
    yield from shoot("cancelled")

    bpy.context.scene.sequence_editor.active_strip = strip
    click(bpy.ops.mouthpiece.generate)
    yield from until(lambda: not now.busy)
    bpy.context.scene.frame_set(80)
    yield from shoot("result")

    head.data.shape_keys.key_blocks["jawOpen"].mute = True
    click(bpy.ops.mouthpiece.generate)
    yield from until(lambda: not now.busy)
    yield from shoot("warning")

    click(bpy.ops.mouthpiece.generate)
    now._backend.kill()
    yield from until(lambda: not now.busy)
    yield from shoot("error")
    in_window.side_by_side(FOLDER, "panel", dict.fromkeys(("ready", "running", "result", "error"), 0), 422)


def shoot(state: str) -> Act:
    yield from in_window.shoot(FOLDER / f"{state}.png", 0.6)


in_window.play(act)
