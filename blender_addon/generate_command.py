# SPDX-License-Identifier: GPL-3.0-or-later
"""What `generate` and every line of a job file say, and the choice that is meant by it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import bpy
from bpy.types import Object, Scene

from . import audio, compat, lookup, motion_export, phones, preferences, transcripts
from .choice import Choice
from .environment import Launch
from .errors import BadInput, MouthpieceError
from .model_files import SUFFIX
from .performing import arguments as performing
from .rig.face import face_of, leads, named
from .rig.profile import RigProfile
from .vertices import arguments as mesh
from .wording import first_line
from .writing import arguments as writing
from .writing.options import MOST_STRENGTH


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said about one lip sync."""
    parser.add_argument("--strip", default="", metavar="NAME", help="the sound strip (default: the active one)")
    parser.add_argument("--scene", default="", metavar="NAME", help="the strip's scene, where several have one")
    parser.add_argument("--audio", default="", metavar="FILE", help="a sound file instead of a strip")
    parser.add_argument("--first-frame", default=1, type=int, metavar="N", help="where the file begins (default: 1)")
    parser.add_argument("--object", default="", metavar="NAME", help="the character (default: the active one)")
    parser.add_argument("--model", default="default", help="a model's name or file (default: %(default)s)")
    parser.add_argument("--space", default="", metavar="NAME", help="a face space of the model (default: its first)")
    parser.add_argument("--identity", default="pivot", help="a style's name or number (default: %(default)s)")
    parser.add_argument("--strength", default=1.0, type=float, metavar="F", help="of the motion, 0 to 10 (default: 1)")
    parser.add_argument("--raw", action="store_true", help="the model's own numbers, its rest pose not subtracted")
    parser.add_argument("--action", default="", metavar="NAME", help="name of the new action")
    parser.add_argument("--profile", default="", metavar="FILE.json", help="a rig profile: a file, or the id of one")
    about = "save the motion too: .csv for Live Link Face, .json or .npz"
    parser.add_argument("--export", default="", metavar="FILE", help=about)
    transcripts.add(parser)
    performing.add(parser)
    writing.add(parser)
    mesh.add(parser)


def words() -> dict[str, Any]:
    """Every word that can be said, with its default."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return vars(parser.parse_args([]))


def check(said: Mapping[str, Any]) -> None:
    """Raises `BadInput` for what cannot be meant in any shot. `said` has all of `words`."""
    if said["audio"] and said["strip"]:
        raise BadInput("A strip and a sound file are both named. Leave one of them out.")
    if not 0 <= said["strength"] <= MOST_STRENGTH:
        raise BadInput(f"The strength is {said['strength']:g}; choose 0 to {MOST_STRENGTH:g}.")
    if said["export"]:
        motion_export.check(Path(said["export"]))
    if said["phones"]:
        phones.check(Path(said["phones"]))
    for options in (performing, writing, mesh):
        options.parsed(said)


def check_output(path: Path) -> None:
    """Raises `BadInput` where no shot can be saved under that name."""
    if path.suffix != ".blend":
        raise BadInput(f"“{path.name}” must end in .blend.")
    if not path.absolute().parent.is_dir():
        raise BadInput(f"The folder of {path} does not exist. Make it first, or choose another.")


def choice(said: Mapping[str, Any]) -> tuple[Choice, Launch]:
    """What is meant in the open file, and a backend that can do it; raises `BadInput` where that is not clear.

    `said` has all of `words`.
    """
    check(said)
    model, launch = model_and_launch(said["model"])
    scene = _scene(said)
    chosen = Choice(
        scene=scene.name,
        strip="" if said["audio"] else said["strip"] or only_strip(scene),
        audio=said["audio"],
        first_frame=int(said["first_frame"]),
        character=said["object"] or _only_character(scene, said["profile"]),
        profile=said["profile"],
        model=model,
        space=said["space"],
        identity=str(said["identity"]),
        strength=float(said["strength"]),
        raw=bool(said["raw"]),
        action=said["action"],
        motion_file=said["export"],
        performance=performing.parsed(said),
        writing=writing.parsed(said),
        mesh=mesh.parsed(said),
    )
    return transcripts.told(chosen, said), launch


def model_and_launch(name: str) -> tuple[str, Launch]:
    """A model's name, and a backend that knows it; of a model's file, the backend is told the folder.

    Raises `BadInput` where the backend would take another file of that name.
    """
    path = Path(name)
    if path.suffix != SUFFIX:
        return name, preferences.launch()
    if not path.is_file():
        raise BadInput(f"There is no model file {path}. Check the path.")
    shipped = preferences.SHIPPED_MODELS / path.name
    if shipped.is_file() and not shipped.samefile(path):
        raise BadInput(f"A model that comes with Mouthpiece is called {path.stem} too. Rename the file {path}.")
    return path.stem, preferences.launch(path.absolute().parent)


def only_strip(scene: Scene) -> str:
    """The active sound strip, or the only one; raises `BadInput` where the user has to choose."""
    names = [strip.name for strip in audio.sound_strips(scene)]
    active = getattr(scene.sequence_editor, "active_strip", None)
    return _only("sound strip", "--strip", names, active.name if active else "")


def saver(output: Path | None) -> Callable[[], str]:
    """What saves the shot and gives the file's path; raises `BadInput` where there is nowhere to save it."""
    if output is None and not bpy.data.filepath:
        raise BadInput("No shot is open. Name one before --command, or a new file with --output.")
    if output is not None:
        check_output(output)
    path = Path(output or bpy.data.filepath).absolute()

    def save() -> str:
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=output is not None, check_existing=False)
        except RuntimeError as problem:
            raise MouthpieceError(f"The shot could not be saved: {first_line(problem)}.") from problem
        return str(path)

    return save


def _scene(said: Mapping[str, Any]) -> Scene:
    if said["audio"]:  # there is no strip to look for
        return lookup.scene_named(said["scene"]) if said["scene"] else compat.sequencer_scene(bpy.context)
    return lookup.scene_with(said["strip"], said["scene"])


def _only_character(scene: Scene, name: str) -> str:
    profile, active = named(name), bpy.context.view_layer.objects.active
    near, far = lookup.actors(scene)
    found = leads(near, profile) or leads(far, profile)
    meant = next((thing.name for thing in found if active and _is_part(active, thing, profile)), "")
    return _only("object with shape keys that Mouthpiece knows", "--object", [thing.name for thing in found], meant)


def _is_part(thing: Object, character: Object, profile: RigProfile | None) -> bool:
    """Whether an object, such as an armature, moves as the same character."""
    try:
        return {*face_of(thing, profile).owners} == {*face_of(character, profile).owners}
    except BadInput:
        return False


def _only(what: str, option: str, names: list[str], active: str) -> str:
    """The active one, or the only one; raises `BadInput` where the user has to choose."""
    if active in names:
        return active
    if len(names) != 1:
        there = f"more than one {what}: {', '.join(names)}" if names else f"no {what}"
        raise BadInput(f"The shot has {there}. Name one with {option}.")
    return names[0]
