# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes shape-key values as keys into an action of our own, without touching the artist's.

The action is built aside and put in place in one step (`Writing.commit`); until then nothing in the file has changed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import bpy
from bpy.types import Action, Key, Object

from . import compat, stack
from .errors import BadInput, MouthpieceError

if TYPE_CHECKING:
    import numpy as np

LINEAR = 1
AUTO_CLAMPED = 4


@dataclass(frozen=True)
class Record:
    """What an action was generated from; kept in the action as JSON."""

    strip: str
    character: str
    model: str
    space: str
    identity: str
    strength: float
    version: str
    """Of Mouthpiece."""
    first_frame: int
    last_frame: int
    fps: float
    shape_keys: tuple[str, ...]
    """The shape keys whose curves are ours."""

    @classmethod
    def of(cls, action: Action) -> Record | None:
        """The record of an action of ours, or None for any other action."""
        try:
            fields = json.loads(action[stack.PROPERTY])
            return cls(**fields | {"shape_keys": tuple(fields["shape_keys"])})
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True)
class Placed:
    """Where keys have been written."""

    action: str
    """The action's name."""
    moved: tuple[str, ...]
    """The artist's actions that made room for it, and now play from an NLA track."""


def shape_keys_of(character: Object) -> Key:
    """The shape keys that can take animation; raises `BadInput` where there are none or they cannot be written."""
    key = getattr(character.data, "shape_keys", None)
    if key is None:
        raise BadInput(f"“{character.name}” has no shape keys. Choose a character whose mouth moves by shape keys.")
    if not key.is_editable:
        raise BadInput(
            f"The shape keys of “{character.name}” are linked from another file, so keys written here would be lost. "
            "Make its mesh local or a library override first."
        )
    if not key.use_relative:
        raise BadInput(f"The shape keys of “{character.name}” are absolute. Turn on “Relative” beside them.")
    if key.animation_data and key.animation_data.use_tweak_mode:
        raise BadInput(f"A strip of “{character.name}” is in tweak mode in the NLA editor. Leave that first (Tab).")
    return key


def own_action(key: Key, strip: str, character: str) -> Action | None:
    """The action that we wrote for this strip and character, where these shape keys still play it."""
    for action in stack.actions(key.animation_data):
        record = Record.of(action)
        if record and (record.strip, record.character) == (strip, character) and action.is_editable:
            return action
    return None


def check_name(name: str, key: Key, strip: str, character: str) -> None:
    """Raises `BadInput` where a new action cannot have the wanted name because another action has it."""
    own, there = own_action(key, strip, character), bpy.data.actions.get(name)
    if name and there is not None and there != own:
        raise BadInput(f"There is another action named “{name}” already. Choose another name.")


class Writing:
    """Keys on their way into the file: build them with `advance`, put them in place with `commit`, or `discard` them.

    Between two calls the artist may undo or delete anything, so datablocks are looked up again each time.
    """

    def __init__(self, key: Key, record: Record, columns: Mapping[str, np.ndarray], name: str = "") -> None:
        """`columns` holds the values float32 [frames] of each shape key; `name`: the action's name where it is new."""
        self._key_uid, self._record, self._name = key.session_uid, record, name
        self._columns = {shape: _within_slider(key, shape, values) for shape, values in columns.items()}
        self._begin()

    @property
    def fraction(self) -> float:
        """How much of it is built, 0 to 1."""
        return 1 - len(self._left) / len(self._columns)

    def advance(self, seconds: float = float("inf")) -> bool:
        """Build curves for about that long; whether all are built."""
        action, key = _action(self._stage_uid), self._key()
        if action is None:  # an undo took it away
            self._begin()
            return False
        deadline = time.perf_counter() + seconds
        curves = compat.curves_for_writing(action, key)
        while self._left and time.perf_counter() < deadline:
            shape = self._left.pop()
            path = key.key_blocks[shape].path_from_id("value")
            _write_curve(curves.find(path) or curves.new(path), self._record.first_frame, self._columns[shape])
        return not self._left

    def commit(self) -> Placed:
        """Put the finished action in place."""
        stage, key = _action(self._stage_uid), self._key()
        if stage is None or self._left:
            raise MouthpieceError("The keys are not complete; generate again.")
        data = key.animation_data or key.animation_data_create()
        stage[stack.PROPERTY] = json.dumps(asdict(self._record), ensure_ascii=False)
        old = _action(self._old_uid)
        if old is not None:
            name = old.name
            old.user_remap(stage)
            bpy.data.actions.remove(old)
            stage.name = name
        moved = stack.place(data, stage)
        return Placed(stage.name, tuple(moved))

    def discard(self) -> None:
        """Forget what was built."""
        stage = _action(self._stage_uid)
        if stage is not None:
            bpy.data.actions.remove(stage)

    def _begin(self) -> None:
        key = self._key()
        old = own_action(key, self._record.strip, self._record.character)
        self._old_uid = old.session_uid if old else None
        stage = old.copy() if old else bpy.data.actions.new(self._name or default_name(self._record))
        self._stage_uid = stage.session_uid
        self._left = list(self._columns)
        if old:
            _remove_curves(stage, key, set((Record.of(old) or self._record).shape_keys) - set(self._columns))

    def _key(self) -> Key:
        key = next((key for key in bpy.data.shape_keys if key.session_uid == self._key_uid), None)
        if key is None or any(shape not in key.key_blocks for shape in self._columns):
            raise MouthpieceError(f"The shape keys of “{self._record.character}” were removed while it was animated.")
        return key


def default_name(record: Record) -> str:
    """What a new action is called."""
    return f"Mouthpiece {record.strip} {record.character}"


def _action(uid: int | None) -> Action | None:
    return next((action for action in bpy.data.actions if action.session_uid == uid), None)


def _within_slider(key: Key, shape: str, values: np.ndarray) -> np.ndarray:
    block = key.key_blocks[shape]
    return values.clip(block.slider_min, block.slider_max)


def _write_curve(curve: bpy.types.FCurve, first_frame: int, values: np.ndarray) -> None:
    """Replace all keys of a curve by one per frame."""
    import numpy as np

    count = len(values)
    places = np.empty((count, 2), np.float32)
    places[:, 0] = np.arange(first_frame, first_frame + count)
    places[:, 1] = values
    points = curve.keyframe_points
    points.clear()
    points.add(count)
    points.foreach_set("co", places.ravel())
    points.foreach_set("interpolation", np.full(count, LINEAR, np.int32))
    for side in ("handle_left_type", "handle_right_type"):
        points.foreach_set(side, np.full(count, AUTO_CLAMPED, np.int32))
    curve.update()


def _remove_curves(action: Action, key: Key, shapes: set[str]) -> None:
    curves = compat.curves_for_writing(action, key)
    paths = {f'key_blocks["{bpy.utils.escape_identifier(shape)}"].value' for shape in shapes}
    for curve in [curve for curve in curves if curve.data_path in paths]:
        curves.remove(curve)
