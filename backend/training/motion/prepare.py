# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare: a published data set in, folders of training clips and their PCA bases out (`motion_set`).

A broken item is one sentence; it is left out and listed, or ends the run, as the user wishes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
from backend.checkpoint import SpaceRecord
from backend.training import readers
from backend.training.errors import CorpusError
from backend.training.readers.annotated import AnnotatedClip, DataSet, Split
from tqdm import tqdm

from . import motion_set, principal_components
from .clip import SAMPLE_RATE, ClipError
from .clip_writer import ClipWriter, write_array
from .motion_set import Header, MotionSet, PreparedClip
from .principal_components import UNITALKER_COMPONENTS

PROBLEMS = "problems.txt"
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class Options:
    """How data sets are prepared."""

    strict: bool = False
    """The first broken item ends the run; without it, broken items are left out and listed."""
    half: bool = False
    """Motion in float16: half the disk, and at most 0.03 mm beside the truth on a face in metres."""
    components: int = UNITALKER_COMPONENTS
    """Of the PCA basis of vertices; 0 for no basis."""


@dataclass(frozen=True)
class Report:
    """What became of one data set."""

    prepared: MotionSet
    recordings: int
    unused: int
    """Recordings that belong to no official split."""
    problems: tuple[str, ...]


def prepare(
    layout: str, folder: Path, output: Path, options: Options | None = None, name: str | None = None
) -> list[Report]:
    """Write OUTPUT/NAME for every data set in a folder; `name` renames the only one.

    Raises CorpusError, naming the file, for a folder that is not of this layout, for a name that is taken by another
    data set, for a folder that cannot be written, and with `options.strict` for the first broken item.
    """
    found = readers.reader(layout)(folder)
    if name is not None:
        if len(found) > 1:
            raise CorpusError(f"{folder} holds {len(found)} data sets, so that they cannot all be named {name}.")
        found = [replace(found[0], name=name)]
    _refuse_one_name(found, folder)
    try:
        return [_prepare(data_set, layout, folder, output, options or Options()) for data_set in found]
    except OSError as error:
        raise CorpusError(f"{error.filename or output} cannot be used: {error.strerror}.") from error


def table(reports: list[Report]) -> str:
    """What became of the data sets, as text."""
    return "\n".join(line for report in reports for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    prepared, space = report.prepared, report.prepared.space
    splits = Counter(clip.split for clip in prepared.clips)
    counts = ", ".join(f"{splits[split]} {split}" for split in get_args(Split) if splits[split])
    minutes = sum(clip.samples for clip in prepared.clips) / SAMPLE_RATE / 60
    yield f"{prepared.name}: {len(prepared.clips)} clips ({counts}), {minutes:.1f} min, in {prepared.folder}"
    yield f"  {space.name} at {space.fps:g} fps, {len(prepared.header.identities)} identities"
    broken = f"{len(report.problems)} broken and left out"
    yield f"  of {report.recordings} recordings, {broken}, {report.unused} in no official split"
    yield from (f"  left out: {problem}" for problem in report.problems[:_SHOWN_PROBLEMS])
    if len(report.problems) > _SHOWN_PROBLEMS:
        yield f"  and {len(report.problems) - _SHOWN_PROBLEMS} more, listed in {prepared.folder / PROBLEMS}"


def _prepare(data_set: DataSet, layout: str, source: Path, output: Path, options: Options) -> Report:
    home = output / data_set.name
    header = _header(data_set, layout, source)
    used, problems = _unlike_names([clip for clip in data_set.clips if clip.split != "unused"])
    problems = [*data_set.problems, *problems]
    if options.strict and problems:
        raise CorpusError(problems[0])
    _claim(home, header)
    writer = ClipWriter(home, data_set, options.half)
    clips, broken = _write_clips(used, writer, options.strict)
    problems += broken
    if not clips:
        raise CorpusError(f"No recording in {source} can be used. {problems[0] if problems else 'It is empty.'}")
    write_array(home / motion_set.TEMPLATES, _templates(data_set))
    prepared = MotionSet(home, header, tuple(clips))
    _write_basis(data_set, prepared, options.components, writer.added > 0)
    _write_problems(home / PROBLEMS, problems)
    motion_set.write(prepared)
    unused = sum(clip.split == "unused" for clip in data_set.clips)
    return Report(prepared, len(data_set.clips) + len(data_set.problems), unused, tuple(problems))


def _refuse_one_name(found: list[DataSet], folder: Path) -> None:
    name, count = Counter(data_set.name for data_set in found).most_common(1)[0]
    if count > 1:
        raise CorpusError(f"{folder} holds {count} data sets named {name}; prepare their folders one by one.")


def _header(data_set: DataSet, layout: str, source: Path) -> Header:
    identities = tuple(f"{data_set.name}/{identity}" for identity in data_set.identities)
    return Header(
        motion_set.FORMAT, data_set.name, layout, str(source.resolve()), SpaceRecord.of(data_set.space), identities
    )


def _claim(home: Path, header: Header) -> None:
    """Take the folder for this data set, which may have been begun before."""
    if (home / motion_set.HEADER).is_file():
        other = motion_set.read_header(home)
        if (other.layout, other.source) != (header.layout, header.source):
            raise CorpusError(
                f"{home} holds another data set named {header.name}, made from {other.source}:"
                " choose another --name or --output."
            )
    home.mkdir(parents=True, exist_ok=True)
    motion_set.write_header(home, header)


def _unlike_names(clips: list[AnnotatedClip]) -> tuple[list[AnnotatedClip], list[str]]:
    """The clips without those that have the name of an earlier one, and a sentence for each of these."""
    by_name: dict[str, AnnotatedClip] = {}
    problems = [
        f"{clip.annotation} is listed twice, in {by_name[clip.name].split} and {clip.split}."
        for clip in clips
        if by_name.setdefault(clip.name, clip) is not clip
    ]
    return list(by_name.values()), problems


def _write_clips(
    recordings: list[AnnotatedClip], writer: ClipWriter, strict: bool
) -> tuple[list[PreparedClip], list[str]]:
    clips: list[PreparedClip] = []
    problems: list[str] = []
    for recording in tqdm(recordings, writer.data_set.name, unit=" recordings"):
        try:
            clips += writer.write(recording)
        except ClipError as error:
            if strict:
                raise CorpusError(str(error)) from error
            problems.append(str(error))
    return clips, problems


def _write_problems(path: Path, problems: list[str]) -> None:
    if problems:
        motion_set.write_text(path, "".join(f"{problem}\n" for problem in problems))
    else:
        path.unlink(missing_ok=True)


def _templates(data_set: DataSet) -> np.ndarray:
    """float32 [identities, dim] in the model's unit."""
    if data_set.templates is None:
        return np.zeros((len(data_set.identities), data_set.space.dim), np.float32)
    return data_set.templates.astype(np.float32) * np.float32(data_set.space.scale)


def _write_basis(data_set: DataSet, prepared: MotionSet, components: int, is_changed: bool) -> None:
    """Have pca.npz lie beside vertices: the published one, or one of the training clips."""
    path = prepared.folder / motion_set.BASIS
    if prepared.space.kind != "vertices" or not components:
        path.unlink(missing_ok=True)
        return
    if data_set.basis is not None:
        principal_components.write(path, principal_components.read(data_set.basis, prepared.space.dim))
        return
    kept = None if is_changed else prepared.basis()
    if kept is not None and len(kept.components) == components:
        return
    train = prepared.split("train")
    try:
        basis = principal_components.fit(
            lambda: tqdm(prepared.offsets(), "principal components", len(train), unit=" clips"), components
        )
    except CorpusError as error:
        raise CorpusError(f"No basis can be made of {prepared.name} in {prepared.folder}: {error}") from error
    principal_components.write(path, basis)
