# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds a strip's motion is named after the strip: readably, and never as another strip's is. No bpy."""

from __future__ import annotations

import zlib

NAME = "Lip Sync"
LONGEST = 63
"""Bytes of UTF-8 in a name of Blender's; it cuts off what is more."""


def named(strip: str, readable: str, longest: int = LONGEST) -> str:
    """The name for a strip, of at most `longest` bytes; `readable`: the strip's own, without what may not stand in it.

    Where not all of the strip's name can be in it, a sum of the whole ends it.
    """
    plain = f"{NAME} {readable}"
    if readable == strip and len(plain.encode()) <= longest:
        return plain
    ending = f" {zlib.crc32(strip.encode()):08x}"
    cut = plain.encode()[: longest - len(ending)].decode(errors="ignore")  # no half of a character
    return cut + ending
