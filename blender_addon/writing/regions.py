# SPDX-License-Identifier: GPL-3.0-or-later
"""Which region of the face a channel moves. No bpy."""

from __future__ import annotations

import re

REGIONS = ("mouth", "jaw", "tongue", "brows", "eyes", "blinks")
"""In the order in which they are shown."""

_RULES = (
    ("blinks", r"blink"),
    ("eyes", r"^eye|cheeksquint|gaze|pupil"),
    ("brows", r"brow"),
    ("jaw", r"^jaw|jaw$"),
    ("tongue", r"tongue"),
)


def region_of(channel: str) -> str:
    """The region of a channel by its name, in ARKit's or any similar spelling; all else is the mouth.

    Cheeks that puff and noses that sneer move with the lips, so they are of the mouth; squinting cheeks of the eyes.
    """
    plain = re.sub(r"[^a-z]", "", channel.casefold())
    return next((region for region, rule in _RULES if re.search(rule, plain)), "mouth")
