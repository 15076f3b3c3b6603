# SPDX-License-Identifier: GPL-3.0-or-later
"""From a motion's channels to the values of a face's controls. No bpy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BadInput
from . import solve
from .match import Match
from .profile import BoneMove, Row
from .spelling import spelling

if TYPE_CHECKING:
    import numpy as np

STAND_INS: Mapping[str, Row] = {
    "mouthClose": {"jawOpen": -1.0},
    "mouthFunnel": {"mouthPucker": 0.6, "jawOpen": 0.2},
    "mouthPucker": {"mouthFunnel": 0.6},
    "mouthLowerDownLeft": {"jawOpen": 0.12},
    "mouthLowerDownRight": {"jawOpen": 0.12},
    "mouthUpperUpLeft": {"jawOpen": 0.06},
    "mouthUpperUpRight": {"jawOpen": 0.06},
    "mouthStretchLeft": {"mouthSmileLeft": 0.5},
    "mouthStretchRight": {"mouthSmileRight": 0.5},
}
"""What shows a channel on a face that has nothing for it, so that the lips still meet and part. On the demo head
mouthClose undoes the opening of jawOpen exactly; the other weights give the same opening in millimetres, or half the
width."""


@dataclass(frozen=True, eq=False)
class Value:
    """One number of a control, frame by frame."""

    control: str
    move: BoneMove | None
    """What the number does, where the control is a bone."""
    values: np.ndarray
    """float [frames]."""
    channels: frozenset[str]
    """The channels that it follows."""


def values_of(match: Match, names: Sequence[str], motion: np.ndarray) -> list[Value]:
    """The values of the controls that were found and that the motion moves.

    `names`: the channels of `motion` [frames, channels], in any usual spelling. Raises `BadInput` where not one of them
    moves a control that was found.
    """
    channels = _channels(match, names, motion)
    straight = [*_weighted(match, channels)]
    solved = [*_solved(match, channels, straight)]
    moved = [value for value in (*straight, *solved) if value.channels & channels.keys()]
    if not moved:
        raise BadInput(
            f"The model's channels do not move the controls of a {match.profile.title} face. Choose another model or "
            "space."
        )
    return moved


def _channels(match: Match, names: Sequence[str], motion: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of a motion by the profile's spelling of their names."""
    columns = {spelling(name): motion[:, column] for column, name in enumerate(names)}
    profile = match.profile
    rows = [*profile.shape_keys.values(), *profile.visemes.values()]
    rows += [move.by for moves in profile.bones.values() for move in moves]
    known = {channel for row in rows for channel in row} | set(STAND_INS)
    if profile.visemes:
        known |= set(solve.ruler()[0])
    return {channel: columns[spelling(channel)] for channel in sorted(known) if spelling(channel) in columns}


def _rows(match: Match) -> Iterator[tuple[str, BoneMove | None, Row]]:
    """Every number that is a weighted sum: its control, what it does to a bone, its weights."""
    profile = match.profile
    for control in match.found:
        if control in profile.shape_keys:
            yield control, None, profile.shape_keys[control]
        for move in profile.bones.get(control, ()):
            yield control, move, move.by


def _weighted(match: Match, channels: Mapping[str, np.ndarray]) -> Iterator[Value]:
    shown = {channel for _, _, row in _rows(match) for channel in row}
    hidden = {channel: row for channel, row in STAND_INS.items() if channel not in shown}
    for control, move, row in _rows(match):
        total = dict(row)
        for channel, others in hidden.items():
            weight = sum(row.get(other, 0.0) * share for other, share in others.items())
            if weight:
                total[channel] = weight
        parts = [weight * channels[channel] for channel, weight in total.items() if channel in channels]
        if parts:
            values = sum(parts[1:], start=parts[0])
            if move and min(row.values()) >= 0:
                values = values.clip(min=0.0)  # a jaw that would close further than its rest stays there
            yield Value(control, move, _gained(match, control, values), frozenset(total))


def _solved(match: Match, channels: Mapping[str, np.ndarray], straight: Sequence[Value]) -> Iterator[Value]:
    """The visemes that make up for what the other controls do not show of the mouth."""
    import numpy as np

    visemes = [control for control in match.found if control in match.profile.visemes]
    if not visemes or not channels:
        return
    names = solve.ruler()[0]
    goals = np.stack([channels.get(name, np.zeros(_frames(channels))) for name in names], axis=1).astype(float)
    for value in straight:
        if value.move:
            goals -= value.values[:, None] * _pose(value.move.by, names)
    poses = np.stack([_pose(match.profile.visemes[control], names, unit=False) for control in visemes])
    weights = solve.solve(poses, goals)
    for column, control in enumerate(visemes):
        if poses[column].any():
            followed = frozenset(match.profile.visemes[control])
            yield Value(control, None, _gained(match, control, weights[:, column]), followed)


def _pose(row: Row, names: Sequence[str], unit: bool = True) -> np.ndarray:
    """ARKit weights float64 [52] of a row; `unit`: of the pose that a weighted sum of 1 stands for."""
    import numpy as np

    pose = np.array([row.get(name, 0.0) for name in names])
    return pose / max(float(pose @ pose), 1e-9) if unit else pose


def _frames(channels: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(channels.values())))


def _gained(match: Match, control: str, values: np.ndarray) -> np.ndarray:
    return values * match.profile.gains.get(control, 1.0)
