# SPDX-License-Identifier: GPL-3.0-or-later
"""The phone track of a sound: which phones are spoken when, by a transcript or by ear, and when the lips must meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import alignment, hearing
from .alignment import Item, Span
from .closures import Lips
from .phonetics.phones import BILABIALS, CLASSES, LABIODENTALS, SILENCE, Phone, classes_of, closures_of
from .phonetics.pronunciation import Pronunciation
from .windows import SAMPLE_RATE

WORST_FIT = 1.1
"""Nats per reading that a right transcript may fit worse than free listening; measured in docs/known_words.md."""
SHORT_KINDS = frozenset({"td", "AH", "n", "hh", "IH"})
"""Classes that fast speech shortens to less than 30 ms; all others last two readings at least."""
NO_FIT = "The transcript does not fit what is spoken, so it was ignored. Check that it belongs to this sound."
_PAUSE = "sil"
_CLOSING = {"pb": "p", "m": "m"}
"""The phone that stands for each class of `BILABIALS`."""


class TimedPhone(NamedTuple):
    """One phone of a sound; times in seconds."""

    name: str
    """As the transcript's pronunciation calls it; by ear the name of its class."""
    viseme: str
    """One of `phones.CLASSES`: what its (first) mouth shape is."""
    start: float
    end: float


@dataclass(frozen=True)
class PhoneTrack:
    """The phones of a sound, in order and without gaps."""

    phones: tuple[TimedPhone, ...]
    follows_transcript: bool
    """Whether the phones are those of the transcript, or only what was heard."""
    note: str = ""
    """What the artist should know about the transcript; empty: nothing."""


class PhoneSearch:
    """Looks for the phones of a sound while it is heard.

    Only for a transcript all readings are kept: it is aligned once the last one is there.
    """

    def __init__(self, spoken: Pronunciation | None = None) -> None:
        """`spoken` is how the transcript is said, where there is one."""
        self._spoken = spoken
        self._freely = alignment.FreeSearch()
        self._scores: list[np.ndarray] = []

    def hear(self, readings: np.ndarray) -> None:
        """Take the next readings of `hearing.Ears`, float32 [readings, classes + 1]."""
        scores = readings[:, : len(CLASSES)]
        self._freely.hear(scores)
        if self._spoken is not None:
            self._scores.append(scores)

    def track(self, samples: int) -> PhoneTrack:
        """The phones of so many samples at 16 kHz, by the transcript where it is known and fits."""
        freely, spoken, seconds = self._freely.spans(), self._spoken, samples / SAMPLE_RATE
        said = None if spoken is None else aligned(np.concatenate(self._scores), spoken, freely)
        if spoken is None or said is None:
            note = "" if spoken is None else NO_FIT
            return PhoneTrack(_up_to(seconds, _by_ear(freely)), follows_transcript=False, note=note)
        return PhoneTrack(_up_to(seconds, said), follows_transcript=True, note=_about_guesses(spoken.guessed))


def aligned(scores: np.ndarray, spoken: Pronunciation, freely: Sequence[Span]) -> tuple[TimedPhone, ...] | None:
    """The phones of a pronunciation with their times, pauses between them; None where they are not what was heard.

    `scores` float32 [readings, classes] and `freely` are what `hearing.listen` and `alignment.decode` give.
    """
    items, owners = _items(spoken)
    spans = alignment.align(scores, items)
    kinds, names = [item.kind for item in items], [phone for word in spoken.words for phone in word]
    if spans is None or alignment.fit(scores, spans, kinds, freely) > WORST_FIT:
        return None
    phones: list[TimedPhone] = []
    for index, span in enumerate(spans):
        start, end = _seconds(span)
        number = owners[span.item]
        if index and number is not None and owners[spans[index - 1].item] == number:
            phones[-1] = phones[-1]._replace(end=end)
        else:
            name = _PAUSE if number is None else names[number]
            phones.append(TimedPhone(name, CLASSES[kinds[span.item]], start, end))
    return tuple(phones)


def lips(phones: Sequence[TimedPhone]) -> Lips:
    """When the lips must meet, touch the teeth, or may rest."""
    met = [Phone(_CLOSING[phone.viseme], phone.start, phone.end) for phone in phones if phone.viseme in BILABIALS]
    return Lips(
        tuple(closures_of(met)),
        tuple(_middle(phone) for phone in phones if phone.viseme in LABIODENTALS),
        _pauses(phones),
    )


def _pauses(phones: Sequence[TimedPhone]) -> tuple[tuple[float, float], ...]:
    """When nobody speaks: before the first word since ever, and behind the last one for good."""
    last = len(phones) - 1
    return tuple(
        (phone.start if number else -math.inf, phone.end if number < last else math.inf)
        for number, phone in enumerate(phones)
        if phone.viseme == _PAUSE
    )


def _middle(phone: TimedPhone) -> tuple[float, float]:
    """The middle fifth: on its way there and back the lip is where the model has it."""
    edge = 0.4 * (phone.end - phone.start)
    return phone.start + edge, phone.end - edge


def _items(spoken: Pronunciation) -> tuple[list[Item], list[int | None]]:
    """What has to be heard, pauses allowed around words; beside it which phone each item belongs to, None: a pause."""
    pause = Item(SILENCE, shortest=2, optional=True)
    items: list[Item] = [pause]
    owners: list[int | None] = [None]
    number = 0
    for word in spoken.words:
        for phone in word:
            for kind in classes_of(phone, spoken.alphabet):
                items.append(Item(CLASSES.index(kind), shortest=1 if kind in SHORT_KINDS else 2))
                owners.append(number)
            number += 1
        if items[-1] is not pause:
            items.append(pause)
            owners.append(None)
    return items, owners


def _by_ear(spans: Sequence[Span]) -> tuple[TimedPhone, ...]:
    return tuple(TimedPhone(CLASSES[span.item], CLASSES[span.item], *_seconds(span)) for span in spans)


def _up_to(seconds: float, phones: tuple[TimedPhone, ...]) -> tuple[TimedPhone, ...]:
    """The same phones, the last one up to the end of the sound."""
    return (*phones[:-1], *(phone._replace(end=max(seconds, phone.end)) for phone in phones[-1:]))


def _seconds(span: Span) -> tuple[float, float]:
    """A reading stands for the sound around it, so a span begins half a reading before its first one."""
    return max(span.first - 0.5, 0.0) / hearing.FPS, (span.last - 0.5) / hearing.FPS


def _about_guesses(words: Sequence[str]) -> str:
    if not words:
        return ""
    return f"The pronunciation dictionary lacks these words, which were read letter by letter: {', '.join(words)}."
