# SPDX-License-Identifier: GPL-3.0-or-later
"""Says which system libraries are missing when Blender's module does not start (a bare server has no X11 or OpenGL)."""

import sys

try:
    import bpy  # noqa: F401
except ImportError as error:
    sys.exit(
        f"error: Blender's module does not start here ({error}). On Debian and Ubuntu install: "
        "libx11-6 libxi6 libxfixes3 libxrender1 libxkbcommon0 libsm6 libgl1 libxxf86vm1"
    )
