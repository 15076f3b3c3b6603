# SPDX-License-Identifier: GPL-3.0-or-later
"""Which emotions a character has sliders for, and what these are called. No bpy."""

from __future__ import annotations

EMOTIONS = ("happy", "sad", "angry", "surprised", "afraid", "disgusted")
"""What they leave to 1 is neutral."""


def property_of(emotion: str) -> str:
    """The name of the object's property that holds an emotion."""
    return f"mouthpiece_{emotion}"
