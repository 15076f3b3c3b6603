# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that were taught a character's own controls: channels that bear the controls' own names need no profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bpy.types import ID, Object

from .. import controls
from ..controls import Control
from ..errors import BadInput
from ..writing import owner
from . import family
from .face import Face, face_of
from .profile import RigProfile, shipped
from .targets import Curve

if TYPE_CHECKING:
    from ..motion import Motion

SHIPPED_MODEL = "default"
"""The model that knows nobody's own controls."""


def face_for(character: Object, model: str, profile: RigProfile | None = None) -> Face | None:
    """The face of a character, or None where only a model of its own controls or of its whole mesh can move it.

    `profile`: what to take it for, as in `face_of`. Raises `BadInput` where the model cannot be one.
    """
    try:
        return face_of(character, profile)
    except BadInput:
        if profile or not can_move(model, character):
            raise
        return None


def can_move(model: str, character: Object) -> bool:
    """Whether a model may have learned the controls of a character that has no face, or moves its whole mesh."""
    return model != SHIPPED_MODEL and (character.type == "MESH" or bool(controls.sliders(character)))


def is_taught(character: Object, names: Sequence[str]) -> bool:
    """Whether channels are controls of this character by their exact names; ARKit's are left to the profiles."""
    if frozenset(names) <= frozenset(shipped("arkit").shape_keys):
        return False
    return len(controls.among(character, names)) == len(frozenset(names))


def things_of(character: Object) -> list[Object]:
    """The character itself, then its other meshes."""
    return [*dict.fromkeys((character, *family.meshes_of(character)))]


def block_of(character: Object) -> ID:
    """The datablock that is keyed, or the first of them; the character itself where it has no controls."""
    return next((control.block(character) for control in controls.sliders(character)), character)


def curves_of(character: Object, motion: Motion) -> list[Curve]:
    """The curves of a motion of the character's own controls, and of shape keys of the same names on its other meshes.

    Raises `BadInput` where keys cannot be written.
    """
    return [
        _curve(control, thing, motion)
        for thing in things_of(character)
        for control in _writable(thing, motion.names, is_kin=thing != character)
    ]


def _writable(thing: Object, names: Sequence[str], *, is_kin: bool) -> Iterator[Control]:
    """Of the character's other meshes only shape keys that nothing else sets."""
    for control in controls.among(thing, names).values():
        if is_kin and (control.is_driven or not control.is_shape_key):
            continue
        if control.is_shape_key:
            owner.shape_keys_of(thing)
        elif thing.library:
            raise BadInput(f"“{thing.name}” is linked from another file. Make a library override of it first.")
        else:
            owner.check_not_tweaked(thing, thing.name)
        yield control


def _curve(control: Control, thing: Object, motion: Motion) -> Curve:
    values = motion.values[:, motion.names.index(control.name)]
    channels = frozenset((control.name,))
    return Curve(control.block(thing), control.path, control.index, values.astype("float32"), control.limits, channels)
