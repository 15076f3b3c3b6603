# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, each as one sentence that the artist can act on. No bpy."""

from __future__ import annotations


class MouthpieceError(Exception):
    """A run that failed; its text is one sentence for the artist."""


class BadInput(MouthpieceError):
    """Something the artist gave cannot be used; nothing has been changed."""


class Cancelled(MouthpieceError):
    """The artist stopped the job; nothing has been changed."""


def unforeseen(fault: Exception) -> MouthpieceError:
    """What is said of a fault that is none of these; whoever says it also shows it."""
    return MouthpieceError(f"Something unexpected happened: {fault!r}. Report it with what Blender's console says.")


def show(fault: Exception) -> None:
    """Print the traceback of a fault that nobody foresaw on the console."""
    import traceback  # not while Blender starts: it brings two more of Python's modules

    traceback.print_exception(fault)
