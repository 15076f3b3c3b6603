# SPDX-License-Identifier: GPL-3.0-or-later
"""A basis on a character: shape keys of one strip's motion, and the curves of their weights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import bpy
from bpy.types import Key, Object, ShapeKey

from ..rig.targets import Curve
from ..writing import stack
from ..writing.ledger import Record
from .basis import Basis
from .naming import LONGEST, NAME, named

if TYPE_CHECKING:
    import numpy as np

NUMBERS = len(" 99999-9999")
"""What a name leaves room for: the numbers of the lip sync and of the shape."""


def shapes_of(character: Object, strip: str) -> list[ShapeKey]:
    """The shape keys that hold a strip's motion on a character."""
    key: Key | None = character.data.shape_keys
    ours = re.compile(rf"{re.escape(_name(strip))} \d+-\d+")
    return [block for block in key.key_blocks if ours.fullmatch(block.name)] if key else []


def earlier(character: Object, record: Record) -> list[str]:
    """The names of the shape keys that a new lip sync takes the place of.

    An earlier one remembers its own: earlier versions named them otherwise, and its strip may have been renamed.
    """
    key: Key | None = character.data.shape_keys
    if key is None:
        return []
    remembered = {name for place in stack.earlier_lines(key, record) for name in place.line.record.shape_keys}
    made = {name for name in remembered if re.fullmatch(rf"{NAME} .* \d+-\d+", name)}  # not the controls of a face
    made.update(block.name for block in shapes_of(character, record.strip))
    return [block.name for block in key.key_blocks if block.name in made]


def add(character: Object, strip: str, basis: Basis, rest: np.ndarray) -> list[ShapeKey]:
    """New shape keys for every shape, at weight 0, beside those of an earlier lip sync; rest: float32 [V, 3]."""
    if character.data.shape_keys is None:
        character.shape_key_add(name="Basis", from_mix=False)
    turn = 1 + max(map(_turn, shapes_of(character, strip)), default=0)
    return [
        _added(character, f"{_name(strip)} {turn}-{number:02}", (rest + shape).astype("float32"))
        for number, shape in enumerate(basis.shapes, start=1)
    ]


def curves(blocks: list[ShapeKey], basis: Basis) -> list[Curve]:
    """The weight of every shape on every frame."""
    return [
        Curve(block.id_data, block.path_from_id("value"), 0, basis.weights[:, number], (-1.0, 1.0), frozenset())
        for number, block in enumerate(blocks)
    ]


def _added(character: Object, name: str, places: np.ndarray) -> ShapeKey:
    block = character.shape_key_add(name=name, from_mix=False)
    block.data.foreach_set("co", places.ravel())
    block.slider_min, block.slider_max = -1.0, 1.0
    block.value = 0.0  # Blender 5.0 makes new keys at 1
    return block


def _turn(block: ShapeKey) -> int:
    """The number of the lip sync that made it, which its name ends with."""
    return int(block.name.rpartition(" ")[2].partition("-")[0])


def _name(strip: str) -> str:
    return named(strip, bpy.path.clean_name(strip, replace=" "), LONGEST - NUMBERS)
