# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that may fail: what they say in the end, and the file without what they have written."""

from __future__ import annotations

import time

import bpy


def ended(addon, job, seconds: float) -> str | None:
    """What a job says in the end, which comes within so many seconds; None where its keys were written."""
    end = time.monotonic() + seconds
    try:
        while not job.advance():
            assert time.monotonic() < end, "the job hangs"
            time.sleep(0.001)
        job.apply()
        job.report()
    except addon.errors.MouthpieceError as problem:
        job.abandon(problem)
        return str(problem)
    return None


def clear(character: bpy.types.Object, before: dict[str, object]) -> None:
    """Take a lip sync away that was written after all."""
    key = character.data.shape_keys
    for owner in (key, character, bpy.context.scene):
        owner.animation_data_clear()
        for name in list(owner.keys()):
            del owner[name]
    for action in list(bpy.data.actions):
        bpy.data.actions.remove(action)
    for name, value, _ in before["values"]:
        key.key_blocks[name].value = value
