# SPDX-License-Identifier: GPL-3.0-or-later
"""Live Link Face takes: TAKE.csv as the app writes it, and TAKE.wav (any sound) taken from its video.

Weights are found by the names in the header. Frames lie where their timecodes say, so that frames which the phone
dropped do not shift the rest; the first one lies at the start of the sound. One folder holds the takes of one person.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from backend.face import ARKIT_CHANNELS, arkit
from backend.training.errors import CorpusError
from backend.training.motion.clip import ClipError

from .annotated import AnnotatedClip, DataSet, checked, drawn_split, pairs, resampled

FPS = 60.0
TIMECODE_RATES = (24, 25, 30, 60)
"""How many frames a timecode may count in a second."""


def read(folder: Path) -> list[DataSet]:
    """The data set of one person's takes; other .csv files, like the app's frame log, are no takes.

    Raises CorpusError.
    """
    person = folder.resolve().name
    found = pairs(folder, ".csv", folder)
    if not any(_is_take(pair.annotation) for pair in found):
        raise CorpusError(f"{folder} holds no take of Live Link Face: no .csv file has a Timecode and the ARKit names.")
    takes = [pair for pair in found if _is_take(pair.annotation) or pair.audio.is_file()]
    clips = drawn_split(AnnotatedClip(*pair, _load, FPS, "arkit", person, "train") for pair in takes)
    return [DataSet("livelink", arkit(FPS / 2), (person,), clips, cut_long=True)]


def _is_take(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        return {"timecode", "jawopen"} <= {name.strip().lower() for name in lines.readline().split(",")}


def _load(path: Path) -> np.ndarray:
    """float32 [frames, 52] in the order of `ARKIT_CHANNELS` at 60 fps. Raises ClipError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = (row for row in csv.reader(lines) if row)
        columns = {name.strip().lower(): column for column, name in enumerate(header)}
        weights = np.array([[float(row[columns[name.lower()]]) for name in ARKIT_CHANNELS] for row in rows])
        seconds = _seconds([row[columns["timecode"]] for row in rows])
    except FileNotFoundError:
        raise ClipError(f"There is no annotation {path}.") from None
    except KeyError as error:
        raise ClipError(f"{path} has no column {error}.") from error
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise ClipError(f"{path} is no whole Live Link Face take: {error}.") from error
    if not (np.diff(seconds) > 0).all():
        raise ClipError(f"The timecodes in {path} do not rise from row to row.")
    return resampled(checked(weights, path, len(ARKIT_CHANNELS)), seconds, FPS)


def _seconds(timecodes: list[str]) -> np.ndarray:
    """Seconds [rows] of HH:MM:SS:FF.mmm; how many frames a second counts is told by the highest one."""
    hours, minutes, seconds, frames = np.array([code.split(":") for code in timecodes], np.float64).T
    whole = hours * 3600 + minutes * 60 + seconds
    is_telling = np.ptp(whole) > 1
    rate = next((rate for rate in TIMECODE_RATES if is_telling and frames.max() < rate), TIMECODE_RATES[-1])
    return whole + frames / rate
