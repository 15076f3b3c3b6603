# SPDX-License-Identifier: GPL-3.0-or-later
"""The phones of a spoken line, each with a strength, and their files: json both ways, TextGrid for Praat. No bpy."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..backend import protocol
from . import whole_file
from .errors import BadInput, MouthpieceError
from .writing.options import MOST_STRENGTH

VERSION = 1
"""Of the json layout; the backend writes the same one without strengths."""
PAUSE = "sil"
BILABIALS = frozenset({"pb", "m"})


@dataclass(frozen=True)
class Phone:
    """One phone; times in seconds from the line's first frame."""

    name: str
    """As the transcript's pronunciation calls it; without a transcript the viseme again."""
    viseme: str
    """The mouth shape: ``sil``, ``pb``, ``m``, ``fv``, … or, in capitals, a vowel."""
    start: float
    end: float
    strength: float = 1.0
    """How much of its motion is written; 1 is what the model gives."""


def received(message: protocol.Phones) -> list[Phone]:
    """The phones of one message of the backend; raises `MouthpieceError` where its columns do not fit."""
    if not len(message.names) == len(message.visemes) == len(message.times) or message.times.shape[1:] != (2,):
        raise MouthpieceError("The backend sent phones that do not fit together; generate again.")
    rows = zip(message.names, message.visemes, message.times.tolist(), strict=True)
    return [Phone(name, viseme, round(start, 4), round(end, 4)) for name, viseme, (start, end) in rows]


def check(path: Path) -> None:
    """Raises `BadInput` where no phones can be written under that name."""
    if path.suffix.lower() not in _writers():
        raise BadInput(f"“{path.name}” must end in .TextGrid or .json.")
    if not path.absolute().parent.is_dir():
        raise BadInput(f"The folder of {path} does not exist. Make it first, or choose another.")


def write(path: Path, phones: Sequence[Phone]) -> None:
    """Write ``.json`` or ``.TextGrid``, by the name's ending; raises `BadInput` for another one, or without phones."""
    check(path)
    if not phones:
        raise BadInput("There are no phones to save. Generate with a model that hears them, such as the default one.")
    try:
        whole_file.write(path, _writers()[path.suffix.lower()](phones).encode())
    except OSError as problem:
        raise BadInput(f"“{path}” cannot be written: {problem.strerror}.") from problem


def read(path: Path) -> tuple[Phone, ...]:
    """Phones and strengths out of a json file; raises `BadInput` for what is none."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["phones"]
        return _in_order(tuple(_phone(row) for row in rows))
    except OSError as problem:
        raise BadInput(f"The visemes “{path}” cannot be read: {problem.strerror}.") from problem
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise BadInput(f"“{path}” holds no visemes. Save them with --phones or from the panel first.") from problem


def _writers() -> dict[str, Callable[[Sequence[Phone]], str]]:
    return {".json": as_json, ".textgrid": text_grid}


def as_json(phones: Sequence[Phone]) -> str:
    """One object a phone, strengths included."""
    lines = ",\n".join(json.dumps(asdict(phone), ensure_ascii=False) for phone in phones)
    return f'{{"version": {VERSION}, "phones": [\n{lines}\n]}}\n'


def text_grid(phones: Sequence[Phone]) -> str:
    """Praat's long text form, one tier; a pause is an empty interval."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {phones[-1].end:.6g}"]
    lines += ["tiers? <exists>", "size = 1", "item []:", "    item [1]:", '        class = "IntervalTier"']
    lines += ['        name = "phones"', "        xmin = 0", f"        xmax = {phones[-1].end:.6g}"]
    lines.append(f"        intervals: size = {len(phones)}")
    for number, phone in enumerate(phones, 1):
        text = "" if phone.viseme == PAUSE else phone.name.replace('"', '""')
        lines += [f"        intervals [{number}]:", f"            xmin = {phone.start:.6g}"]
        lines += [f"            xmax = {phone.end:.6g}", f'            text = "{text}"']
    return "\n".join(lines) + "\n"


def _in_order(phones: tuple[Phone, ...]) -> tuple[Phone, ...]:
    if any(after.start < before.end - 0.001 for before, after in itertools.pairwise(phones)):
        raise ValueError("phones overlap")
    return phones


def _phone(row: dict[str, Any]) -> Phone:
    start, end, strength = float(row["start"]), float(row["end"]), float(row.get("strength", 1.0))
    if not (0 <= start <= end < float("inf") and 0 <= strength <= MOST_STRENGTH):
        raise ValueError("times or strength out of range")
    return Phone(str(row["name"]), str(row["viseme"]), start, end, strength)
