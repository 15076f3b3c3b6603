# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender -b SHOT.blend --command mouthpiece generate …``: the same job without an interface.

Exit codes: 0 done, 1 a failed run, 2 bad input. Everything for the user goes through `_say`.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn, TextIO

from . import batch, clip_command, generate_command, job, lookup, placing, session, training_clip
from .command import COMMAND
from .errors import BadInput, MouthpieceError


class _Parser(argparse.ArgumentParser):
    """Usage errors are errors like all others."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message[0].upper()}{message[1:]}; see {self.prog} --help.")


def run(arguments: Sequence[str]) -> int:
    """Run the command with what follows its name; gives the exit code."""
    options = argparse.Namespace(json="--json" in arguments, verbose="--verbose" in arguments)
    try:
        options = _parser().parse_args(list(arguments), options)
        return options.command(options)
    except SystemExit:  # --help, which has been printed
        return 0
    except BadInput as problem:
        return _complain(str(problem), options, 2)
    except MouthpieceError as problem:
        return _complain(str(problem), options, 1)
    except Exception as problem:  # noqa: BLE001 (the top of a process: one line instead of a traceback)
        return _complain(f"Something unexpected happened: {problem!r}.", options, 1)
    finally:
        session.current.close()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(f"blender -b SHOT.blend --command {COMMAND}", description="Lip sync for a shot.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    generate = commands.add_parser("generate", help="let a character speak a sound strip, and save the shot")
    generate.set_defaults(command=_generate)
    generate_command.add_arguments(generate)
    generate.add_argument("--output", type=Path, metavar="OUT.blend", help="where to save (default: the shot itself)")
    generate.add_argument("--json", action="store_true", help="report as one line of JSON")
    generate.add_argument("--verbose", action="store_true", help="show tracebacks")
    many = commands.add_parser("batch", help="many shots, strips and characters, as a job file says")
    many.set_defaults(command=_batch)
    many.add_argument("jobs", type=Path, metavar="JOBS.toml", help="which shots, and who speaks what in them")
    many.add_argument("--shots", default="", metavar="LIST", help="only those, counted from 1, such as 1-3,7")
    many.add_argument("--stop", action="store_true", help="leave the other shots where one has failed")
    many.add_argument("--json", action="store_true", help="report as one line of JSON")
    many.add_argument("--verbose", action="store_true", help="show tracebacks")
    clip = commands.add_parser("export-clip", help="save a character's animation with its sound, to train on")
    clip.set_defaults(command=_export_clip)
    clip_command.add_arguments(clip)
    return parser


def _generate(options: argparse.Namespace) -> int:
    save = generate_command.saver(options.output)
    choice, launch = generate_command.choice(vars(options))
    report = job.generate_lip_sync(choice, launch, session.current)
    _say_report(report, save(), options.json)
    return 0


def _batch(options: argparse.Namespace) -> int:
    shots = batch.read(options.jobs)
    shots = batch.picked(shots, options.shots) if options.shots else shots
    outcomes = batch.run(shots, session.current, stop=options.stop, tell=lambda one: _say_outcome(one, options.json))
    ok = len(outcomes) == len(shots) and all(outcome.ok for outcome in outcomes)
    if options.json:
        shown = [outcome.as_json() for outcome in outcomes]
        _say(json.dumps({"ok": ok, "shots": shown, "left": len(shots) - len(outcomes)}, ensure_ascii=False))
    return 0 if ok else 1


def _say_outcome(outcome: batch.Outcome, as_json: bool) -> None:
    """How a shot has ended, as soon as it has."""
    if outcome.error:
        _say(f"error: {outcome.file}: {outcome.error}", sys.stderr)
    elif not as_json:
        for report in outcome.lines:
            _say(report.sentence)
        _say(f"Saved {outcome.saved}")


def _export_clip(options: argparse.Namespace) -> int:
    scene = lookup.scene_with(options.strip, options.scene)
    strip = options.strip or generate_command.only_strip(scene)
    report = training_clip.export(clip_command.order(options, scene, strip))
    _say(json.dumps({"ok": True, **asdict(report)}, ensure_ascii=False) if options.json else report.sentence)
    return 0


def _say_report(report: placing.Report, path: str, as_json: bool) -> None:
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
