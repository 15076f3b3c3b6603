# SPDX-License-Identifier: GPL-3.0-or-later
"""The rig profile that a character carries: what the artist has chosen for it, control by control."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bpy.types import Object

from .. import whole_file
from ..errors import BadInput
from .face import PROPERTY, candidates
from .match import match
from .profile import RigProfile, by_hand, dump


@dataclass(frozen=True)
class Line:
    """What shows one control of a convention on a character."""

    control: str
    name: str
    """The character's name of it; empty where nothing shows it."""
    gain: float = 1.0
    """Factor on its value."""
    is_on: bool = True


def lines_of(character: Object, profile: RigProfile) -> list[Line]:
    """Every control of a profile, with what shows it on a character, as found and as chosen by hand."""
    found = match(replace(profile, names={}), candidates(character)).found
    return [
        Line(
            control,
            profile.names.get(control) or found.get(control, ""),
            profile.gains.get(control, 1.0),
            profile.names.get(control) != "",
        )
        for control in profile.controls
    ]


def chosen(character: Object, profile: RigProfile, lines: Iterable[Line]) -> RigProfile:
    """A profile with an artist's lines for a character; what nothing shows and nobody has named is left open."""
    found = match(replace(profile, names={}), candidates(character)).found
    names, gains = {}, {}
    for line in lines:
        if not line.is_on or (line.control in found and not line.name):
            names[line.control] = ""
        elif line.name:
            names[line.control] = line.name
        if line.gain != 1.0:
            gains[line.control] = round(line.gain, 4)
    return by_hand(profile, names, gains)


def remember(character: Object, profile: RigProfile) -> None:
    """Have a character carry a profile; raises `BadInput` where it is linked and would forget it."""
    if character.library:
        raise BadInput(f"“{character.name}” is linked from another file. Make a library override of it first.")
    setattr(character, PROPERTY, dump(profile))


def forget(character: Object) -> None:
    """Have a character be recognised by its names again."""
    character.property_unset(PROPERTY)
    if PROPERTY in character:  # out of an older file
        del character[PROPERTY]


def save(profile: RigProfile, path: Path) -> None:
    """Write a profile for other characters and shots; raises `BadInput` where the file cannot be written."""
    identifier = re.sub(r"[^a-z0-9]+", "_", path.stem.casefold()).strip("_")
    identifier = identifier if identifier[:1].isalpha() else f"rig_{identifier}"
    try:
        whole_file.write(path, f"{dump(replace(profile, id=identifier, title=path.stem))}\n".encode())
    except OSError as problem:
        raise BadInput(f"The rig profile cannot be written to {path}: {problem.strerror}.") from problem
