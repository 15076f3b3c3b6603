# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the box *Backend* on the preferences page in the real window, while the backend is installed for real.

Needs a Blender with a window in which the extension is installed, no ``MOUTHPIECE_BACKEND_PYTHON``, and a wheel folder:
``blender --python photograph_backend.py -- FOLDER WHEELS``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import in_window
from in_window import Act, click, mouthpiece, until

FOLDER, WHEELS = map(Path, sys.argv[sys.argv.index("--") + 1 :])


def act() -> Act:
    now = mouthpiece("installation").current
    chosen = mouthpiece("preferences").chosen()
    bpy.context.preferences.system.use_online_access = False
    bpy.ops.preferences.addon_show(module=mouthpiece("preferences").EXTENSION)
    yield from shoot("backend offline")
    chosen.wheels = str(WHEELS)
    yield from shoot("backend ready")

    click(bpy.ops.mouthpiece.install_backend)
    yield from until(lambda: now.stage == "Installing packages" or not now.busy)
    yield from shoot("backend installing")
    click(bpy.ops.mouthpiece.cancel_installation)
    yield from until(lambda: not now.busy)
    yield from shoot("backend cancelled")

    click(bpy.ops.mouthpiece.install_backend)
    yield from until(lambda: not now.busy, 500)
    yield from until(lambda: not mouthpiece("session").current.busy)
    yield from shoot("backend installed")

    stamp = mouthpiece("preferences").backend_folder() / mouthpiece("installer").STAMP
    stamp.write_text('{"packages": "of an older version"}', encoding="utf-8")
    yield from shoot("backend outdated")


def shoot(state: str) -> Act:
    yield from in_window.shoot(FOLDER / f"{state}.png")


in_window.play(act)
