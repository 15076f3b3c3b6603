# SPDX-License-Identifier: GPL-3.0-or-later
"""Which convention a character's names belong to, and how much of it is there. No bpy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from .profile import RigProfile, profiles
from .spelling import readings, spelling

CLOSE = 0.7
"""A convention that fits this well in proportion to the best one is told to the artist."""
LISTED = 6


@dataclass(frozen=True)
class Names:
    """What a character has that could be a control, kind by kind."""

    values: tuple[str, ...] = ()
    """Shape keys, and properties of the armature."""
    poses: tuple[str, ...] = ()
    """Actions that hold one pose of the armature."""
    bones: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """A profile found on a character."""

    profile: RigProfile
    found: Mapping[str, str]
    """The character's name of each control of the profile that it has."""
    missing: tuple[str, ...]
    rivals: tuple[str, ...] = field(default=(), compare=False)
    """Titles of other conventions that fit nearly as well."""

    @property
    def score(self) -> float:
        """How much of the profile the character has, 0 to 1; 0 below the profile's own least number."""
        return len(self.found) / (len(self.found) + len(self.missing)) if self._fits else 0.0

    @property
    def rank(self) -> float:
        """What decides between conventions: how much of the mouth is there, and how finely it is moved."""
        found, missing = (sum(_speaks(self.profile, name) for name in names) for names in (self.found, self.missing))
        return found**1.5 / (found + missing) if self._fits and found else 0.0

    @property
    def shapes_jaw_and_lips(self) -> bool:
        """Whether shape keys open the jaw and move something else of the mouth."""
        movers = self.profile.shape_keys
        spoken = [name for name in self.found if name in movers and _speaks(self.profile, name)]
        return self._fits and len(spoken) > 1 and any("jawOpen" in movers[name] for name in spoken)

    @property
    def summary(self) -> str:
        """Such as "ARKit, 47 of 52"."""
        return f"{self.profile.title}, {len(self.found)} of {len(self.found) + len(self.missing)}"

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the artist should know about it, in plain words."""
        count = f"{len(self.found)} of {len(self.found) + len(self.missing)} found"
        missing = f"; missing: {_listed(self.missing)}" if self.missing else ""
        lines = [f"{self.profile.title}: {count}{missing}."]
        if self.rivals:
            lines.append(f"It could also be {' or '.join(self.rivals)}; this one moves the mouth more finely.")
        return tuple(lines)

    @property
    def _fits(self) -> bool:
        enough = 0 < self.profile.at_least <= len(self.found) and self.found.keys() >= {*self.profile.needs}
        return enough or bool(self.found and self.profile.is_by_hand)


def match(profile: RigProfile, names: Names) -> Match:
    """Find a convention's controls among a character's names; those mapped by hand go first."""
    movers = (*profile.shape_keys, *profile.visemes)
    by_value, by_pose = (_found(profile, movers, group) for group in (names.values, names.poses))
    found = max(by_value, by_pose, key=len) | _found(profile, tuple(profile.bones), names.bones)
    needless = _needless(profile, found)
    controls = [control for control in profile.controls if control not in needless]
    missing = tuple(control for control in controls if control not in found)
    return Match(profile, {control: found[control] for control in controls if control in found}, missing)


@lru_cache(maxsize=64)
def recognise(names: Names) -> Match | None:
    """The shipped profile that fits a character best, or None where none fits."""
    matches = [match(profile, names) for profile in profiles()]
    has_shapes = any(match.shapes_jaw_and_lips for match in matches)
    # all of a lone jaw bone is soon found, but it moves no lips: it goes behind even a few shape keys that do
    best, *others = sorted(matches, key=lambda match: (has_shapes and match.profile.is_one_bone, -match.rank))
    if best.rank == 0:
        return None
    rivals = tuple(other.profile.title for other in others if other.rank > CLOSE * best.rank)
    return Match(best.profile, best.found, best.missing, rivals)


def _found(profile: RigProfile, controls: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Control → name, for those of some controls that are among the names."""
    wanted, there = _readings(profile, controls), frozenset(names)
    by_hand = {control: name for control, name in profile.names.items() if not name or name in there}
    best: dict[str, tuple[int, str]] = {}
    for name in names:
        for doubt, reading in enumerate(readings(name)):
            control = wanted.get(reading)
            if control is not None:
                best[control] = min(best.get(control, (doubt, name)), (doubt, name), key=lambda found: found[0])
                break
    found = {control: name for control, (_, name) in best.items()} | by_hand
    return {control: found[control] for control in controls if found.get(control)}


def _needless(profile: RigProfile, found: Mapping[str, str]) -> set[str]:
    """Coarse controls whose finer ones are there, and finer ones of which there are only the coarse."""
    needless: set[str] = set()
    for coarse, finer in profile.unless.items():
        if found.keys() & finer:
            needless.add(coarse)
        elif coarse in found:
            needless.update(finer)
    return needless


def _readings(profile: RigProfile, controls: Iterable[str]) -> dict[str, str]:
    """Every reading of every name and alias, with the control that it means."""
    wanted: dict[str, str] = {}
    for control in controls:
        for name in (control, *profile.aliases.get(control, ())):
            wanted |= {name: control, spelling(name): control}
    return wanted


def _speaks(profile: RigProfile, control: str) -> bool:
    """Whether a control moves lips, jaw or tongue."""
    rows = [profile.shape_keys.get(control, {}), *(move.by for move in profile.bones.get(control, ()))]
    return control in profile.visemes or any(
        channel.startswith(("jaw", "mouth", "tongue")) for row in rows for channel in row
    )


def _listed(names: tuple[str, ...]) -> str:
    rest = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {rest} more" if rest > 0 else "")
