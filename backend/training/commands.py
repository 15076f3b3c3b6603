# SPDX-License-Identifier: GPL-3.0-or-later
"""The training commands of `python -m backend`: their options, and what they answer.

Only the command line imports this. Every `run` returns the text to show and raises TrainingError with one sentence.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import readers
from .diffusion import commands as diffusion
from .diffusion.measure import commands as chain
from .errors import ConfigError
from .miniature import commands as miniature
from .motion import commands as motion

if TYPE_CHECKING:
    from .lips.evaluate import Wanted

CONFIGS = Path(__file__).parents[1] / "configs"


@dataclass(frozen=True)
class Command:
    """One command; torch and the speech engines are imported only when it runs."""

    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], str]


def _synthesize_arguments(parser: argparse.ArgumentParser) -> None:
    about = "where the corpus goes; a corpus begun there is finished"
    parser.add_argument("folder", type=Path, metavar="FOLDER", help=about)
    about = "voices and numbers: a name in backend/configs or a file (default: corpus)"
    parser.add_argument("--config", default="corpus", metavar="NAME|FILE", help=about)
    about = "share of the config's sentences to make (default: 1)"
    parser.add_argument("--scale", type=float, default=1.0, metavar="F", help=about)
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="other numbers draw other sentences (default: 1)"
    )
    about = "end where a voice is missing, and name the packages to install, instead of leaving the voice out"
    parser.add_argument("--strict", action="store_true", help=about)
    _add_processes(parser)


def _synthesize(arguments: argparse.Namespace) -> str:
    from .speech import synthesize

    _check_processes(arguments.processes)
    if not 0 < arguments.scale < math.inf:
        raise ConfigError(f"--scale is {arguments.scale:g}; it must be more than 0.")
    utterances = list(synthesize.plan(synthesize.read_plan(_config(arguments.config)), arguments.seed, arguments.scale))
    missing = synthesize.missing_voices(utterances, strict=arguments.strict)
    possible = [
        (name, prompt) for name, prompt in utterances if (prompt.engine, prompt.voice.split("+")[0]) not in missing
    ]
    made = synthesize.synthesize(arguments.folder, possible, arguments.processes)
    left_out = "".join(f"\nleft out {engine} {voice}: {why}" for (engine, voice), why in missing.items())
    return f"{made} recordings in {arguments.folder}{left_out}"


def _collect_arguments(parser: argparse.ArgumentParser) -> None:
    _add_packages(parser)
    about = "the model that listens: a name or its file (default: default)"
    parser.add_argument("--model", default="default", metavar="NAME|FILE", help=about)
    _add_processes(parser)


def _unspoken_arguments(parser: argparse.ArgumentParser) -> None:
    _add_packages(parser)
    about = "pieces of music to play, of half a minute each; FluidSynth plays them (default: 120)"
    parser.add_argument("--pieces", type=int, default=120, metavar="N", help=about)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="other numbers make other music (default: 1)")
    about = "the instruments to play it on, a .sf2 (default: that of Debian's fluid-soundfont-gm)"
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help=about)


def _unspoken(arguments: argparse.Namespace) -> str:
    from .speech import unspoken

    if arguments.pieces < 0:
        raise ConfigError(f"--pieces is {arguments.pieces}; it must be 0 or more.")
    soundfont = arguments.soundfont or unspoken.SOUNDFONT
    found = unspoken.find(arguments.packages)
    minutes = unspoken.write(found, arguments.pieces, arguments.folder, arguments.seed, soundfont)
    return f"{minutes:.0f} minutes of sounds without speech in {arguments.folder}"


def _add_packages(parser: argparse.ArgumentParser) -> None:
    about = "folder that Debian packages were unpacked into"
    parser.add_argument("packages", type=Path, metavar="PACKAGES", help=about)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the corpus goes")


def _add_processes(parser: argparse.ArgumentParser, about: str = "work side by side") -> None:
    count = max((os.cpu_count() or 2) - 1, 1)
    parser.add_argument("--processes", type=int, default=count, metavar="N", help=f"{about} (default: %(default)s)")


def _check_processes(count: int) -> None:
    if count < 1:
        raise ConfigError(f"--processes is {count}; it must be 1 or more.")


def _collect(arguments: argparse.Namespace) -> str:
    from .speech import collect, packages

    _check_processes(arguments.processes)
    kept, left_out = collect.collect(
        packages.find(arguments.packages), arguments.folder, arguments.processes, arguments.model
    )
    return f"{kept} sounds in {arguments.folder}; {left_out} that do not fit their words were left out"


def _prepare_arguments(parser: argparse.ArgumentParser) -> None:
    about = "folders with a manifest.jsonl, or LibriSpeech with TextGrids; with --layout, one published data set"
    parser.add_argument("folders", type=Path, nargs="+", help=about)
    parser.add_argument("--output", type=Path, required=True, help="folder of the training set")
    parser.add_argument("--layout", help=f"layout of a published data set: {', '.join(readers.LAYOUTS)}")
    parser.add_argument("--name", help="with --layout: another name for the data set")
    parser.add_argument("--strict", action="store_true", help="with --layout: end at the first broken item")
    parser.add_argument("--half", action="store_true", help="with --layout: motion in float16, half the disk")
    parser.add_argument("--components", type=int, default=512, help="with --layout: size of the PCA basis; 0 = none")
    _add_processes(parser, "without --layout: work side by side")


def _prepare(arguments: argparse.Namespace) -> str:
    if arguments.layout is not None:
        return _prepare_motion(arguments)
    from .lips.prepare import prepare

    _check_processes(arguments.processes)
    made, left_out = prepare(arguments.folders, arguments.output, arguments.processes)
    return "\n".join([f"{made} recordings in {arguments.output}", *left_out])


def _prepare_motion(arguments: argparse.Namespace) -> str:
    from .motion import prepare

    if len(arguments.folders) != 1:
        raise ConfigError("With --layout, one folder is prepared at a time; name the others in runs of their own.")
    if arguments.components < 0:
        raise ConfigError(f"--components is {arguments.components}; it must be 0 or more.")
    options = prepare.Options(arguments.strict, arguments.half, arguments.components)
    return prepare.table(
        prepare.prepare(arguments.layout, arguments.folders[0], arguments.output, options, arguments.name)
    )


def _train_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", help="a name in backend/configs or a toml file (default, or own_rig with --space)")
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="PREPARED", help="made by `prepare`")
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints and log; a run there goes on")
    parser.add_argument("--output", type=Path, help="model file to write from the best step")
    parser.add_argument("--last", action="store_true", help="speech: write the last step's weights instead")
    parser.add_argument("--watch", type=Path, help="aligned recordings to choose the best step by; never trained on")
    parser.add_argument("--from", type=Path, dest="begin", metavar="MODEL", help="model file to begin with")
    parser.add_argument("--set", action="append", default=[], metavar="ENTRY=VALUE", help="change a config entry")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to train")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 = torch decides")
    parser.add_argument("--tensorboard", action="store_true", help="write the curves for TensorBoard too")
    motion.add_train_arguments(parser)


def _train(arguments: argparse.Namespace) -> str:
    return _with_device(arguments, _train_on)


def _average_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="model files of runs that began alike")
    about = "recordings to choose by: of all means of one or more of the models, the one that reads them best"
    parser.add_argument("--watch", type=Path, metavar="FOLDER", help=about)
    parser.add_argument("--output", type=Path, required=True, help="model file to write")


def _average(arguments: argparse.Namespace) -> str:
    from .averaging import average

    if len(arguments.models) < 2:
        raise ConfigError("One model is its own mean; name two or more.")
    if arguments.watch is not None:
        return _average_by(arguments.watch, arguments)
    average(arguments.models, arguments.output)
    return f"the mean of {len(arguments.models)} models is in {arguments.output}"


def _average_by(watched: Path, arguments: argparse.Namespace) -> str:
    from .lips import choosing

    if len(arguments.models) > choosing.MOST:
        raise ConfigError(f"With --watch, name at most {choosing.MOST} models; all their means are tried.")
    means = choosing.choose(arguments.models, watched, arguments.output)
    return f"{choosing.table(means)}\n\nthe mean of {means[0].name} is in {arguments.output}"


def _distill(arguments: argparse.Namespace) -> str:
    from .config import read_table

    path = _config(arguments.config)
    table = read_table(path, arguments.set)
    if table.get("kind") != "diffusion":
        raise ConfigError(f'{path} is no config of a diffusion model; one has kind = "diffusion".')
    return _with_device(arguments, lambda device, arguments: diffusion.distill(device, arguments, table, path))


def _with_device(arguments: argparse.Namespace, work: Callable[[str, argparse.Namespace], str]) -> str:
    """The answer of work on the device of the options, alone or as one of torchrun's processes."""
    import torch
    from backend import device, machine

    from . import processes

    machine.keep_freed_memory(machine.ALL)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        chosen = device.choose(arguments.device)
    except device.DeviceError as error:
        raise ConfigError(str(error)) from error
    with processes.joined(chosen) as own:
        answer = work(own, arguments)
        return answer if processes.is_first() else ""


def _train_on(device: str, arguments: argparse.Namespace) -> str:
    from . import processes
    from .config import parse, read_table
    from .lips import train
    from .lips.config import TrainingConfig

    path = _config(arguments.config or ("default" if arguments.space is None else "own_rig"))
    table = read_table(path, arguments.set)
    if table.get("kind") == "motion":
        return motion.train(device, arguments, table, path)
    if table.get("kind") == "diffusion":
        return diffusion.train(device, arguments, table, path)
    if arguments.space is not None:
        raise ConfigError(f"{path} trains on speech, which has no controls to name by --space; choose own_rig.")
    if len(arguments.data) != 1:
        raise ConfigError(f"{path} trains on one folder of speech; name one after --data.")
    settings = parse(TrainingConfig, table, path)
    sources = train.Sources(arguments.data[0], arguments.watch, arguments.begin)
    best = train.train(settings, sources, arguments.run, device=device, tensorboard=arguments.tensorboard)
    if arguments.output is None:
        return f"the best weights are in {best}"
    if processes.is_first():
        train.export(settings, best.parent, arguments.output, last=arguments.last)
    return f"the model is in {arguments.output}"


def _evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    about = "corpora, or folders of NAME.json beside NAME.flac; with --data, the model"
    parser.add_argument("sources", nargs="*", help=about)
    parser.add_argument("--model", default="default", help="without --data: a model's name or its file")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    about = "of a corpus that has it, only this source or speaker"
    parser.add_argument("--only", default="", metavar="SOURCE|SPEAKER", help=about)
    _add_row_arguments(parser.add_argument_group("further rows for each corpus"))
    _add_rest_arguments(parser.add_argument_group("sounds without speech, where a mouth should rest"))
    parser.add_argument(
        "--transcripts",
        type=Path,
        metavar="FOLDER",
        help="with and without known words: NAME.txt, or a manifest's text",
    )
    motion.add_evaluate_arguments(parser)
    chain.add_arguments(parser)


def _add_row_arguments(group: argparse._ArgumentGroup) -> None:
    fields = ("language", "speaker", "source", "effort")
    about = f"one for each value of one of {', '.join(fields)}; of several, for each combination"
    group.add_argument("--by", nargs="+", default=[], choices=fields, metavar="FIELD", help=about)
    about = "one for each of these, with all recordings but those from it"
    group.add_argument("--without", nargs="+", default=[], metavar="SOURCE", help=about)
    about = "what the rules that the model learns from reach themselves, given the true phones"
    group.add_argument("--rules", action="store_true", help=about)
    group.add_argument("--noise", type=float, nargs="+", default=[], metavar="DB", help="with white noise")
    group.add_argument("--effort", action="store_true", help="the same recordings whispered, and shouted")


def _add_rest_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--sounds", action="store_true", help="made by the generators that training draws from")
    about = "recordings that nobody speaks in: a row for each file that is named, and for each folder with all below"
    group.add_argument("--recorded", type=Path, nargs="+", default=[], metavar="FILE|FOLDER", help=about)


def _evaluate(arguments: argparse.Namespace) -> str:
    if arguments.teacher is not None:
        return chain.evaluate(arguments)
    if arguments.data is not None:
        return motion.evaluate(arguments)
    if not (arguments.sources or arguments.sounds or arguments.recorded):
        raise ConfigError("Name a corpus to measure with, or sounds without speech by --sounds or --recorded.")
    from backend import catalogue, checkpoint

    from .lips import evaluate, known_words

    loaded = checkpoint.load(catalogue.find_or_open(arguments.model))
    folders = tuple(Path(source) for source in arguments.sources)
    if arguments.transcripts is not None:
        figures = known_words.evaluate(loaded, folders, arguments.transcripts, arguments.only)
        return evaluate.as_json(figures) if arguments.json else known_words.table(figures)
    figures = evaluate.evaluate(loaded, _wanted(folders, arguments))
    return evaluate.as_json(figures) if arguments.json else evaluate.table(figures)


def _wanted(folders: tuple[Path, ...], arguments: argparse.Namespace) -> Wanted:
    from .lips.evaluate import Wanted

    return Wanted(
        folders,
        only=arguments.only,
        by=tuple(arguments.by),
        without=tuple(arguments.without),
        rules=arguments.rules,
        noise=tuple(arguments.noise),
        effort=arguments.effort,
        sounds=arguments.sounds,
        recorded=tuple(arguments.recorded),
    )


def _config(name: str) -> Path:
    """A config that ships, by name, or a file of the user's."""
    shipped = CONFIGS / f"{name}.toml"
    path = shipped if shipped.is_file() else Path(name)
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in CONFIGS.glob("*.toml")))
        raise ConfigError(f"There is no config {name}; name a toml file or one of {known}.")
    return path


COMMANDS: dict[str, Command] = {
    "synthesize": Command(_synthesize_arguments, _synthesize),
    "collect": Command(_collect_arguments, _collect),
    "unspoken": Command(_unspoken_arguments, _unspoken),
    "prepare": Command(_prepare_arguments, _prepare),
    "train": Command(_train_arguments, _train),
    "average": Command(_average_arguments, _average),
    "distill": Command(diffusion.add_distill_arguments, _distill),
    "evaluate": Command(_evaluate_arguments, _evaluate),
    "experiments": Command(miniature.add_arguments, miniature.run),
}
