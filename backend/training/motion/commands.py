# SPDX-License-Identifier: GPL-3.0-or-later
"""What the training commands offer for annotated motion: options, and what they answer. `commands` calls this."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from backend.training.errors import ConfigError

if TYPE_CHECKING:
    from backend.training.readers.annotated import Split

    from .motion_set import MotionSet


def add_evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `evaluate MODEL --data PREPARED...`."""
    group = parser.add_argument_group("annotated motion")
    group.add_argument(
        "--data", type=Path, nargs="+", metavar="PREPARED", help="data sets made by `prepare --layout`, for one MODEL"
    )
    _add_space_argument(group)
    group.add_argument("--split", default="test", help="which clips: train, val, test, or BIWI's test-a and test-b")
    group.add_argument("--by-subject", action="store_true", help="a row for every subject too")
    group.add_argument("--by-clip", action="store_true", help="average over each clip first, as UniTalker's code does")
    group.add_argument("--model-unit", action="store_true", help="figures in the unit of UniTalker's code")
    group.add_argument("--styles", type=int, default=0, metavar="N", help="diversity between the first N identities")
    _add_mesh_argument(group)
    group.add_argument("--lips", action="append", default=[], metavar="SPACE=FILE", help="lip vertices of a FaceSpace")
    group.add_argument("--upper-face", action="append", default=[], metavar="SPACE=FILE", help="upper-face vertices")
    group.add_argument("--markdown", action="store_true", help="a markdown table")


def evaluate(arguments: argparse.Namespace) -> str:
    """The tables of one model on data sets."""
    from backend import catalogue, checkpoint

    from . import evaluate, meshes

    if len(arguments.sources) != 1:
        raise ConfigError("With --data, name one model: evaluate MODEL --data PREPARED.")
    options = evaluate.Options(
        _split(arguments.split),
        "clips" if arguments.by_clip else "frames",
        arguments.model_unit,
        arguments.by_subject,
        arguments.styles,
        meshes.MeshFiles(_files(arguments.mesh)),
        _files(arguments.lips),
        _files(arguments.upper_face),
    )
    loaded = checkpoint.load(catalogue.find_or_open(arguments.sources[0]))
    tables = evaluate.evaluate(loaded, _sets(arguments), options)
    form = "json" if arguments.json else "markdown" if arguments.markdown else "text"
    return evaluate.render(tables, form)


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `train` for configs of annotated motion."""
    group = parser.add_argument_group("annotated motion")
    _add_space_argument(group)
    group.add_argument("--new-decoder", action="store_true", help="of the model to begin with, keep the encoder only")
    _add_mesh_argument(group)
    group.add_argument("--face", action="append", default=[], metavar="SPACE=FILE", help="vertices that losses look at")


def _add_space_argument(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--space", metavar="NAME", help="what to call the controls of the data, as face space")


def _sets(arguments: argparse.Namespace) -> tuple[MotionSet, ...]:
    """The prepared data sets, their controls called as the user says."""
    from . import motion_set

    found = motion_set.read(arguments.data)
    return found if arguments.space is None else motion_set.in_space(found, arguments.space)


def _add_mesh_argument(group: argparse._ArgumentGroup) -> None:
    about = "FLAME file, or .npz of meanshape and blendshape, to compare vertices instead of numbers"
    group.add_argument("--mesh", action="append", default=[], metavar="SPACE=FILE", help=about)


def train(device: str, arguments: argparse.Namespace, table: dict[str, Any], path: Path) -> str:
    """Runs a config of annotated motion, given as the plain values of its file."""
    from backend import catalogue, checkpoint
    from backend.training import config

    from . import meshes, pretrained, train
    from .config import MotionConfig

    settings = config.parse(MotionConfig, pretrained.with_sizes(table), path)
    if arguments.watch is not None:
        raise ConfigError(
            f"{path} trains on annotated motion, which has validation clips of its own; leave --watch out."
        )
    if arguments.new_decoder and arguments.begin is None:
        raise ConfigError("--new-decoder says what to keep of a model; name it by --from.")
    begin = None if arguments.begin is None else checkpoint.load(catalogue.find_or_open(str(arguments.begin)))
    files = meshes.MeshFiles(_files(arguments.mesh), _files(arguments.face))
    sources = train.Sources(_sets(arguments), begin, arguments.new_decoder, files)
    best = train.train(
        settings, sources, arguments.run, arguments.output, device=device, tensorboard=arguments.tensorboard
    )
    return f"the best weights are in {best}" if arguments.output is None else f"the model is in {arguments.output}"


def _split(name: str) -> Split:
    from backend.training.readers.annotated import Split

    if name not in get_args(Split):
        raise ConfigError(f"There is no split {name}; choose one of {', '.join(get_args(Split))}.")
    return cast("Split", name)


def _files(words: list[str]) -> dict[str, Path]:
    """Files by FaceSpace."""
    files = {}
    for word in words:
        space, equals, file = word.partition("=")
        if not (space and equals and file):
            raise ConfigError(f"{word!r} names no region; write SPACE=FILE, for example BIWI_23370_vertices=lve.txt.")
        files[space] = Path(file)
    return files
