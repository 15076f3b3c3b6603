# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes ``--command mouthpiece`` known to Blender; `cli` runs it, and so is not needed before."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from . import cli

COMMAND = "mouthpiece"
_registered: list[object] = []


def register() -> None:
    """Tell Blender."""
    _registered.append(bpy.utils.register_cli_command(COMMAND, _run))


def unregister() -> None:
    """Take it back."""
    while _registered:
        bpy.utils.unregister_cli_command(_registered.pop())


def _run(arguments: Sequence[str]) -> int:
    return cli.run(arguments)
