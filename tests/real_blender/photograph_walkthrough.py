# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk-through of the README in the real window: an installed package, two clicks, a talking head.

``blender --python photograph_walkthrough.py -- FOLDER`` leaves three pictures, what matters in them side by side as
``walkthrough.png``, and what the panel said.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, area_of, areas_of, click, context_of, mouthpiece, until

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
SPOKEN_FRAME = 37
"""In the middle of “my name”."""
HEIGHT, WIDTH, GAP = 560, 960, 12
"""Of what is shown in `walkthrough.png`: its height, how much of the viewport at the end, and the white between."""


def act() -> Act:
    with context_of("VIEW_3D"):
        bpy.ops.screen.area_split(direction="HORIZONTAL", factor=0.2)
    below = min(areas_of("VIEW_3D"), key=lambda area: area.height)
    below.type = "SEQUENCE_EDITOR"
    below.spaces.active.timeline_overlay.show_strip_source = False
    area_of("VIEW_3D").spaces.active.show_region_ui = True
    yield 1.0
    next(region for region in area_of("VIEW_3D").regions if region.type == "UI").active_panel_category = "Mouthpiece"
    yield from shoot("welcome")

    click(bpy.ops.mouthpiece.open_demo_scene)
    yield 0.5
    with context_of("SEQUENCE_EDITOR"):
        bpy.ops.sequencer.view_all()
    yield from shoot("opened")

    click(bpy.ops.mouthpiece.generate)
    yield from until(lambda: not mouthpiece("session").current.busy)
    bpy.context.scene.frame_set(SPOKEN_FRAME)
    yield from shoot("spoken")
    lay_side_by_side()
    (FOLDER / "said.txt").write_text(mouthpiece("session").current.message, encoding="utf-8")


def shoot(state: str) -> Act:
    yield from in_window.shoot(FOLDER / f"{state}.png")


def lay_side_by_side() -> None:
    """The sidebar at first, the sidebar with the demo scene, the head that speaks."""
    sidebar = next(region for region in area_of("VIEW_3D").regions if region.type == "UI")
    right, top = sidebar.x + sidebar.width, bpy.context.window_manager.windows[0].height - sidebar.y - sidebar.height
    command = ["convert", "-background", "white"]
    for state, width in (("welcome", sidebar.width), ("opened", sidebar.width), ("spoken", WIDTH)):
        crop = f"{width}x{HEIGHT}+{right - width}+{top}"
        command += ["(", str(FOLDER / f"{state}.png"), "-crop", crop, "+repage", "-splice", f"{GAP}x0", ")"]
    subprocess.run([*command, "+append", "-chop", f"{GAP}x0", str(FOLDER / "walkthrough.png")], check=True)


in_window.play(act)
