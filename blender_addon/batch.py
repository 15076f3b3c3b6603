# SPDX-License-Identifier: GPL-3.0-or-later
"""Many shots in one run, as a job file says: each is opened, spoken line by line, and saved."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bpy

from . import casting, generate_command, job, lookup
from .casting import Rule
from .errors import BadInput, MouthpieceError, show, unforeseen
from .placing import Report
from .session import Session
from .wording import first_line

SHOT_WORDS = {"file", "output", "by", "lines"}
"""What a shot says about itself; everything else is said of all its lines."""
FILES = ("audio", "export", "phones", "visemes")
"""Words that name files, which count from the job file's folder."""
WRITTEN = ("export", "phones")
"""Those of them that a line writes."""
MAYBE_FILES = ("model", "profile", "style_from", "transcript")
"""Words that name files where there is one of that name, and something else where there is none."""


@dataclass(frozen=True)
class Shot:
    """One .blend file and who speaks what in it."""

    file: Path
    output: Path | None
    """Where the result is saved; None: in the file itself."""
    by: Rule | None
    """Finds who speaks which strip; None where `lines` say it."""
    lines: tuple[Mapping[str, Any], ...]
    """What is said of each line, with all of `generate_command.words`; with `by` one, said of all lines."""


@dataclass(frozen=True)
class Outcome:
    """What came of a shot; one that has failed is as it was."""

    file: str
    saved: str = ""
    lines: tuple[Report, ...] = ()
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was saved."""
        return not self.error

    def as_json(self) -> dict[str, Any]:
        """The same for a report."""
        return {"ok": self.ok, **asdict(self)}


def read(path: Path) -> tuple[Shot, ...]:
    """The shots of a job file; paths in it count from its own folder.

    Raises `BadInput` where it cannot be read or says something that cannot be meant.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadInput(f"The job file {path} cannot be read: {problem.strerror}.") from problem
    except (ValueError, RecursionError) as problem:
        raise BadInput(f"The job file {path} cannot be read: {problem}.") from problem
    shots = data.pop("shots", [])
    defaults = data.pop("defaults", {})
    if data or not shots or not _are_tables(shots) or not isinstance(defaults, dict):
        raise BadInput(f"The job file {path} needs [[shots]], and may have [defaults]; nothing else.")
    found = tuple(_shot(shot, defaults, path.absolute().parent) for shot in shots)
    _check_written(found)
    return found


def picked(shots: Sequence[Shot], numbers: str) -> tuple[Shot, ...]:
    """The shots with these numbers, counted from 1: a list such as ``1-3,7``. Raises `BadInput`."""
    try:
        parts = [part.partition("-") for part in numbers.split(",")]
        bounds = [(int(first), int(last or first)) for first, _, last in parts]
    except ValueError as problem:
        raise BadInput(f"--shots is {numbers}; write numbers and ranges, such as 1-3,7.") from problem
    if not all(1 <= first <= last <= len(shots) for first, last in bounds):
        raise BadInput(f"--shots is {numbers}, but the job file has the shots 1 to {len(shots)}.")
    return tuple(shot for number, shot in enumerate(shots, 1) if any(first <= number <= last for first, last in bounds))


def run(shots: Sequence[Shot], session: Session, *, stop: bool, tell: Callable[[Outcome], None]) -> list[Outcome]:
    """Do all shots, or with `stop` those up to the first that fails; `tell` hears of each as it ends."""
    outcomes: list[Outcome] = []
    for shot in shots:
        try:
            outcome = _do(shot, session)
        except MouthpieceError as problem:
            outcome = Outcome(str(shot.file), error=str(problem))
        except Exception as fault:  # noqa: BLE001 (the top of a shot: the others go on)
            show(fault)
            outcome = Outcome(str(shot.file), error=str(unforeseen(fault)))
        tell(outcome)
        outcomes.append(outcome)
        if stop and not outcome.ok:
            break
    return outcomes


def _do(shot: Shot, session: Session) -> Outcome:
    try:
        bpy.ops.wm.open_mainfile(filepath=str(shot.file), load_ui=False)
    except RuntimeError as problem:
        raise BadInput(f"The shot cannot be opened: {first_line(problem)}.") from problem
    save = generate_command.saver(shot.output)
    reports: list[Report] = []
    for line in _cast(shot) if shot.by else shot.lines:
        choice, launch = generate_command.choice(line)
        reports.append(job.generate_lip_sync(choice, launch, session))
    return Outcome(str(shot.file), save(), tuple(reports))


def _cast(shot: Shot) -> list[Mapping[str, Any]]:
    """A line for every strip that somebody speaks."""
    said = shot.lines[0]
    scene = lookup.scene_with("", said["scene"])
    roles, _ = casting.cast_by(shot.by or Rule.NAME, scene)
    if not roles:
        raise BadInput(
            "No strip of the shot has a speaker by that rule. Name strips or channels after characters, or use lines."
        )
    return [{**said, "scene": scene.name, "strip": role.strip, "object": role.character} for role in roles]


def _are_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _shot(data: Mapping[str, Any], defaults: Mapping[str, Any], folder: Path) -> Shot:
    if not isinstance(data.get("file"), str):
        raise BadInput("A shot in the job file has no `file`. Name its .blend there.")
    said = {**defaults, **{word: value for word, value in data.items() if word not in SHOT_WORDS}}
    by = data.get("by")
    if by not in (None, *Rule):
        raise BadInput(f"Speakers cannot be found by “{by}”. There are: {', '.join(Rule)}.")
    lines = data.get("lines", [{}])
    if by and "lines" in data:
        raise BadInput(f"The shot {data['file']} says both `by` and `lines`. Choose one.")
    if not _are_tables(lines):
        raise BadInput(f"The `lines` of {data['file']} are no list. Write each below [[shots.lines]].")
    output = folder / str(data["output"]) if "output" in data else None
    if output is not None:
        generate_command.check_output(output)
    found = tuple(_line({**said, **line}, folder) for line in lines)
    return Shot(folder / data["file"], output, Rule(by) if by else None, found)


def _check_written(shots: Sequence[Shot]) -> None:
    """Raises `BadInput` where a motion or phones would be saved over others."""
    written = [(line[word], shot.by) for shot in shots for line in shot.lines for word in WRITTEN if line[word]]
    times = Counter(file for file, _ in written)
    for file, by in written:
        if by or times[file] > 1:
            raise BadInput(
                f"{file} would be written more than once. Give each of [[shots.lines]] an `export` and `phones` of its "
                "own."
            )


def _line(said: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """All words of a line; those of files count from the job file's folder."""
    known = generate_command.words()
    strange = [word for word in said if word not in known]
    if strange:
        raise BadInput(f"The job file says “{strange[0]}”, which means nothing. There are: {', '.join(known)}.")
    for word, value in said.items():
        if not isinstance(value, type(known[word]) | (int if isinstance(known[word], float) else type(known[word]))):
            raise BadInput(f"The job file says {word} = {value!r}; it is {type(known[word]).__name__}.")
    whole = {**known, **said}
    files = {word: str(folder / whole[word]) for word in (*FILES, *MAYBE_FILES) if whole[word]}
    whole |= {word: path for word, path in files.items() if word in FILES or _is_file(path)}
    generate_command.check(whole)
    return whole


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a text that is no name of a file
        return False
