# SPDX-License-Identifier: GPL-3.0-or-later
"""One spelling for the many ways in which exporters write the same name. No bpy."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_COPY_NUMBER = re.compile(r"\.\d{3}$")
_SIDE_DOT = re.compile(r"\.(?=[lrLR]$)")
_PREFIX = re.compile(r"^.*(?:__|[.:|])|^!ex-")
"""What exporters put before a name: ``blendShape1.``, ``head_lod0_mesh__``, ``Face:``, ``!ex-``."""
_NUMBER = re.compile(r"^(?:M_F\d+_\d+(?:_\d+)?_|A[AK](?:_VI)?_\d+_)", re.IGNORECASE)
"""What VRoid and Rocketbox put before a name: ``M_F00_000_00_``, ``AK_25_``, ``AA_VI_10_``."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAP = re.compile(r"[\s_.\-]+")
_SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}


@lru_cache(maxsize=8192)
def spelling(name: str) -> str:
    """One spelling for all usual ones: ``eyeBlinkLeft``, ``EyeBlink_L``, ``eye_blink.l``, ``L_eye_blink`` are equal.

    Full-width letters and half-width kana become the usual ones (``ﾜ`` is ``ワ``).
    """
    plain = unicodedata.normalize("NFKC", name.strip())
    words = _GAP.split(_HUMP.sub(" ", _COPY_NUMBER.sub("", plain)))
    words = [word.casefold() for word in words if word]
    sides = [_SIDES[word] for word in words if word in _SIDES]
    return "".join([word for word in words if word not in _SIDES] + sides)


@lru_cache(maxsize=8192)
def readings(name: str) -> tuple[str, ...]:
    """From the surest reading of a name to the least sure one: as it is, in another spelling, without its prefix."""
    whole = _SIDE_DOT.sub("_", _COPY_NUMBER.sub("", name.strip()))
    bare = _PREFIX.sub("", whole)
    return (name, spelling(name), spelling(bare), spelling(_NUMBER.sub("", bare)))
