# SPDX-License-Identifier: GPL-3.0-or-later
"""Phone tracks on disk: TextGrid for Praat (its manual, "TextGrid file formats", long form) and json.

A file appears under its name only when it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from . import whole_file
from .phone_track import TimedPhone

VERSION = 1
"""Of the json layout, which Blender's side of Mouthpiece reads and writes too."""
_PAUSE = "sil"


class PhoneFileError(Exception):
    """A phone track cannot be written; the sentence says why."""


def write(path: Path, phones: Sequence[TimedPhone]) -> None:
    """Write a phone track of the kind that the name's ending asks for. Raises `PhoneFileError`."""
    content = _WRITERS[checked_format(path)](phones)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file.written(path) as partial:
            partial.write_text(content, encoding="utf-8")
    except OSError as error:
        raise PhoneFileError(f"{path} cannot be written ({error.strerror}).") from error


def checked_format(path: Path) -> str:
    """``.TextGrid`` or ``.json`` from the ending of a name, in small letters; `PhoneFileError` for another one."""
    ending = path.suffix.lower()
    if ending not in _WRITERS:
        raise PhoneFileError(f"{path.name} must end in .TextGrid or .json.")
    return ending


def text_grid(phones: Sequence[TimedPhone]) -> str:
    """Two tiers, phones and visemes; a pause is an empty interval, as usual in Praat."""
    end = phones[-1].end if phones else 0.0
    tiers = {"phones": [phone.name for phone in phones], "visemes": [phone.viseme for phone in phones]}
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end:.6g}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, labels) in enumerate(tiers.items(), 1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {end:.6g}", f"        intervals: size = {len(phones)}"]
        for index, (phone, label) in enumerate(zip(phones, labels, strict=True), 1):
            text = "" if label == _PAUSE else label.replace('"', '""')
            lines += [f"        intervals [{index}]:", f"            xmin = {phone.start:.6g}"]
            lines += [f"            xmax = {phone.end:.6g}", f'            text = "{text}"']
    return "\n".join(lines) + "\n"


def as_json(phones: Sequence[TimedPhone]) -> str:
    """One object a phone: name, viseme, start and end in seconds."""
    rows = [
        {"name": phone.name, "viseme": phone.viseme, "start": round(phone.start, 4), "end": round(phone.end, 4)}
        for phone in phones
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{{"version": {VERSION}, "phones": [\n{lines}\n]}}\n'


_WRITERS: dict[str, Callable[[Sequence[TimedPhone]], str]] = {".textgrid": text_grid, ".json": as_json}
