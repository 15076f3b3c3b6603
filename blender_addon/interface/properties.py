# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist has chosen, kept in the scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import bpy
from bpy.types import Context, Object

from ...backend import protocol
from .. import audio, compat, fields, job, preferences, session
from .. import choice as choices
from ..errors import BadInput, MouthpieceError
from . import known_words, mesh, models, performance, writing
from .registration import registration
from .searches import can_speak, strip_names

DEFAULT_MODEL = "default"
PIVOT = "pivot"
"""The style that is nobody's in particular."""
NO_STRIP = "Select a sound strip in the Sequencer, or choose one here."
NO_SOUND = "There is no sound in the Sequencer yet. Add your recording with the plus above."


def _model_names(_settings: LipSyncSettings, _context: Context, _typed: str) -> list[str]:
    told = [model.name for model in session.current.models]
    return told or [file.name for file in models.current.files() if not file.problem]


def _of_model(settings: LipSyncSettings, field: str) -> Iterator[str]:
    for model in session.current.models:
        if model.name == (settings.model or DEFAULT_MODEL):
            yield from getattr(model, field)


def _style_names(settings: LipSyncSettings, _context: Context, _typed: str) -> list[str]:
    if session.current.models:
        return list(protocol.labels(tuple(_of_model(settings, "identities"))))
    file = models.current.file(settings.model or DEFAULT_MODEL)
    return list(protocol.labels(file.styles)) if file else []


def _space_names(settings: LipSyncSettings, _context: Context, _typed: str) -> list[str]:
    return list(_of_model(settings, "spaces"))


class LipSyncSettings(bpy.types.PropertyGroup):
    """One scene's choices; what is empty stands for the active or the default one."""

    strip: fields.text("Strip", "The sound strip to speak. Empty: the active strip of the Sequencer", strip_names)
    source: bpy.props.EnumProperty(
        name="Voice",
        description="What is spoken",
        items=(
            ("strip", "Strip", "A sound strip of the Sequencer, just as it plays there"),
            ("file", "File", "A sound file that lies in no strip"),
        ),
    )
    audio: fields.file("Sound File", "The sound file to speak")
    first_frame: bpy.props.IntProperty(name="First Frame", description="Where the sound file begins", default=1)
    character: bpy.props.PointerProperty(
        name="Character",
        description="The mesh whose shape keys speak, or the armature whose bones do. Empty: the active object",
        type=Object,
        poll=can_speak,
    )
    model: fields.text(
        "Model", "The model that turns sound into motion. Empty: the one that comes with Mouthpiece", _model_names
    )
    style: fields.text("Style", "Whose way of speaking the model imitates. Empty: nobody's in particular", _style_names)
    space: fields.text("Face Space", "Which of the model's sets of controls to use. Empty: its first one", _space_names)
    raw: bpy.props.BoolProperty(
        name="Keep Rest Pose",
        description="Write the model's own numbers: its answer to silence is not subtracted, so that a mouth which "
        "rests open in its training data rests open here too",
    )
    strength: fields.strength("Strength", "How much every shape key moves; 1 is what the model gives")


def settings(context: Context) -> LipSyncSettings:
    """The choices of the current scene."""
    return context.scene.mouthpiece


def space_names(context: Context) -> list[str]:
    """The face spaces of the chosen model, as far as a running backend has told."""
    return list(_of_model(settings(context), "spaces"))


def strip_name(context: Context) -> str:
    """The chosen strip, or the active one; empty where that is no sound strip."""
    active = getattr(compat.sequencer_scene(context).sequence_editor, "active_strip", None)
    return settings(context).strip or (active.name if active and active.type == "SOUND" else "")


def character_name(context: Context) -> str:
    """The chosen character, or the active object; empty where there is none."""
    character = settings(context).character or getattr(context.view_layer.objects, "active", None)
    return character.name if character else ""


def spoken(context: Context) -> tuple[str, str]:
    """Scene and title of what is chosen to be spoken; empty texts where nothing is."""
    try:
        chosen = choice(context)
    except BadInput:
        return "", ""
    return chosen.scene, chosen.title


def choice(context: Context) -> choices.Choice:
    """What a click on Generate would do; raises `BadInput` where something is not chosen."""
    strip, character, chosen = strip_name(context), character_name(context), settings(context)
    if chosen.source == "file":
        strip = ""
        if not chosen.audio:
            raise BadInput("Choose a sound file.")
    elif not strip:
        raise BadInput(NO_STRIP if audio.sound_strips(compat.sequencer_scene(context)) else NO_SOUND)
    if not character:
        raise BadInput("Select the character, or choose it here.")
    sound = {"audio": chosen.audio, "first_frame": chosen.first_frame} if not strip else {}
    return replace(how(context), strip=strip, character=character, **sound)


def how(context: Context) -> choices.Choice:
    """The choices that do not say who speaks what."""
    chosen = settings(context)
    return known_words.told(
        context,
        choices.Choice(
            scene=compat.sequencer_scene(context).name,
            strip="",
            character="",
            model=chosen.model or DEFAULT_MODEL,
            space=chosen.space,
            identity=chosen.style or PIVOT,
            strength=chosen.strength,
            raw=chosen.raw,
            performance=performance.options(context),
            writing=writing.options(context),
            mesh=mesh.options(context),
        ),
    )


def why_not(context: Context) -> str:
    """The sentence that says why Generate cannot be clicked now; empty where it can."""
    try:
        preferences.backend_python()
        job.cast(choice(context))
    except MouthpieceError as problem:
        return str(problem)
    return ""


register, unregister = registration((LipSyncSettings,), "mouthpiece", LipSyncSettings)
