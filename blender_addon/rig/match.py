# SPDX-License-Identifier: GPL-3.0-or-later
"""Which convention a character's names belong to, and how much of it is there. No bpy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import BadInput
from .profile import RigProfile, profiles
from .spelling import readings, spelling

if TYPE_CHECKING:
    import numpy as np


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


def match(profile: RigProfile, names: Iterable[str]) -> Match:
    """Find the convention's shape keys among the names of a character's shape keys."""
    wanted = _readings(profile)
    best: dict[str, tuple[int, str]] = {}
    for name in names:
        for doubt, reading in enumerate(readings(name)):
            shape = wanted.get(reading)
            if shape is not None:
                best[shape] = min(best.get(shape, (doubt, name)), (doubt, name), key=lambda found: found[0])
                break
    found = {shape: best[shape][1] for shape in profile.shape_keys if shape in best}
    return Match(profile, found, tuple(shape for shape in profile.shape_keys if shape not in found))


@lru_cache(maxsize=32)
def recognise(names: tuple[str, ...]) -> Match | None:
    """The profile that fits a character's shape keys best, or None where none fits."""
    best = max((match(profile, names) for profile in profiles()), key=lambda match: match.score)
    return best if best.score > 0 else None


def _readings(profile: RigProfile) -> dict[str, str]:
    """Every reading of every name and alias, with the shape key that it means."""
    wanted: dict[str, str] = {}
    for shape in profile.shape_keys:
        for name in (shape, *profile.aliases.get(shape, ())):
            wanted |= {name: shape, spelling(name): shape}
    return wanted
