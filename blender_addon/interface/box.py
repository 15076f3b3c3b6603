# SPDX-License-Identifier: GPL-3.0-or-later
"""A box of the preferences page, with buttons that begin what a timer goes on with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import bpy
from bpy.types import Context, UILayout

from .. import preferences
from ..redraw import redraw

TICK_SECONDS = 0.1


class Box:
    """What a box consists of; `register` and `unregister` are Blender's."""

    def __init__(
        self,
        classes: Sequence[type],
        draw: Callable[[UILayout, Context], None],
        go_on: Callable[[], bool],
        stop: Callable[[], None],
    ) -> None:
        """`go_on` moves on what goes on behind the box, and is False once it is over; `stop` ends it."""
        self._register_classes, self._unregister_classes = bpy.utils.register_classes_factory(classes)
        self._draw, self._go_on, self._stop = draw, go_on, stop
        self._timer = self._tick  # the one object by which Blender knows it
        self._was_at_work = False

    def register(self) -> None:
        """Put the box on the page, and see to the end what was stopped when it was taken away.

        Blender keeps the modules of an extension that is disabled, and with them what they were at.
        """
        self._register_classes()
        preferences.BOXES.append(self._draw)
        if self._was_at_work:
            self.watch()

    def unregister(self) -> None:
        """Stop what goes on, and take the box away."""
        self._stop()
        self._was_at_work = bpy.app.timers.is_registered(self._timer)
        if self._was_at_work:
            bpy.app.timers.unregister(self._timer)
        preferences.BOXES.remove(self._draw)
        self._unregister_classes()

    def watch(self) -> None:
        """Let a timer go on."""
        if not bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.register(self._timer, persistent=True)

    def wait(self) -> None:
        """Go on to the end."""
        while self._go_on():
            time.sleep(TICK_SECONDS)

    def _tick(self) -> float | None:
        goes_on = self._go_on()
        redraw()
        return TICK_SECONDS if goes_on else None
