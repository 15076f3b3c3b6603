# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the box *Models* on the preferences page and of the tab *Backend*, in the real window.

Needs a Blender with a window in which the extension is installed, and a folder with an official checkpoint:
``blender --python photograph_models.py -- FOLDER CASE``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, click, mouthpiece, until

FOLDER, CASE = map(Path, sys.argv[sys.argv.index("--") + 1 :])


def act() -> Act:
    now, conversion = mouthpiece("session").current, mouthpiece("conversion").current
    in_window.open_panel(mouthpiece("interface.status").BackendInViewport)
    in_window.set_stage()
    yield 1.0
    in_window.open_tab()
    with in_window.context_of("VIEW_3D"):
        bpy.ops.screen.screen_full_area(use_hide_panels=False)
    yield 0.5
    yield from shoot("tab not running")
    click(bpy.ops.mouthpiece.generate)
    yield from until(lambda: now.fraction > 0.05 or not now.busy)
    yield from shoot("tab busy")
    yield from until(lambda: not now.busy and bool(now.status))
    yield from shoot("tab ready")
    now.rest(0.0)
    yield from shoot("tab unloaded")

    show_page()
    yield from shoot("models shipped")
    extras = {"config": str(CASE / "config.json"), "pca": str(CASE / "pca")}
    bpy.ops.mouthpiece.convert_checkpoint(filepath=str(CASE / "checkpoint.pt"), name="my_talker", **extras)
    yield 0.5
    yield from shoot("models converting")
    yield from until(lambda: not conversion.busy)
    yield from in_window.scroll_to_the_end("PREFERENCES", "WINDOW")
    yield from shoot("models converted")


def show_page() -> None:
    """The preferences page in the place of the viewport, where it is all to be seen."""
    bpy.ops.preferences.addon_show(module=mouthpiece("preferences").EXTENSION)
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[-1]):
        bpy.ops.wm.window_close()
    in_window.area_of("VIEW_3D").type = "PREFERENCES"


def shoot(state: str) -> Act:
    yield from in_window.shoot(FOLDER / f"{state}.png", 0.6)


in_window.play(act)
