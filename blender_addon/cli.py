# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender -b SHOT.blend --command mouthpiece generate …``: the same job without an interface.

Exit codes: 0 done, 1 a failed run, 2 bad input. Everything for the user goes through `_say`.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TextIO

import bpy

from . import audio, clip_command, job, preferences, session, training_clip
from .environment import Launch
from .errors import BadInput, MouthpieceError
from .job import Choice
from .placing import Report
from .rig.face import face_of
from .writing import arguments as writing

COMMAND = "mouthpiece"


def run(arguments: Sequence[str]) -> int:
    """Run the command with what follows its name; gives the exit code."""
    try:
        options = _parser().parse_args(list(arguments))
    except SystemExit as leaving:  # --help, or arguments that argparse has already complained about
        return leaving.code if isinstance(leaving.code, int) else 2
    try:
        return options.command(options)
    except BadInput as problem:
        return _complain(str(problem), options, 2)
    except MouthpieceError as problem:
        return _complain(str(problem), options, 1)
    except Exception as problem:  # noqa: BLE001 (the top of a process: one line instead of a traceback)
        return _complain(f"Something unexpected happened: {problem!r}.", options, 1)
    finally:
        session.current.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"blender -b SHOT.blend --command {COMMAND}", description="Lip sync for a shot.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    generate = commands.add_parser("generate", help="let a character speak a sound strip, and save the shot")
    generate.set_defaults(command=_generate)
    generate.add_argument("--strip", default="", metavar="NAME", help="the sound strip (default: the active one)")
    generate.add_argument("--object", default="", metavar="NAME", help="the character (default: the active one)")
    generate.add_argument("--model", default="default", help="a model's name or file (default: %(default)s)")
    generate.add_argument("--space", default="", metavar="NAME", help="a face space of the model (default: its first)")
    generate.add_argument("--identity", default="pivot", help="a style's name or number (default: %(default)s)")
    generate.add_argument("--strength", default=1.0, type=float, metavar="F", help="factor on the motion (default: 1)")
    generate.add_argument("--action", default="", metavar="NAME", help="name of the new action")
    writing.add(generate)
    generate.add_argument("--output", type=Path, metavar="OUT.blend", help="where to save (default: the shot itself)")
    generate.add_argument("--json", action="store_true", help="report as one line of JSON")
    generate.add_argument("--verbose", action="store_true", help="show tracebacks")
    clip = commands.add_parser("export-clip", help="save a character's animation with its sound, to train on")
    clip.set_defaults(command=_export_clip)
    clip_command.add_arguments(clip)
    return parser


def _generate(options: argparse.Namespace) -> int:
    save = _saver(options.output)
    scene = bpy.context.scene
    model, launch = model_and_launch(options.model)
    choice = Choice(
        scene=scene.name,
        strip=options.strip or _only_strip(scene),
        character=options.object or _only_character(scene),
        model=model,
        space=options.space,
        identity=options.identity,
        strength=options.strength,
        action=options.action,
        writing=writing.parsed(vars(options)),
    )
    report = job.generate_lip_sync(choice, launch, session.current)
    _say_report(report, save(), options.json)
    return 0


def model_and_launch(name: str) -> tuple[str, Launch]:
    """A model's name, and a backend that knows it; of a model's file, the backend is told the folder."""
    launch, path = preferences.launch(), Path(name)
    if path.suffix != ".safetensors":
        return name, launch
    if not path.is_file():
        raise BadInput(f"There is no model file {path}.")
    return path.stem, replace(launch, command=(*launch.command, "--models", str(path.absolute().parent)))


def _export_clip(options: argparse.Namespace) -> int:
    strip = options.strip or _only_strip(bpy.context.scene)
    report = training_clip.export(clip_command.order(options, strip))
    _say(json.dumps({"ok": True, **asdict(report)}, ensure_ascii=False) if options.json else report.sentence)
    return 0


def _only_strip(scene: bpy.types.Scene) -> str:
    names = [strip.name for strip in audio.sound_strips(scene)]
    active = getattr(scene.sequence_editor, "active_strip", None)
    return _only("sound strip", "--strip", names, active.name if active else "")


def _only_character(scene: bpy.types.Scene) -> str:
    names = [thing.name for thing in scene.objects if _is_character(thing)]
    active = bpy.context.view_layer.objects.active
    return _only("object with shape keys that Mouthpiece knows", "--object", names, active.name if active else "")


def _is_character(thing: bpy.types.Object) -> bool:
    try:
        return bool(face_of(thing))
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


def _saver(output: Path | None) -> Callable[[], str]:
    """What saves the shot and gives the file's path; raises `BadInput` where there is nowhere to save it."""
    if output is None and not bpy.data.filepath:
        raise BadInput("No shot is open. Name one before --command, or a new file with --output.")
    path = Path(output or bpy.data.filepath).absolute()
    if not path.parent.is_dir():
        raise BadInput(f"The folder of {path} does not exist.")

    def save() -> str:
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=output is not None, check_existing=False)
        except RuntimeError as problem:
            raise MouthpieceError(f"The shot could not be saved: {problem}") from problem
        return str(path)

    return save


def _say_report(report: Report, path: str, as_json: bool) -> None:
    if as_json:
        _say(json.dumps({"ok": True, **asdict(report), "saved": path}, ensure_ascii=False))
        return
    _say(report.sentence)
    for warning in report.warnings:
        _say(f"warning: {warning}")
    for name in report.moved:
        _say(f"note: “{name}” now plays from an NLA track.")
    _say(f"Saved {path}")


def _complain(sentence: str, options: argparse.Namespace, code: int) -> int:
    if options.verbose:
        traceback.print_exc()
    if options.json:
        _say(json.dumps({"ok": False, "error": sentence}, ensure_ascii=False))
    _say(f"error: {sentence}", sys.stderr)
    return code


def _say(line: str, stream: TextIO | None = None) -> None:
    chosen: TextIO = sys.stdout if stream is None else stream
    chosen.write(f"{line}\n")
    chosen.flush()


_registered: list[object] = []


def register() -> None:
    """Make the command known to Blender."""
    _registered.append(bpy.utils.register_cli_command(COMMAND, run))


def unregister() -> None:
    """Take it back."""
    while _registered:
        bpy.utils.unregister_cli_command(_registered.pop())
