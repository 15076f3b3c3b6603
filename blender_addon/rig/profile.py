# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig profiles: what a convention's shape keys are called, and what moves them. No bpy.

A profile (`rigs/*.json`, checked by `rigs/schema.json`) is a sparse matrix from a model's channels to shape keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..errors import BadInput

FOLDER = Path(__file__).parents[2] / "rigs"


@dataclass(frozen=True)
class RigProfile:
    """One rig convention."""

    id: str
    title: str
    consumes: str
    """The FaceSpace whose channels the matrix reads."""
    shape_keys: Mapping[str, Mapping[str, float]]
    """For each of the convention's shape keys the weight of each channel."""
    aliases: Mapping[str, tuple[str, ...]]
    """Other names of a shape key that no rule of spelling gives."""
    at_least: int
    """A character with fewer of the shape keys is not of this convention."""

    @classmethod
    def load(cls, path: Path) -> RigProfile:
        """Read a profile; raises `BadInput` where the file is no profile."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            recognise = data["recognise"]
            aliases = {name: tuple(others) for name, others in recognise["aliases"].items()}
            profile = (data["id"], data["title"], data["consumes"], data["shape_keys"], aliases, recognise["at_least"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise BadInput(f"The rig profile “{path.name}” cannot be read: {problem!r}.") from problem
        return cls(*profile)


@lru_cache(maxsize=1)
def profiles() -> tuple[RigProfile, ...]:
    """The profiles that ship with Mouthpiece."""
    return tuple(RigProfile.load(path) for path in sorted(FOLDER.glob("*.json")) if path.name != "schema.json")
