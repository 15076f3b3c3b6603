# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig profiles: what the controls of a convention are called, and how a model's channels move them. No bpy.

`rigs/*.json` ship with Mouthpiece, artists save their own; `rigs/schema.json` says what each field means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from ..errors import BadInput

FOLDER = Path(__file__).parents[2] / "rigs"

Row = Mapping[str, float]
"""Channel → weight."""
Axis = Literal["X", "Y", "Z", "side", "front", "up"]
"""A bone's own axis, or a direction of its armature: side is +X, front is -Y, up is +Z."""


@dataclass(frozen=True)
class BoneMove:
    """One movement of a bone, as much as some channels ask for."""

    kind: Literal["turn", "move"]
    axis: Axis
    amount: float
    """At 1: degrees about the axis, or widths of the mouth along it."""
    by: Row


@dataclass(frozen=True)
class RigProfile:
    """One rig convention."""

    id: str
    title: str
    consumes: str
    """The FaceSpace whose channels the rows name."""
    shape_keys: Mapping[str, Row] = field(default_factory=dict)
    """Controls whose value is the weighted sum of channels."""
    visemes: Mapping[str, Row] = field(default_factory=dict)
    """Controls that show a whole pose of the mouth at 1, given in the channels' weights; solved together."""
    bones: Mapping[str, tuple[BoneMove, ...]] = field(default_factory=dict)
    corners: tuple[str, ...] = ()
    """The two bones at the corners of the mouth, whose distance is its width."""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Other names of a control that no rule of spelling gives."""
    at_least: int = 1
    """A character with fewer of the controls is not of this convention; 0: only the artist can choose it."""
    needs: tuple[str, ...] = ()
    """Controls without which a character is not of this convention."""
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Controls that are left alone where a character has one of these finer ones."""
    extends: str = ""
    """The shipped profile that an artist's one is made from."""
    names: Mapping[str, str] = field(default_factory=dict)
    """By hand: the character's name of a control; empty where the control is off."""
    gains: Mapping[str, float] = field(default_factory=dict)
    """By hand: factor on the value of a control."""

    @cached_property
    def controls(self) -> tuple[str, ...]:
        """All controls by their names in the convention."""
        return (*self.shape_keys, *self.visemes, *self.bones)

    @property
    def is_one_bone(self) -> bool:
        """Whether a single bone is all that it moves."""
        return len(self.controls) == len(self.bones) == 1

    @property
    def is_by_hand(self) -> bool:
        """Whether an artist has said what some of the controls are called on a character."""
        return any(self.names.values())


def load(path: Path) -> RigProfile:
    """Read a profile; raises `BadInput` where the file is no profile."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise BadInput(f"The rig profile “{path.name}” cannot be read: {problem.strerror}.") from problem
    except ValueError as problem:
        raise BadInput(f"The rig profile “{path.name}” is not in UTF-8. Save it as UTF-8 text.") from problem
    return parse(text, path.name)


def parse(text: str, name: str) -> RigProfile:
    """A profile from JSON; raises `BadInput`, with the `name` that the artist knows it by, where it is none."""
    try:
        data = json.loads(text)
        return _extended(data) if "extends" in data else _whole(data)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
        raise BadInput(f"The rig profile “{name}” cannot be read: {problem!r}.") from problem


def dump(profile: RigProfile) -> str:
    """A profile as JSON, as `parse` reads it: in full, or what differs from the shipped one that it extends."""
    data: dict[str, Any] = {"id": profile.id, "title": profile.title}
    if profile.extends:
        data["extends"] = profile.extends
    else:
        data |= _convention(profile)
    data |= {part: dict(getattr(profile, part)) for part in ("names", "gains") if getattr(profile, part)}
    return json.dumps(data, ensure_ascii=False, indent=2)


def by_hand(profile: RigProfile, names: Mapping[str, str], gains: Mapping[str, float]) -> RigProfile:
    """A profile with an artist's choices; of a shipped one it keeps only the choices."""
    shipped = any(profile is other for other in profiles())
    extends = profile.id if shipped else profile.extends
    return replace(profile, extends=extends, names=dict(names), gains=dict(gains))


@lru_cache(maxsize=1)
def profiles() -> tuple[RigProfile, ...]:
    """The profiles that ship with Mouthpiece."""
    return tuple(load(path) for path in sorted(FOLDER.glob("*.json")) if path.name != "schema.json")


def shipped(identifier: str) -> RigProfile:
    """The shipped profile of that id; raises `BadInput` where there is none."""
    found = next((profile for profile in profiles() if profile.id == identifier), None)
    if found is None:
        known = ", ".join(profile.id for profile in profiles())
        raise BadInput(f"There is no rig profile “{identifier}”. Mouthpiece has {known}.")
    return found


def _whole(data: Mapping[str, Any]) -> RigProfile:
    recognise = data["recognise"]
    return RigProfile(
        id=data["id"],
        title=data["title"],
        consumes=data["consumes"],
        shape_keys=_rows(data.get("shape_keys", {})),
        visemes=_rows(data.get("visemes", {})),
        bones={bone: tuple(_move(move) for move in moves) for bone, moves in data.get("bones", {}).items()},
        corners=tuple(data.get("corners", ())),
        aliases={name: tuple(others) for name, others in recognise["aliases"].items()},
        at_least=int(recognise["at_least"]),
        needs=tuple(recognise.get("needs", ())),
        unless={name: tuple(others) for name, others in recognise.get("unless", {}).items()},
        names=_names(data),
        gains=_row(data.get("gains", {})),
    )


def _extended(data: Mapping[str, Any]) -> RigProfile:
    base = shipped(data["extends"])
    choices = {"names": _names(data), "gains": _row(data.get("gains", {}))}
    return replace(base, id=data["id"], title=data["title"], extends=data["extends"], **choices)


def _names(data: Mapping[str, Any]) -> dict[str, str]:
    return {control: str(name) for control, name in data.get("names", {}).items()}


def _row(data: Mapping[str, Any]) -> Row:
    return {channel: float(weight) for channel, weight in data.items()}


def _rows(data: Mapping[str, Any]) -> dict[str, Row]:
    return {control: _row(row) for control, row in data.items()}


def _move(data: Mapping[str, Any]) -> BoneMove:
    kind = "turn" if "turn" in data else "move"
    return BoneMove(kind, data[kind], float(data["degrees" if kind == "turn" else "widths"]), _row(data["by"]))


def _convention(profile: RigProfile) -> dict[str, Any]:
    """The fields of a profile that extends no other one."""
    amounts = {"turn": "degrees", "move": "widths"}
    bones = {
        bone: [{move.kind: move.axis, amounts[move.kind]: move.amount, "by": dict(move.by)} for move in moves]
        for bone, moves in profile.bones.items()
    }
    recognise = {"at_least": profile.at_least, "aliases": profile.aliases}
    recognise |= {part: getattr(profile, part) for part in ("needs", "unless") if getattr(profile, part)}
    parts = {"shape_keys": profile.shape_keys, "visemes": profile.visemes, "bones": bones, "corners": profile.corners}
    return {
        "consumes": profile.consumes,
        "recognise": recognise,
        **{part: value for part, value in parts.items() if value},
    }
