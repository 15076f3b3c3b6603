# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones as markers of the timeline: under a prefix of their own, so that the artist's markers are never touched."""

from __future__ import annotations

from bpy.types import Scene

from .phones import PAUSE
from .placing import Performance

PREFIX = "mp:"


def show(scene: Scene, performance: Performance) -> int:
    """A marker where each phone begins, in place of the earlier ones; gives their number."""
    remove(scene)
    spoken = [phone for phone in performance.motion.phones if phone.viseme != PAUSE]
    for phone in spoken:
        frame = performance.first_frame + round(phone.start * performance.fps)
        marker = scene.timeline_markers.new(f"{PREFIX}{phone.name}", frame=frame)
        marker.select = False
    return len(spoken)


def remove(scene: Scene) -> int:
    """Take our markers away; gives their number."""
    ours = [marker for marker in scene.timeline_markers if marker.name.startswith(PREFIX)]
    for marker in ours:
        scene.timeline_markers.remove(marker)
    return len(ours)
