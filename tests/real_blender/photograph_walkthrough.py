# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk-through of the README in the real window: an installed package, two clicks, a talking head.

``blender --python photograph_walkthrough.py -- FOLDER`` leaves three pictures, what matters in them side by side as
``walkthrough.png``, and what the panel said.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, area_of, areas_of, click, context_of, mouthpiece, until

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
SPOKEN_FRAME = 37
"""In the middle of “my name”."""
WIDTH = 960
"""How much of the screen is shown where the head speaks."""


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
    in_window.side_by_side(FOLDER, "walkthrough", {"welcome": 0, "opened": 0, "spoken": WIDTH}, 560)
    (FOLDER / "said.txt").write_text(mouthpiece("session").current.message, encoding="utf-8")


def shoot(state: str) -> Act:
    yield from in_window.shoot(FOLDER / f"{state}.png")


in_window.play(act)
