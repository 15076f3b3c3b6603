# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender imports the extension from the folder that holds the manifest; the add-on itself lives in `blender_addon`."""

from .blender_addon import register, unregister

__all__ = ["register", "unregister"]
