# SPDX-License-Identifier: GPL-3.0-or-later
"""``generate``: sound files in, motion files out."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from . import terminal
from .terminal import BadInput

if TYPE_CHECKING:
    from backend.checkpoint import LoadedModel
    from backend.motion_file import Motion
    from backend.pipeline import Request

FORMATS = ("npz", "csv", "json")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("audio", nargs="+", type=Path, metavar="AUDIO", help="sound file: wav, flac, ogg, mp3, aiff, …")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="PATH",
        help="motion file, or the folder for one per sound (default: NAME.npz in the current folder)",
    )
    parser.add_argument("--format", choices=FORMATS, help="kind of motion file (default: the output's ending, or npz)")
    parser.add_argument("--model", default="default", metavar="NAME|FILE", help="name of a model, or a model file")
    terminal.add_model_folders(parser)
    parser.add_argument("--space", default="", metavar="NAME", help="face space (default: the model's first)")
    parser.add_argument("--fps", type=float, metavar="F", help="frames per second (default: the space's own)")
    parser.add_argument(
        "--identity", default="pivot", metavar="NAME|N|pivot", help="whose way of speaking: a name, a row, or pivot"
    )
    terminal.add_device(parser)
    parser.add_argument(
        "--raw", action="store_true", help="the model's own numbers: no clamp, rest offset or audio levelling"
    )


def run(arguments: Namespace) -> int:
    """Animate every sound; one that cannot be used does not keep the others from being done."""
    from backend.pipeline import Request

    outputs = _outputs(arguments.audio, arguments.output, arguments.format)
    request = Request(arguments.space, arguments.fps, arguments.identity, arguments.raw)
    loaded = _loaded(arguments, request)
    code = 0
    for sound, output in outputs.items():
        try:
            _animate(loaded, request, sound, output)
        except BadInput as error:
            if len(outputs) == 1:
                raise
            terminal.complain(str(error))
            code = 2
    return code


def _outputs(sounds: list[Path], output: Path | None, wanted: str | None) -> dict[Path, Path]:
    """Where the motion of each sound goes. Raises `BadInput` for names that clash or do not fit."""
    if output is not None and len(sounds) == 1 and not output.is_dir():
        return {sounds[0]: _motion_file(output, wanted)}
    folder = output or Path()
    if folder.is_file():
        raise BadInput(f"{folder} is a file; name a folder for the motion of {len(sounds)} sounds.")
    outputs = {sound: folder / f"{sound.stem}.{wanted or 'npz'}" for sound in sounds}
    if len(set(outputs.values())) < len(sounds):
        raise BadInput("Two of the sounds have the same name; animate them one at a time, each with its own --output.")
    return outputs


def _motion_file(output: Path, wanted: str | None) -> Path:
    from backend import motion_file

    with terminal.bad_input(motion_file.MotionFileError):
        ending = motion_file.checked_format(output)
    if wanted not in (None, ending):
        raise BadInput(f"{output} does not end in .{wanted}; change the ending or leave --format out.")
    return output


def _loaded(arguments: Namespace, request: Request) -> LoadedModel:
    from backend import catalogue, checkpoint, device, pipeline

    with terminal.bad_input(
        catalogue.CatalogueError, checkpoint.CheckpointError, device.DeviceError, pipeline.RequestError
    ):
        loaded = checkpoint.load(catalogue.find_or_open(arguments.model, arguments.models))
        loaded.model.to(device.choose(arguments.device))
        pipeline.plan(loaded, request)
    return loaded


def _animate(loaded: LoadedModel, request: Request, sound: Path, output: Path) -> None:
    from backend import audio, motion_file, pipeline

    with terminal.bad_input(audio.AudioError, pipeline.RequestError, motion_file.MotionFileError):
        motion = _motion(loaded, request, sound)
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"The folder {output.parent} cannot be made ({error.strerror}).") from error
        motion_file.write(output, motion)
    seconds = len(motion.values) / motion.fps
    terminal.say(f"{output}: {len(motion.values)} frames of {motion.space} at {motion.fps:g} fps ({seconds:.2f} s)")


def _motion(loaded: LoadedModel, request: Request, sound: Path) -> Motion:
    """Decode, generate and gather, with a progress bar."""
    import json

    import numpy as np
    from backend import audio, motion_file, pipeline
    from tqdm import tqdm

    samples = audio.decode(sound)
    planned = pipeline.plan(loaded, request)
    frames = planned.frames(len(samples))
    if not frames:
        raise BadInput(f"{sound} is too short for one frame at {planned.fps:g} frames per second.")
    with tqdm(total=frames, desc=sound.name, unit="frame", leave=False, disable=None) as bar:
        pieces = []
        for chunk in pipeline.generate(loaded, samples, planned):
            pieces.append(chunk.values)
            bar.update(len(chunk.values))
    metadata = json.dumps(pipeline.metadata(loaded, request), ensure_ascii=False)
    space = planned.space
    return motion_file.Motion(space.name, planned.fps, np.concatenate(pieces), space.channels, 0.0, metadata)
