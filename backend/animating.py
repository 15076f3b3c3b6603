# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion and phones of one sound, both from one pass of the encoder wherever it is the same one.

Motion comes as it is made. Only where lips have to follow a transcript does it wait until the whole sound was heard:
before, nobody knows when each word is spoken, nor whether the transcript belongs to the sound at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from . import closures, hearing, known_words, pipeline
from .hearing import Ears
from .phone_track import PhoneSearch, PhoneTrack
from .pipeline import Chunk

if TYPE_CHECKING:
    from .checkpoint import LoadedModel
    from .closures import Lips
    from .known_words import Transcript
    from .planning import Plan
    from .sound import Samples


@dataclass(frozen=True)
class Waiting:
    """Frames that are made and will come once the lips can follow the transcript."""

    frames: int


Part: TypeAlias = Chunk | PhoneTrack | Waiting


@dataclass(frozen=True)
class Listening:
    """That the phones of a sound are wanted."""

    listener: LoadedModel
    """Who has the ears (`hearing.has_ears`); the model that is animated itself where it can."""
    transcript: Transcript | None = None


def animate(
    loaded: LoadedModel,
    samples: Samples,
    planned: Plan,
    listening: Listening | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Part]:
    """The chunks of `pipeline.generate`, and where somebody listens one `PhoneTrack`.

    Raises what `pipeline.generate` does, and `PronunciationError`, before anything is heard, where nothing tells how
    the transcript is said.
    """
    if listening is None:
        yield from pipeline.generate(loaded, samples, planned, stop)
        return
    spoken = known_words.pronounced(listening.transcript)
    search = PhoneSearch(spoken)
    ears = Ears(listening.listener, search.hear)
    if hearing.overhears(listening.listener, loaded):
        chunks = []
        for chunk in pipeline.generate(loaded, samples, planned, stop, ears):
            if spoken is not None and known_words.lead(planned):
                chunks.append(chunk)
                yield Waiting(len(chunk.values))
            else:
                yield chunk
        ears.end()
    else:
        hearing.attend(ears, samples, partial(pipeline.go_on, stop))
        chunks = pipeline.generate(loaded, samples, planned, stop)
    track = search.track(len(samples))
    yield track
    yield from _following(chunks, known_words.lips(track, planned), planned)


def animate_each(
    loaded: LoadedModel,
    samples: Samples,
    plans: Sequence[Plan],
    listening: Listening | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, Part]]:
    """`animate` for several plans for one sound, each part with its plan's number, the `PhoneTrack` with any.

    Their motion comes from one pass of the encoder; phones, where they are wanted, from one more for all of them.
    """
    if len(plans) == 1:
        yield from ((0, part) for part in animate(loaded, samples, plans[0], listening, stop))
        return
    lips: list[Lips | None] = [None] * len(plans)
    if listening is not None:
        go_on = partial(pipeline.go_on, stop)
        track = known_words.listen(listening.listener, samples, listening.transcript, go_on)
        lips = [known_words.lips(track, planned) for planned in plans]
        yield 0, track
    for number, chunk in pipeline.generate_each(loaded, samples, plans, stop):
        yield from ((number, part) for part in _following([chunk], lips[number], plans[number]))


def _following(chunks: Iterable[Chunk], lips: Lips | None, planned: Plan) -> Iterator[Chunk]:
    """The chunks, with their lips where the phones ask them to be."""
    for chunk in chunks:
        if lips is None:
            yield chunk
        else:
            yield replace(chunk, values=closures.follow(chunk.values, planned.channels, lips, chunk.start, planned.fps))
