# SPDX-License-Identifier: GPL-3.0-or-later
"""What the training commands offer for DiffusionTalker: options, and what they answer. `commands` calls this."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from backend.training.errors import ConfigError


def train(device: str, arguments: argparse.Namespace, table: dict[str, Any], path: Path) -> str:
    """Runs a config of a teacher, given as the plain values of its file."""
    from backend import catalogue, checkpoint
    from backend.training import config
    from backend.training.motion import motion_set

    from . import train
    from .config import DiffusionConfig

    settings = config.parse(DiffusionConfig, table, path)
    if (
        arguments.watch is not None
        or arguments.new_decoder
        or arguments.space is not None
        or arguments.mesh
        or arguments.face
    ):
        raise ConfigError(
            f"{path} trains a diffusion model: leave --watch, --space, --mesh, --face, --new-decoder out."
        )
    begin = None if arguments.begin is None else checkpoint.load(catalogue.find_or_open(str(arguments.begin)))
    sources = train.Sources(motion_set.read(arguments.data), begin)
    best = train.train(
        settings, sources, arguments.run, arguments.output, device=device, tensorboard=arguments.tensorboard
    )
    return f"the best weights are in {best}" if arguments.output is None else f"the model is in {arguments.output}"


def add_distill_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `distill TEACHER`."""
    parser.add_argument("teacher", type=Path, metavar="TEACHER", help="model file that `train` made")
    parser.add_argument("--config", default="diffusion", help="a name in backend/configs or a toml file")
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="PREPARED", help="as for the teacher")
    parser.add_argument("--run", type=Path, required=True, help="folder of all stages; a run there goes on")
    parser.add_argument("--output", type=Path, help="model file of the last student")
    parser.add_argument("--set", action="append", default=[], metavar="ENTRY=VALUE", help="change a config entry")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to train")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 = torch decides")


def distill(device: str, arguments: argparse.Namespace, table: dict[str, Any], path: Path) -> str:
    """Runs the chain of students of a config; answers with a table of all of them."""
    from backend.training import config
    from backend.training.motion import motion_set

    from . import distill, stages, talker_model
    from .config import DiffusionConfig

    settings = config.parse(DiffusionConfig, table, path)
    teacher = talker_model.of_file(arguments.teacher)
    arguments.run.mkdir(parents=True, exist_ok=True)
    rows = distill.distill(
        settings, teacher, motion_set.read(arguments.data), arguments.run, arguments.output, device=device
    )
    return stages.table(rows)
