# SPDX-License-Identifier: GPL-3.0-or-later
"""Emotions as the names of published recordings say them, in the words of `backend.emotions`."""

from __future__ import annotations

import re

_RAVDESS = re.compile(r"0[123]-0[12]-(?P<emotion>0[1-8])-(?P<intensity>0[12])-\d\d-\d\d-\d\d(?!\d)")
_RAVDESS_EMOTIONS = {
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "afraid",
    "07": "disgusted",
    "08": "surprised",
}
_RAVDESS_INTENSITIES = {"01": 0.6, "02": 1.0}
_BEAT = re.compile(r"\d+_[^_]+_\d+_(?P<sequence>\d+)_\d+(?!\d)")
_BEAT_EMOTIONS = (
    (range(65, 73), {"happy": 1.0}),
    (range(73, 81), {"angry": 1.0}),
    (range(81, 87), {"sad": 1.0}),
    (range(87, 95), {"disgusted": 0.5}),
    (range(95, 103), {"surprised": 1.0}),
    (range(103, 111), {"afraid": 1.0}),
    (range(111, 119), {"disgusted": 1.0}),
)


def of_ravdess(stem: str) -> dict[str, float]:
    """From MODALITY-CHANNEL-EMOTION-INTENSITY-STATEMENT-REPETITION-ACTOR (Livingstone and Russo 2018, table 1).

    A normal intensity weighs 0.6 and a strong one 1, by our choice; neutral and calm are no emotion, and so is a name
    of another form.
    """
    found = _RAVDESS.match(stem)
    if found is None or found["emotion"] not in _RAVDESS_EMOTIONS:
        return {}
    return {_RAVDESS_EMOTIONS[found["emotion"]]: _RAVDESS_INTENSITIES[found["intensity"]]}


def of_beat(stem: str) -> dict[str, float]:
    """From SPEAKER_NAME_KIND_SEQUENCE_SEQUENCE: the number of the sequence says which emotion was acted (BEAT, 2022).

    Contempt, which has no name here, is half disgust by our choice. A name of another form is no emotion.
    """
    found = _BEAT.match(stem)
    sequence = -1 if found is None else int(found["sequence"])
    return next((dict(weights) for sequences, weights in _BEAT_EMOTIONS if sequence in sequences), {})
