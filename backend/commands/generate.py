# SPDX-License-Identifier: GPL-3.0-or-later
"""``generate``: sound files in, motion files out."""

from __future__ import annotations

import math
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import terminal, transcripts, variants
from .terminal import BadInput
from .transcripts import Wish
from .variants import Variant

if TYPE_CHECKING:
    import numpy as np
    from backend.animating import Part
    from backend.checkpoint import LoadedModel
    from backend.motion_file import Motion
    from backend.phone_track import PhoneTrack
    from backend.planning import Plan, Request
    from tqdm import tqdm

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
    parser.add_argument("--fps", type=float, metavar="F", help="frames per second (default: the space's own)")
    variants.add_arguments(parser)
    transcripts.add_arguments(parser)
    terminal.add_flame(parser)
    terminal.add_device(parser)
    terminal.add_precision(parser)
    parser.add_argument(
        "--raw", action="store_true", help="the model's own numbers: no clamp, rest offset or audio levelling"
    )
    _add_performance(parser)


def _add_performance(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("models that diffuse")
    group.add_argument("--takes", type=int, metavar="N", help="performances to make at once: NAME.take1.npz, …")
    group.add_argument(
        "--seed", type=int, metavar="N", help="first take's number, the next take has the next (default: 0)"
    )
    group.add_argument("--steps", type=int, metavar="N", help="denoising steps (default: what the model was made for)")
    group.add_argument("--guidance", type=float, metavar="G", help="how far to follow the speech (default: 1)")
    group.add_argument(
        "--emotion",
        action="append",
        metavar="NAME=WEIGHT",
        help="how much of an emotion is felt, as happy=0.7; may be repeated to mix them (default: neutral)",
    )
    variants.add_styles(parser)


def run(arguments: Namespace) -> int:
    """Animate every sound; one that cannot be used does not keep the others from being done."""
    outputs = _outputs(arguments.audio, arguments.output, arguments.format)
    wanted = transcripts.wish(arguments)
    request = _request(arguments)
    loaded = _loaded(arguments)
    wishes = variants.of(arguments, request, loaded)
    code = 0
    for sound, output in outputs.items():
        try:
            _animate(loaded, wishes, wanted, sound, output)
        except BadInput as error:
            if len(outputs) == 1:
                raise
            terminal.complain(str(error))
            code = 2
    return code


def _request(arguments: Namespace) -> Request:
    from backend import emotions
    from backend.performance import Performance
    from backend.planning import Request

    with terminal.bad_input(ValueError):
        felt = emotions.from_texts(arguments.emotion) if arguments.emotion else None
        performance = Performance(arguments.steps, arguments.seed, arguments.takes, arguments.guidance, emotions=felt)
    return Request(fps=arguments.fps, raw=arguments.raw, performance=performance)


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


def _loaded(arguments: Namespace) -> LoadedModel:
    from backend import catalogue, checkpoint, device, machine, precision, trial
    from backend.foreign import flame_file

    machine.suit_machine()
    used = (catalogue.CatalogueError, checkpoint.CheckpointError, device.DeviceError, flame_file.FlameFileError)
    with terminal.bad_input(*used, precision.PrecisionError):
        loaded = checkpoint.load(catalogue.find_or_open(arguments.model, arguments.models))
        if arguments.flame is not None:
            loaded = loaded.with_flame(flame_file.mesh(arguments.flame))
        return trial.ready(loaded, arguments.device, arguments.precision)


def _animate(loaded: LoadedModel, wishes: Sequence[Variant], wanted: Wish, sound: Path, output: Path) -> None:
    from backend import audio, motion_file, planning
    from backend.phonetics.pronunciation import PronunciationError

    used = (audio.AudioError, planning.RequestError, motion_file.MotionFileError, PronunciationError)
    with terminal.bad_input(*used):
        motions = _motions(loaded, [variant.request for variant in wishes], wanted, sound)
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"The folder {output.parent} cannot be made ({error.strerror}).") from error
        for variant, takes in zip(wishes, motions, strict=True):
            for take, motion in enumerate(takes, 1):
                path = variant.file(output, None if variant.request.performance.takes is None else take)
                motion_file.write(path, motion)
                seconds = len(motion.values) / motion.fps
                terminal.say(
                    f"{path}: {len(motion.values)} frames of {motion.space} at {motion.fps:g} fps ({seconds:.2f} s)"
                )


def _motions(loaded: LoadedModel, requests: Sequence[Request], wanted: Wish, sound: Path) -> list[list[Motion]]:
    """Read, generate and gather every take of every request, with a progress bar."""
    from backend import animating, planning
    from backend.sound import Sound
    from tqdm import tqdm

    samples = Sound(sound)
    plans = [planning.plan(loaded, request) for request in requests]
    sizes = [Size(planned.frames(len(samples)), requests[0].performance.count) for planned in plans]
    for planned, size in zip(plans, sizes, strict=True):
        if not size.frames:
            raise BadInput(f"{sound} is too short for one frame at {planned.fps:g} frames per second.")
    parts = animating.animate_each(loaded, samples, plans, transcripts.listening(loaded, wanted, sound))
    with tqdm(total=sum(map(math.prod, sizes)), desc=sound.name, unit="frame", leave=False, disable=None) as bar:
        gathered, track = _gathered(parts, sizes, bar)
    if track is not None:
        transcripts.note(track, wanted, sound)
    return [
        [_motion(loaded, request, planned, track, take, values) for take, values in enumerate(motions)]
        for request, planned, motions in zip(requests, plans, gathered, strict=True)
    ]


def _motion(
    loaded: LoadedModel, request: Request, planned: Plan, track: PhoneTrack | None, take: int, values: np.ndarray
) -> Motion:
    """One take with everything that its file tells."""
    import json

    from backend import known_words, motion_file, planning

    about = planning.metadata(loaded, request, take) | known_words.about(track) | known_words.rows(track)
    text = json.dumps(about, ensure_ascii=False)
    return motion_file.Motion(planned.space.name, planned.fps, values, planned.channels, 0.0, text)


class Size(NamedTuple):
    """Of what one request gives."""

    frames: int
    takes: int


def _gathered(
    parts: Iterable[tuple[int, Part]], sizes: Sequence[Size], bar: tqdm
) -> tuple[list[list[np.ndarray]], PhoneTrack | None]:
    """The whole motion of every request and take, float32 [frames, ...], and the phones."""
    import numpy as np
    from backend.animating import Waiting
    from backend.pipeline import Chunk

    motions: list[list[np.ndarray]] = [[] for _ in sizes]
    track, most = None, sum(map(math.prod, sizes))
    for number, part in parts:
        match part:
            case Chunk():
                own, size = motions[number], sizes[number]
                if not own:
                    own += (np.empty((size.frames, *part.values.shape[1:]), np.float32) for _ in range(size.takes))
                own[part.take][part.start : part.start + len(part.values)] = part.values
                bar.update(min(len(part.values), most - bar.n))
            case Waiting():
                bar.update(part.frames)
            case _:
                track = part
    return motions, track
