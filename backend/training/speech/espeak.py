# SPDX-License-Identifier: GPL-3.0-or-later
"""espeak-ng through its shared library: many voices and languages, phones from its own events (speak_lib.h)."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import re

import numpy as np
from backend.training.errors import EngineError

from .spoken import Prompt, Spoken, tile
from .stops import start_earlier

CLOSURE_SEARCH = (-0.025, 0.085)
"""Seconds around the corrected start of a p or b in which its gap lies."""

_BURST_AFTER_CLOSURE = 0.040
_SHORTEST_PAUSE = 0.060
_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 0x0003
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8 = 1
_LIST_END, _PHONEME = 0, 7
_WORDS_PER_MINUTE = 165
_LANGUAGE_SWITCH = re.compile(r"\(.*\)?")


class _Identity(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identity),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def packages(_voice: str) -> tuple[str, ...]:
    """The Debian packages that bring a voice."""
    return ("espeak-ng",)


def speak(prompt: Prompt) -> Spoken:
    """Speaks with a voice such as "en-us+f3"; raises EngineError where the library or the voice is missing."""
    library, rate = _library()
    if library.espeak_SetVoiceByName(prompt.voice.encode()):
        raise EngineError(f"espeak-ng has no voice {prompt.voice}; install the package espeak-ng-data.")
    library.espeak_SetParameter(_RATE, round(_WORDS_PER_MINUTE / prompt.stretch), 0)
    library.espeak_SetParameter(_PITCH, round(20 + 60 * prompt.pitch), 0)
    library.espeak_SetParameter(_RANGE, round(20 + 70 * prompt.liveliness), 0)
    pieces, marks = _synthesize(library, prompt.text)
    if not pieces:
        raise EngineError(f"espeak-ng said nothing for: {prompt.text}")
    samples = np.concatenate(pieces).astype(np.float32) / 32768
    seconds = [(name, sample / rate) for name, sample in marks]
    phones = start_earlier(tile(_without_short_pauses(seconds), len(samples) / rate), _BURST_AFTER_CLOSURE)
    return Spoken(samples, rate, tuple(phones), "ipa")


@functools.cache
def _library() -> tuple[ctypes.CDLL, int]:
    """The library, started once per process, and its sample rate."""
    name = ctypes.util.find_library("espeak-ng")
    if name is None:
        raise EngineError("espeak-ng is missing; install the package espeak-ng (Debian: apt-get install espeak-ng).")
    library = ctypes.CDLL(name)
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS_IN_IPA)
    if rate <= 0:
        raise EngineError("espeak-ng does not start; install the package espeak-ng-data.")
    return library, rate


def _synthesize(library: ctypes.CDLL, text: str) -> tuple[list[np.ndarray], list[tuple[str, int]]]:
    pieces: list[np.ndarray] = []
    marks: list[tuple[str, int]] = []

    def receive(wave: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        index = 0
        while events[index].type != _LIST_END:
            if events[index].type == _PHONEME:
                marks.append((_phone_name(events[index]), events[index].sample))
            index += 1
        if count > 0:
            pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        return 0

    callback = _Callback(receive)
    library.espeak_SetSynthCallback(callback)
    data = text.encode()
    library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
    return pieces, marks


def _phone_name(event: _Event) -> str:
    """At most 8 bytes, not always terminated; no name at all is a pause."""
    raw = ctypes.string_at(ctypes.addressof(event.id), 8).split(b"\0")[0].decode("utf-8", "ignore")
    return "unseen" if _LANGUAGE_SWITCH.fullmatch(raw) and raw else raw or "sil"


def _without_short_pauses(marks: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Drops the tiny joints that espeak-ng reports inside a phrase, so that they join the phone before them."""
    nexts = [start for _, start in marks[1:]] + [float("inf")]
    return [
        (name, start)
        for (name, start), following in zip(marks, nexts, strict=True)
        if name != "sil" or following - start >= _SHORTEST_PAUSE
    ]
