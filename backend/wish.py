# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message asks for, as the pipeline understands it."""

from __future__ import annotations

from typing import cast, get_args

from . import audio, planning, protocol, takes
from .checkpoint import LoadedModel
from .emotions import Emotions
from .performance import Performance
from .planning import Request, RequestError


def of(message: protocol.Generate, loaded: LoadedModel) -> Request:
    """The request that a message makes to a model, in the style of its reference recording if it has one.

    Raises `RequestError`, or `AudioError` for a reference that is no sound.
    """
    try:
        performance = Performance(
            steps=message.steps or None,
            seed=message.seed or None,
            takes=None if message.takes == 1 else message.takes,
            guidance=None if message.guidance == 1 else message.guidance,
            emotions=_emotions(message),
        )
    except ValueError as error:
        raise RequestError(str(error)) from error
    wanted = Request(message.space, message.fps, message.identity, message.raw, performance)
    return _styled(message, loaded, wanted) if len(message.reference) else wanted


def _styled(message: protocol.Generate, loaded: LoadedModel, wanted: Request) -> Request:
    if message.style not in get_args(planning.Style):
        raise RequestError(f"There is no style “{message.style}”; choose {' or '.join(get_args(planning.Style))}.")
    if message.identity != planning.PIVOT:
        raise RequestError("An identity and a recording both say whose style it is; leave one of them out.")
    seconds = min(message.reference_duration, takes.REFERENCE_SECONDS) or None
    reference = audio.decode(message.reference.data, message.reference_start, seconds)
    return planning.styled(loaded, wanted, reference, cast("planning.Style", message.style))


def _emotions(message: protocol.Generate) -> Emotions | None:
    """The weights at every point of time; ValueError where their arrays do not belong together."""
    names, seconds, weights = message.emotions, message.emotion_seconds, message.emotion_weights
    if weights.shape != (len(seconds), len(names)):
        raise ValueError(f"{len(seconds)} points of {len(names)} emotions need as many weights, not {weights.shape}.")
    points = [dict(zip(names, map(float, row), strict=True)) for row in weights]
    if len(points) == 1:
        return points[0]
    return list(zip(map(float, seconds), points, strict=True)) if points else None
