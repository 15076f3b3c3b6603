# SPDX-License-Identifier: GPL-3.0-or-later
"""Flamenco 3 as far as a job type sees it: Manager compiles its script, a worker runs the tasks.

Written to Flamenco's documentation (flamenco.blender.org: Job Types, List of Commands, Variables). Flamenco's engine is
goja, in strict mode; here it is QuickJS.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import quickjs

HOST = Path(__file__).with_name("compiler.js")


class Refused(Exception):
    """The script has thrown; its message."""


@dataclass(frozen=True)
class Task:
    """What Manager keeps of a task."""

    uuid: str
    name: str
    type: str
    commands: tuple[Mapping[str, Any], ...]
    needs: tuple[str, ...]


class Compiler:
    """Manager with one script."""

    def __init__(self, script: Path) -> None:
        self._engine = quickjs.Context()
        self._engine.add_callable("python", self._answer)
        self._engine.eval(f'"use strict";\n{HOST.read_text("utf-8")}\n{script.read_text("utf-8")}')

    @property
    def job_type(self) -> dict[str, Any]:
        """The script's `JOB_TYPE`."""
        return json.loads(self._engine.eval("JSON.stringify(JOB_TYPE)"))

    def compile(self, **settings: Any) -> list[Task]:
        """The tasks of a job with these settings, the defaults for all others; raises `Refused`."""
        told = {one["key"]: one["default"] for one in self.job_type["settings"] if "default" in one}
        job = {"name": "a job", "created": "2026-03-07T08:09:10", "settings": told | settings}
        try:
            tasks = json.loads(self._engine.eval(f"compiled({json.dumps(json.dumps(job))})"))
        except quickjs.JSException as problem:
            raise Refused(str(problem)) from problem
        return [Task(**one | {"commands": tuple(one["commands"]), "needs": tuple(one["needs"])}) for one in tasks]

    def _answer(self, what: str, values: str) -> str:
        try:
            return json.dumps({"value": ANSWERS[what](*json.loads(values))})
        except ValueError as problem:
            return json.dumps({"error": str(problem)})


def frame_chunks(text: str, size: int) -> list[str]:
    """A list of frames such as "1-10, 20" in pieces of at most `size` frames."""
    frames: set[int] = set()
    for part in (text or "").replace("..", "-").split(","):
        first, _, last = part.partition("-")
        frames.update(range(int(first), int(last or first) + 1))
    rows = sorted(frames)
    return [_merged(rows[start : start + size]) for start in range(0, len(rows), size)]


def _merged(frames: Sequence[int]) -> str:
    """Frames with runs of three and more as ranges."""
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame == runs[-1][-1] + 1:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)


ANSWERS = {
    "frameChunker": frame_chunks,
    "shellSplit": shlex.split,
    "formatTimestampLocal": lambda time: time.replace("T", "_").replace(":", ""),
    "basename": lambda path: PurePosixPath(path).name,
    "dirname": lambda path: str(PurePosixPath(path).parent),
    "stem": lambda path: PurePosixPath(path).stem,
    "join": lambda *parts: str(PurePosixPath(*parts)),
}


@dataclass(frozen=True)
class Worker:
    """Runs commands with the values of Flamenco's variables on its machine."""

    variables: Mapping[str, str]
    translated: Mapping[str, str]
    """Beginnings of paths, and what they are here: two-way variables."""

    def argv(self, command: Mapping[str, Any]) -> list[str]:
        """The program and arguments of a `blender-render`."""
        assert command["name"] == "blender-render", "the only command that these tests know"
        parameters = {name: self._here(value) for name, value in command["parameters"].items()}
        assert parameters["exe"]
        assert isinstance(parameters["blendfile"], str)
        before = [*shlex.split(parameters["exeArgs"]), *parameters["argsBefore"]]
        file = [parameters["blendfile"]] if parameters["blendfile"] else []
        return [parameters["exe"], *before, *file, *parameters["args"]]

    def run(self, tasks: Sequence[Task], **options: Any) -> list[str]:
        """Run tasks as their dependencies allow; the names of those that were completed."""
        done: dict[str, str] = {}
        while ready := [task for task in tasks if task.uuid not in done and set(task.needs) <= done.keys()]:
            failed = [task for task in ready if not all(self.succeeds(one, **options) for one in task.commands)]
            done.update({task.uuid: task.name for task in ready if task not in failed})
            if failed:
                break
        return list(done.values())

    def succeeds(self, command: Mapping[str, Any], **options: Any) -> bool:
        """Whether a command ends well."""
        return subprocess.run(self.argv(command), check=False, **options).returncode == 0

    def _here(self, value: Any) -> Any:
        """A parameter with variables and the beginnings of paths replaced."""
        if isinstance(value, list):
            return [self._here(one) for one in value]
        value = re.sub(r"\{(\w+)\}", lambda match: self.variables.get(match[1], match[0]), value)
        for there, here in self.translated.items():
            if value.startswith(there):
                return here + value[len(there) :]
        return value
