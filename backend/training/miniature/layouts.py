# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the data sets of the miniature as published ones lie on a disk, for `prepare` to read them like these."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from backend import motion_file
from backend.face import ARKIT_CHANNELS
from backend.motion_file import Motion

from .sets import BenchSet

VALIDATED, TESTED = 2, 3
"""Last sentences of every speaker, where the layout lists its splits."""


@dataclass(frozen=True, eq=False)
class Take:
    """One annotated sentence."""

    speaker: int
    sentence: int
    audio: Path
    annotate: Callable[[], np.ndarray]
    """Gives the motion, float32 [frames, dim] in the data set's own unit."""


def write_unitalker(folder: Path, about: BenchSet, takes: Sequence[Take], templates: np.ndarray, scale: float) -> None:
    """UniTalker's release V1: templates [speakers, dim], one file per motion, and the lists of the splits."""
    (folder / "motion").mkdir(parents=True, exist_ok=True)
    np.save(folder / "id_template.npy", templates.astype(np.float32))
    for take in takes:
        np.save(folder / _unitalker_name(take), take.annotate())
    write_lists(folder, folder, about, takes, scale, fewer=1)


def write_lists(
    folder: Path, home: Path, about: BenchSet, takes: Sequence[Take], scale: float, fewer: int, speakers: int = 0
) -> None:
    """The lists of a folder whose motion lies in `home`, with so many times fewer sentences of everybody to train on.

    With `speakers`, only so many of them have any.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sentences = 1 + max(take.sentence for take in takes)
    trained = max((sentences - VALIDATED - TESTED) // fewer, 1)
    lists: dict[str, list[dict]] = {"train": [], "val": [], "test": []}
    for take in takes:
        split = _split(take.sentence, sentences, trained)
        if split and (not speakers or take.speaker < speakers):
            lists[split].append(_listed(folder, home, about, take))
    for split, items in lists.items():
        info = {"id_list": sorted({take.speaker for take in takes}), "scale": scale}
        (folder / f"{split}.json").write_text(json.dumps({"info": info, "data": items}), encoding="utf-8")


def write_etf(folder: Path, takes: Sequence[Take]) -> None:
    """3D-ETF: arrays and sounds of one name."""
    folder.mkdir(parents=True, exist_ok=True)
    for take in takes:
        stem = f"speaker{take.speaker}_{take.sentence:03}"
        np.save(folder / f"{stem}.npy", take.annotate())
        _copy_sound(take, folder / stem)


def write_beat(folder: Path, takes: Sequence[Take]) -> None:
    """BEAT: JSON frames of 51 named weights with times, in a folder per speaker."""
    names = [name for name in ARKIT_CHANNELS if name != "tongueOut"]
    columns = [ARKIT_CHANNELS.index(name) for name in names]
    for take in takes:
        home = folder / str(take.speaker + 1)
        home.mkdir(parents=True, exist_ok=True)
        stem = f"{take.speaker + 1}_speaker{take.speaker}_0_{take.sentence}_{take.sentence}"
        rows = np.round(take.annotate()[:, columns].astype(np.float64), 4).tolist()
        frames = [{"weights": row, "time": round(number / 60, 4)} for number, row in enumerate(rows)]
        (home / f"{stem}.json").write_text(json.dumps({"names": names, "frames": frames}), encoding="utf-8")
        _copy_sound(take, home / stem)


def write_clips(folder: Path, about: BenchSet, takes: Sequence[Take], names: tuple[str, ...]) -> None:
    """What the add-on exports: motion files beside sounds."""
    folder.mkdir(parents=True, exist_ok=True)
    for take in takes:
        stem = folder / f"take{take.speaker:02}-{take.sentence:03}"
        identity = json.dumps({"identity": f"speaker{take.speaker}"})
        motion = Motion(about.space, about.fps, take.annotate(), names, 0.0, identity)
        motion_file.write(stem.with_suffix(".npz"), motion)
        _copy_sound(take, stem)


def once(folder: Path, write: Callable[[Path], None]) -> None:
    """Have a folder written beside its place and moved there when it is whole; one that is there stays."""
    if folder.is_dir():
        return
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    write(partial)
    partial.replace(folder)


def _unitalker_name(take: Take) -> str:
    return f"motion/{take.speaker:02}-{take.sentence:03}.npy"


def _split(sentence: int, sentences: int, trained: int) -> str | None:
    if sentence >= sentences - TESTED:
        return "test"
    if sentence >= sentences - TESTED - VALIDATED:
        return "val"
    return "train" if sentence < trained else None


def _listed(folder: Path, home: Path, about: BenchSet, take: Take) -> dict:
    files = {"annot_path": home / _unitalker_name(take), "audio_path": take.audio}
    paths = {key: Path(os.path.relpath(path, folder)).as_posix() for key, path in files.items()}
    return {"annot_type": about.space, "dataset": about.name, "fps": about.fps, "id": take.speaker, **paths}


def _copy_sound(take: Take, stem: Path) -> None:
    shutil.copyfile(take.audio, stem.with_name(stem.name + take.audio.suffix))
