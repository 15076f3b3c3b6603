# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig profiles: which shape keys a character has under which names, and what moves them. No bpy.

A profile (`rigs/*.json`, checked by `rigs/schema.json`) is a sparse matrix from a model's channels to shape keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import BadInput

if TYPE_CHECKING:
    import numpy as np

FOLDER = Path(__file__).parents[1] / "rigs"

_COPY_NUMBER = re.compile(r"\.\d{3}$")
_SIDE_DOT = re.compile(r"\.(?=[lrLR]$)")
_PREFIX = re.compile(r"^.*(?:__|[.:|])|^!ex-")
"""What exporters put before a name: ``blendShape1.``, ``head_lod0_mesh__``, ``Face:``, ``!ex-``."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAP = re.compile(r"[\s_.\-]+")
_SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}


def spelling(name: str) -> str:
    """One spelling for all usual ones: ``eyeBlinkLeft``, ``EyeBlink_L``, ``eye_blink.l``, ``L_eye_blink`` are equal."""
    words = _GAP.split(_HUMP.sub(" ", _COPY_NUMBER.sub("", name.strip())))
    words = [word.casefold() for word in words if word]
    sides = [_SIDES[word] for word in words if word in _SIDES]
    return "".join([word for word in words if word not in _SIDES] + sides)


def _spellings(name: str) -> tuple[str, ...]:
    """From the surest reading of a name to the least sure one: as it is, in another spelling, without its prefix."""
    whole = _SIDE_DOT.sub("_", _COPY_NUMBER.sub("", name.strip()))
    return (name, spelling(name), spelling(_PREFIX.sub("", whole)))


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

    def match(self, names: Iterable[str]) -> Match:
        """Find the convention's shape keys among the names of a character's shape keys."""
        wanted = self._readings()
        best: dict[str, tuple[int, str]] = {}
        for name in names:
            for doubt, reading in enumerate(_spellings(name)):
                shape = wanted.get(reading)
                if shape is not None:
                    best[shape] = min(best.get(shape, (doubt, name)), (doubt, name), key=lambda found: found[0])
                    break
        found = {shape: best[shape][1] for shape in self.shape_keys if shape in best}
        return Match(self, found, tuple(shape for shape in self.shape_keys if shape not in found))

    def score(self, names: Iterable[str]) -> float:
        """How much of the convention a character has: 0 (not of this convention) to 1."""
        return self.match(names).score

    def _readings(self) -> dict[str, str]:
        """Every reading of every name and alias, with the shape key that it means."""
        readings: dict[str, str] = {}
        for shape in self.shape_keys:
            for name in (shape, *self.aliases.get(shape, ())):
                readings |= {name: shape, spelling(name): shape}
        return readings


@dataclass(frozen=True)
class Match:
    """A profile found on a character."""

    profile: RigProfile
    found: Mapping[str, str]
    """The character's name of each shape key of the profile that it has."""
    missing: tuple[str, ...]

    @property
    def score(self) -> float:
        """How much of the profile the character has, 0 to 1; 0 below the profile's own least number."""
        return len(self.found) / len(self.profile.shape_keys) if len(self.found) >= self.profile.at_least else 0.0

    def matrix(self, channels: Sequence[str]) -> np.ndarray:
        """Weights float32 [found shape keys, channels]; a channel may be spelled in any usual way.

        Raises `BadInput` where not one channel moves a shape key that was found.
        """
        import numpy as np

        columns = {spelling(channel): column for column, channel in enumerate(channels)}
        weights = np.zeros((len(self.found), len(channels)), np.float32)
        for row, shape in enumerate(self.found):
            for channel, weight in self.profile.shape_keys[shape].items():
                column = columns.get(spelling(channel))
                if column is not None:
                    weights[row, column] = weight
        if not weights.any():
            raise BadInput(
                f"The model's channels do not move the shape keys of a {self.profile.title} face. Choose another model "
                "or space."
            )
        return weights


@lru_cache(maxsize=1)
def profiles() -> tuple[RigProfile, ...]:
    """The profiles that ship with Mouthpiece."""
    return tuple(RigProfile.load(path) for path in sorted(FOLDER.glob("*.json")) if path.name != "schema.json")


@lru_cache(maxsize=32)
def recognise(names: tuple[str, ...]) -> Match | None:
    """The profile that fits a character's shape keys best, or None where none fits."""
    best = max((profile.match(names) for profile in profiles()), key=lambda match: match.score)
    return best if best.score > 0 else None
