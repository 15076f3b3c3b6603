# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the miniature: which models are trained on what, and which of them begin with whose encoder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from backend.models.speech_config import SpeechEncoderConfig
from backend.settings import to_plain

from .bench import ONE_SHOT, share_name
from .ear import ENCODER
from .sets import PHONES, SETS, SHARES, UNSEEN

ALL = tuple(about.name for about in SETS)
SEEN = tuple(name for name in ALL if name != UNSEEN.name)
SCRATCH, EAR, SPEECH, WAVE = "", "ear", "speech", "wave-speech"
UNIFIED, LEAVE_OUT = "unified", "unified-but-one"
_TUNING = ("schedule.epochs=4", "schedule.decoder_epochs=0", "schedule.validate_every=2", "schedule.rate=5e-4")


@dataclass(frozen=True)
class Variant:
    """One kind of model, trained once for every seed."""

    name: str
    sets: tuple[str, ...]
    """Data sets that it learns and is measured on, by the names in `sets`."""
    changes: tuple[str, ...] = ()
    """What is different in `configs/miniature.toml`, as for `train --set`."""
    begin: str = SPEECH
    """Whose encoder it begins with; empty for random numbers."""
    share: str = ""
    """Instead of the whole unseen data set: a share of it, or one sentence."""
    longer: int = 1
    """How many times more epochs, so that little data is learnt in as many steps as much."""
    keeps_decoder: bool = False
    """It begins with all of that model and not with the encoder alone."""
    is_only_once: bool = False
    """The first seed is for all: what others begin with, as all of UniTalker's begin with one WavLM."""
    with_strangers: bool = False
    """Also measured as the pivot and as somebody of another data set."""


def variants() -> tuple[Variant, ...]:
    """All of them; those that others begin with come first."""
    return (
        *_listeners(),
        Variant(UNIFIED, ALL, with_strangers=True),
        Variant(LEAVE_OUT, SEEN),
        *(Variant(single(name), (name,)) for name in ALL),
        *(Variant(tuned(name), (name,), _TUNING, UNIFIED, keeps_decoder=True) for name in ALL),
        *_ablations(),
        *_transfers(),
        *_one_shots(),
    )


def single(name: str) -> str:
    """The model of one data set alone."""
    return f"single-{name}"


def tuned(name: str) -> str:
    """The model of all data sets, tuned to one of them."""
    return f"tuned-{name}"


def transfer(begin: str, share: str) -> str:
    """The model of a share of the unseen data set that began with somebody's encoder."""
    return f"{begin or 'scratch'}-to-{share.replace('/', 'of')}"


def chosen(names: list[str], seeds: int) -> Iterator[tuple[Variant, int]]:
    """Runs in an order in which every one can begin: variants by name (all without names), and what they begin with."""
    by_name = {variant.name: variant for variant in variants()}
    wanted = {name for chosen in names or by_name for name in _with_beginnings(chosen, by_name)}
    for seed in range(1, seeds + 1):
        for variant in variants():
            if variant.name in wanted and (seed == 1 or not variant.is_only_once):
                yield variant, seed


def _with_beginnings(name: str, by_name: dict[str, Variant]) -> Iterator[str]:
    while name in by_name:
        yield name
        name = by_name[name].begin


def _listeners() -> Iterator[Variant]:
    """Encoders that learn to tell phones apart, in place of a pretrained WavLM."""
    listening = (
        *("schedule.epochs=16", "schedule.decoder_epochs=0", "schedule.validate_every=8"),
        "losses.motion=1.0",
    )
    yield Variant(SPEECH, (PHONES.name,), listening, SCRATCH, is_only_once=True)
    yield Variant(WAVE, (PHONES.name,), (*listening, *_WAVE_ENCODER), EAR, is_only_once=True)


def _as_toml(encoder: SpeechEncoderConfig) -> str:
    """An inline table."""
    return f"{{{', '.join(f'{name} = {json.dumps(value)}' for name, value in to_plain(encoder).items())}}}"


_WAVE_ENCODER = (f"model.encoder={_as_toml(ENCODER)}",)
"""A transformer behind convolutions, for the one place of the adaptor that a mel encoder does not have."""


def _ablations() -> Iterator[Variant]:
    yield Variant("without-pca", ALL, ("heads.components=0",))
    yield Variant("without-warm-up", ALL, ("schedule.decoder_epochs=0",))
    yield Variant("without-pivot", ALL, ("sampling.pivot=0.0",), with_strangers=True)
    yield Variant("transformer", ALL, ('model.decoder="transformer"',))
    yield Variant("adaptor-2", ALL, ("model.interpolate_position=2",))
    for position in (0, 1):
        changes = (*_WAVE_ENCODER, f"model.interpolate_position={position}")
        yield Variant(f"wave-adaptor-{position}", ALL, changes, WAVE)


def _transfers() -> Iterator[Variant]:
    for fewer in SHARES:
        for begin in (LEAVE_OUT, SPEECH, SCRATCH):
            share = share_name(fewer)
            changes = () if begin else ("schedule.decoder_epochs=0",)
            yield Variant(transfer(begin, share), (UNSEEN.name,), changes, begin, share, longer=2 * fewer)


def _one_shots() -> Iterator[Variant]:
    longer = 2 * SHARES[-1]
    for begin in (LEAVE_OUT, SPEECH):
        yield Variant(transfer(begin, ONE_SHOT), (UNSEEN.name,), (), begin, ONE_SHOT, longer)
    changes = ('learn="decoder"',)
    yield Variant(f"decoder-to-{ONE_SHOT}", (UNSEEN.name,), changes, LEAVE_OUT, ONE_SHOT, longer)
