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
from .closures import BREATH, Lips
from .phonetics.phones import BILABIALS, CLASSES, LABIODENTALS, SILENCE, Phone, classes_of, closures_of
from .phonetics.pronunciation import Pronunciation, listed
from .windows import SAMPLE_RATE

WORST_FIT = 1.1
"""Nats per reading that a right transcript may fit worse than free listening; measured in docs/known_words.md."""
SHORT_KINDS = frozenset({"td", "AH", "n", "hh", "IH"})
"""Classes that fast speech shortens to less than 30 ms; all others last two readings at least."""
NO_FIT = "The transcript does not fit what is spoken, so it was ignored. Check that it belongs to this sound."
HEARD = "?"
"""Ends the names of phones that were only heard, where a transcript holds what nothing tells the sound of."""
SURPRISE = 1.5
"""Nats per reading that unknown sounds are taken to be less likely than what is heard.

With less, wrong transcripts pass for right ones; with more, right ones with many unknown words pass for wrong ones.
"""
_PAUSE = "sil"
_ANYTHING = len(CLASSES)
"""The class of what is unknown, behind all others."""
_CLOSING = {"pb": "p", "m": "m"}
"""The phone that stands for each class of `BILABIALS`."""


class TimedPhone(NamedTuple):
    """One phone of a sound; times in seconds."""

    name: str
    """As the transcript's pronunciation calls it; by ear the name of its class, with `HEARD` amid known words."""
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
            note = "" if spoken is None else " ".join([NO_FIT, *_about(spoken)])
            return PhoneTrack(_up_to(seconds, _by_ear(freely)), follows_transcript=False, note=note)
        return PhoneTrack(_up_to(seconds, said), follows_transcript=True, note=" ".join(_about(spoken)))


def aligned(scores: np.ndarray, spoken: Pronunciation, freely: Sequence[Span]) -> tuple[TimedPhone, ...] | None:
    """The phones of a pronunciation with their times, pauses between them; None where they are not what was heard.

    `scores` float32 [readings, classes] and `freely` are what `hearing.listen` and `alignment.decode` give.
    """
    items, owners = _items(spoken)
    scores = np.column_stack((scores, scores.max(axis=1) - SURPRISE))
    spans = alignment.align(scores, items)
    kinds, names = [item.kind for item in items], [phone for word in spoken.words for phone in word.phones]
    if spans is None or alignment.fit(scores, spans, kinds, freely) > WORST_FIT:
        return None
    phones: list[TimedPhone] = []
    for index, span in enumerate(spans):
        start, end = _seconds(span)
        number = owners[span.item]
        if kinds[span.item] == _ANYTHING:
            phones += _heard_within(span, freely)
        elif index and number is not None and owners[spans[index - 1].item] == number:
            phones[-1] = phones[-1]._replace(end=end)
        else:
            name = _PAUSE if number is None else names[number]
            phones.append(TimedPhone(name, CLASSES[kinds[span.item]], start, end))
    return tuple(phones)


def lips(phones: Sequence[TimedPhone]) -> Lips:
    """When the lips must meet, touch the teeth, or may do as they like: in pauses, and where the words are unknown.

    There the model alone finds more of the closures than the phones that it hears tell of.
    """
    known = [phone for phone in phones if not phone.name.endswith(HEARD)]
    met = [Phone(_CLOSING[phone.viseme], phone.start, phone.end) for phone in known if phone.viseme in BILABIALS]
    unknown = (phone for phone in phones if phone.name.endswith(HEARD))
    return Lips(
        tuple(closures_of(met)),
        tuple(_middle(phone) for phone in known if phone.viseme in LABIODENTALS),
        (*_pauses(phones), *((phone.start - BREATH, phone.end + BREATH) for phone in unknown)),
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
    """What has to be heard, pauses allowed around words; beside it which phone each item belongs to, None: to none.

    Unknown words that follow each other are one item.
    """
    pause = Item(SILENCE, shortest=2, optional=True)
    items: list[Item] = [pause]
    owners: list[int | None] = [None]
    number = 0
    for word in spoken.words:
        if not word.phones and (len(items) < 2 or items[-2].kind != _ANYTHING):
            items.append(Item(_ANYTHING, shortest=2))
            owners.append(None)
        for phone in word.phones:
            for kind in classes_of(phone, word.alphabet):
                items.append(Item(CLASSES.index(kind), shortest=1 if kind in SHORT_KINDS else 2))
                owners.append(number)
            number += 1
        if items[-1] is not pause:
            items.append(pause)
            owners.append(None)
    return items, owners


def _by_ear(spans: Sequence[Span]) -> tuple[TimedPhone, ...]:
    return tuple(TimedPhone(CLASSES[span.item], CLASSES[span.item], *_seconds(span)) for span in spans)


def _heard_within(span: Span, freely: Sequence[Span]) -> list[TimedPhone]:
    """The phones that were heard in a span of unknown words. A pause there may be the closure of a stop."""
    inside = [Span(one.item, max(one.first, span.first), min(one.last, span.last)) for one in freely]
    phones = _by_ear([one for one in inside if one.first < one.last])
    return [phone._replace(name=phone.name + HEARD) for phone in phones]


def _up_to(seconds: float, phones: tuple[TimedPhone, ...]) -> tuple[TimedPhone, ...]:
    """The same phones, the last one up to the end of the sound."""
    return (*phones[:-1], *(phone._replace(end=max(seconds, phone.end)) for phone in phones[-1:]))


def _seconds(span: Span) -> tuple[float, float]:
    """A reading stands for the sound around it, so a span begins half a reading before its first one."""
    return max(span.first - 0.5, 0.0) / hearing.FPS, (span.last - 0.5) / hearing.FPS


def _about(spoken: Pronunciation) -> list[str]:
    """Sentences about the words that no dictionary has."""
    lacking = "The pronunciation dictionary lacks these words, which were read letter by letter"
    silent = "Nothing tells how these are said, so the lips are left to the model there"
    found = ((lacking, spoken.guessed), (silent, spoken.unknown))
    return [f"{sentence}: {listed(words)}." for sentence, words in found if words]
