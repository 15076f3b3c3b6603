# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules: from phones and their times to ARKit weights, the targets of the default model.

Every class of phone has a pose and, for each group of channels, a strength. A frame is the mean of the poses around
it, weighted by dominance functions that fall off exponentially from each phone (Cohen and Massaro, "Modeling
coarticulation in synthetic visual speech", 1993). On top of that the lips are forced shut in the closures of p, b and
m, half shut at f and v, and the mouth rests in pauses; the brows rise with accents (`prosody`). Nothing here is taken
from a face capture.

Each table names the studies that its order follows: which sound opens, rounds or resists more than which. No study
gives weights of ARKit shapes, so every number is ours, set by eye on a head and compared with people's recordings.
Held poses are a simplification: what is seen of a sound is a movement (Taylor et al., "Dynamic units of visual speech",
SCA 2012). That jaw and lips are driven apart is how animators work (Edwards et al., "JALI", ACM ToG 35, 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from backend.face import ARKIT_CHANNELS
from backend.phonetics.phones import ARPABET, BILABIALS, CLASSES, LABIODENTALS, VOWELS, Phone, split

from .prosody import brows

CHANNELS: tuple[str, ...] = (
    *("jawOpen", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthPress", "mouthStretch"),
    *("mouthSmile", "mouthLowerDown", "mouthUpperUp", "mouthShrugLower", "mouthShrugUpper", "tongueOut"),
    *("mouthDimple", "jawForward", "mouthClose", "browInnerUp", "browOuterUp"),
)
"""What the rules drive; a name without side stands for both sides of the face."""

_J, _F, _P, _RL, _RU, _PR, _ST, _SM, _LD, _UU, _SL, _SU, _TO, _DI, _JF, _MC, _BI, _BO = range(len(CHANNELS))

# Which consonants share a pose: p, b, m; f, v; th; sh and its kind, as lip readers confuse them (Fisher, "Confusions
# among visually perceived consonants", JSHR 11, 1968; Owens and Blazek, "Visemes observed by hearing-impaired and
# normal-hearing adult viewers", JSHR 28, 1985). The others, one class there (t d s k n g l), and w and r are kept apart
# here, because their jaws and lips differ:
# - Jaws of consonants: s and sh highest, then p, then n, l and k (Recasens, "A study of jaw coarticulatory resistance
#   and aggressiveness", JASA 132, 2012; that p, b and m are as high as s here is ours); lower in velars than in
#   labials, and left to its neighbours by h (Lee, Beckman and Jackson, "Jaw height and consonant place", ASA meeting
#   127, 1994).
# - Jaws of vowels: the more open the vowel, the lower (Lindblom and Sundberg, "Acoustical consequences of lip, tongue,
#   jaw, and larynx movement", JASA 50, 1971). Their lips differ by spread against round and by height (Montgomery and
#   Jackson, "Physical characteristics of the lips underlying vowel lipreading performance", JASA 73, 1983).
# - Lips pushed forward by sh, r and w, rolled in and pressed by p, b and m, the lower one at the teeth in f and v, the
#   tongue between the teeth in th: the places of articulation themselves (Ladefoged and Maddieson, "The sounds of the
#   world's languages", 1996). That r is rounded holds for English; other kinds of r are the class rr.
# jaw fun  puc  rollL rollU press stre smil lower upper shrL shrU tong dimp jawF
POSES: dict[str, tuple[float, ...]] = {
    "sil": (0.01, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "pb": (0.05, 0.0, 0.0, 0.25, 0.18, 0.35, 0.0, 0.0, 0.0, 0.0, 0.08, 0.0, 0.0, 0.0, 0.0),
    "m": (0.06, 0.0, 0.0, 0.16, 0.12, 0.25, 0.0, 0.0, 0.0, 0.0, 0.05, 0.0, 0.0, 0.0, 0.0),
    "fv": (0.06, 0.0, 0.0, 0.45, 0.0, 0.0, 0.0, 0.0, 0.0, 0.22, 0.12, 0.05, 0.0, 0.0, 0.0),
    "th": (0.12, 0.0, 0.0, 0.0, 0.0, 0.0, 0.08, 0.0, 0.15, 0.1, 0.0, 0.0, 0.35, 0.0, 0.0),
    "td": (0.10, 0.0, 0.0, 0.0, 0.0, 0.0, 0.06, 0.0, 0.18, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0),
    "n": (0.11, 0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.0, 0.17, 0.08, 0.0, 0.0, 0.0, 0.0, 0.0),
    "l": (0.15, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.16, 0.08, 0.0, 0.0, 0.12, 0.0, 0.0),
    "sz": (0.05, 0.0, 0.0, 0.0, 0.0, 0.0, 0.22, 0.12, 0.3, 0.15, 0.0, 0.0, 0.0, 0.0, 0.0),
    "sh": (0.08, 0.5, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 0.15, 0.15, 0.0, 0.0, 0.0, 0.0, 0.1),
    "kg": (0.16, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.12, 0.06, 0.0, 0.0, 0.0, 0.0, 0.0),
    "ng": (0.15, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.12, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0),
    "hh": (0.18, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.12, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0),
    "r": (0.10, 0.3, 0.35, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "rr": (0.13, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.16, 0.06, 0.0, 0.0, 0.0, 0.0, 0.0),
    "w": (0.09, 0.15, 0.75, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "y": (0.08, 0.0, 0.0, 0.0, 0.0, 0.0, 0.15, 0.25, 0.15, 0.08, 0.0, 0.0, 0.0, 0.0, 0.0),
    "IY": (0.12, 0.0, 0.0, 0.0, 0.0, 0.0, 0.25, 0.35, 0.2, 0.1, 0.0, 0.0, 0.0, 0.1, 0.0),
    "IH": (0.20, 0.0, 0.0, 0.0, 0.0, 0.0, 0.12, 0.2, 0.2, 0.1, 0.0, 0.0, 0.0, 0.04, 0.0),
    "EH": (0.30, 0.0, 0.0, 0.0, 0.0, 0.0, 0.15, 0.15, 0.28, 0.12, 0.0, 0.0, 0.0, 0.0, 0.0),
    "AE": (0.42, 0.0, 0.0, 0.0, 0.0, 0.0, 0.22, 0.15, 0.32, 0.18, 0.0, 0.0, 0.0, 0.0, 0.0),
    "AA": (0.55, 0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.0, 0.28, 0.12, 0.0, 0.0, 0.0, 0.0, 0.0),
    "AH": (0.28, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.08, 0.0, 0.0, 0.0, 0.0, 0.0),
    "AO": (0.42, 0.4, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.15, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "OW": (0.30, 0.35, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "UH": (0.18, 0.25, 0.35, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "UW": (0.12, 0.25, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "ER": (0.18, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "UE": (0.12, 0.25, 0.65, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}

# Strength of the phone over: jaw, lip shape (round or spread), lip aperture, tongue. One for each pair of phone and
# group, as Cohen and Massaro have it. The order for the jaw of consonants is that of Recasens 2012: s and sh resist
# their neighbours most, p less, n, l and k least. Labials own the opening between the lips, because they are made by
# it; rounded sounds own the lips' shape: u marks a p or b more than i and a do (Sock and Löfqvist, "Resistance of
# bilabials", ASA meeting 125, 1993). That nearly all vowels are equally strong, and the tongue's column, is ours.
STRENGTHS: dict[str, tuple[float, float, float, float]] = {
    "sil": (0.8, 0.5, 0.8, 1.0),
    "pb": (0.9, 0.15, 3.0, 1.0),
    "m": (0.9, 0.15, 3.0, 1.0),
    "fv": (1.0, 0.3, 2.5, 1.0),
    "th": (0.8, 0.3, 1.0, 2.0),
    "td": (0.6, 0.2, 0.5, 0.6),
    "n": (0.6, 0.2, 0.5, 0.6),
    "l": (0.5, 0.2, 0.4, 1.0),
    "sz": (1.2, 0.6, 0.8, 0.6),
    "sh": (0.9, 1.4, 0.8, 0.6),
    "kg": (0.3, 0.1, 0.3, 0.6),
    "ng": (0.3, 0.1, 0.3, 0.6),
    "hh": (0.1, 0.05, 0.1, 0.3),
    "r": (0.5, 0.8, 0.4, 0.6),
    "rr": (0.4, 0.2, 0.4, 0.6),
    "w": (0.8, 1.8, 0.8, 0.6),
    "y": (0.5, 0.6, 0.5, 0.6),
    **dict.fromkeys(VOWELS, (1.0, 1.0, 0.8, 0.6)),
    "AH": (0.7, 0.4, 0.6, 0.6),
    **dict.fromkeys(("UW", "UE", "OW"), (1.0, 1.5, 0.8, 0.6)),
}

_GROUP_OF_CHANNEL = np.array([0, 1, 1, 2, 2, 2, 1, 1, 2, 2, 2, 2, 3, 1, 0, 2, 0, 0])
# That a sound reaches over its neighbours to both sides: Öhman, "Coarticulation in VCV utterances", JASA 39, 1966. That
# its reach is a time and not a number of sounds: Bell-Berti and Harris, "Anticipatory coarticulation: some implications
# from a study of lip rounding", JASA 65, 1979 (others let it grow with the consonants before a vowel: Daniloff and
# Moll, "Coarticulation of lip rounding", JSHR 11, 1968). Rounding that prepares earliest agrees with both; the sizes,
# and that everything falls faster than it rises, are ours, by eye.
_RISE = np.array([0.058, 0.076, 0.045, 0.036])  # seconds; how early each group prepares for a phone
_FALL = np.array([0.036, 0.044, 0.024, 0.032])  # seconds; how long it lingers

# mouthClose closes the lips whatever the jaw does (Apple's ARKit reference), so it has to undo jawOpen; 3 % less: ours.
_CLOSE_RATIO = 0.97  # mouthClose as a share of jawOpen where the lips are shut
# Lips go on moving once they touch, and press on each other (Löfqvist and Gracco, "Lip and jaw kinematics in bilabial
# stop consonant production", JSLHR 40, 1997); how much of that is seen: ours.
_SEAL = {_PR: 0.30, _RL: 0.15, _RU: 0.10}  # a shut mouth presses at least this much
# Ours, by eye. By the same study lips meet at nearly their full speed; this flank is a cosine, which is softer.
_FLANK = 0.055  # seconds from open to shut
_OUTER_BROW = 0.6  # how far the outer end of a brow goes with the inner one; ours, by eye


@dataclass(frozen=True)
class Speech:
    """What is known about one recording: its phones, when the lips are shut, and how loud each phone is."""

    phones: Sequence[Phone]
    closures: Sequence[tuple[float, float]]
    loudness: Sequence[float] | None = None
    """Level of each of `phones` in decibels, on any scale; None where there is no audio."""
    alphabet: str = ARPABET
    accents: Sequence[float] | None = None
    """How much each of `phones` is stressed, 0 to 1 (`prosody.accents`); None where there is no audio."""


def weights(speech: Speech, frames: int, fps: float) -> np.ndarray:
    """float32 [frames, 18]: the channels of `CHANNELS`, 0 to 1, frame i at second i / fps."""
    parts = split(speech.phones, speech.alphabet)
    times = np.arange(frames) / fps
    if not parts:
        return np.zeros((frames, len(CHANNELS)), np.float32)
    poses, strengths = _tables(parts)
    poses[:, _J] *= _jaw_scale(parts, speech)
    curves = _blend(parts, poses, strengths, times)
    _half_close(curves, parts, times)
    _shut(curves, shut_amount(speech.closures, times))
    if speech.accents is not None:
        curves[:, _BI] = brows(speech.accents, speech.phones, times)
        curves[:, _BO] = _OUTER_BROW * curves[:, _BI]
    return np.clip(curves, 0, 1).astype(np.float32)


def to_arkit(curves: np.ndarray) -> np.ndarray:
    """float32 [..., 18] to [..., 52]: both sides alike, zero for what speech does not drive."""
    full = np.zeros((*curves.shape[:-1], len(ARKIT_CHANNELS)), np.float32)
    full[..., DRIVEN] = curves[..., SOURCE]
    return full


def shut_amount(closures: Sequence[tuple[float, float]], times: np.ndarray) -> np.ndarray:
    """float64 [frames]: 1 inside the closures, raised cosine flanks around them, 0 elsewhere."""
    amount = np.zeros(len(times))
    for start, end in closures:
        distance = np.maximum(np.maximum(start - times, times - end), 0)
        amount = np.maximum(amount, 0.5 + 0.5 * np.cos(np.pi * np.minimum(distance / _FLANK, 1)))
    return amount


def _tables(parts: Sequence[Phone]) -> tuple[np.ndarray, np.ndarray]:
    poses = np.array([(*POSES[part.name], 0.0, 0.0, 0.0) for part in parts])
    strengths = np.array([STRENGTHS[part.name] for part in parts])
    return poses, strengths


def _jaw_scale(parts: Sequence[Phone], speech: Speech) -> np.ndarray:
    """float64 [parts]: loud and long vowels open the jaw further; 1 for consonants.

    Loud speech has larger jaw movements and a lower jaw in all vowels (Schulman, "Articulatory dynamics of loud and
    normal speech", JASA 85, 1989). Short vowels are cut off by the closing movement behind them before the jaw is down
    (Edwards, Beckman and Fletcher, "The articulatory kinematics of final lengthening", JASA 89, 1991; Harrington,
    Fletcher and Roberts, J. Phonetics 23, 1995); by the former, length at the end of a phrase alone does not open an
    accented one further, which this rule does not know. The slopes and limits are ours.
    """
    scale = np.ones(len(parts))
    loudness = _loudness_of(parts, speech)
    vowels = np.array([part.name in VOWELS for part in parts])
    if not vowels.any():
        return scale
    usual = np.median(loudness[vowels])
    for index in np.flatnonzero(vowels).tolist():
        length = parts[index].end - parts[index].start
        by_level = np.clip(1 + 0.02 * (loudness[index] - usual), 0.8, 1.15)
        scale[index] = by_level * np.clip(0.85 + 0.2 * (length - 0.03) / 0.09, 0.85, 1.05)
    return scale


def _loudness_of(parts: Sequence[Phone], speech: Speech) -> np.ndarray:
    if speech.loudness is None:
        return np.zeros(len(parts))
    ends = np.array([phone.end for phone in speech.phones])
    middles = np.array([(part.start + part.end) / 2 for part in parts])
    return np.asarray(speech.loudness, float)[np.minimum(np.searchsorted(ends, middles), len(ends) - 1)]


def _blend(parts: Sequence[Phone], poses: np.ndarray, strengths: np.ndarray, times: np.ndarray) -> np.ndarray:
    """float64 [frames, 18]: the dominance-weighted mean of all poses."""
    starts = np.array([part.start for part in parts])
    ends = np.array([part.end for part in parts])
    margin = _margins(parts)
    before = np.maximum((starts + margin)[None] - times[:, None], 0)
    after = np.maximum(times[:, None] - (ends - margin)[None], 0)
    curves = np.empty((len(times), len(CHANNELS)))
    for group in range(strengths.shape[1]):
        dominance = strengths[:, group] * np.exp(-before / _RISE[group] - after / _FALL[group]) + 1e-12
        columns = np.flatnonzero(group == _GROUP_OF_CHANNEL)
        curves[:, columns] = dominance @ poses[:, columns] / dominance.sum(1, keepdims=True)
    return curves


def _margins(parts: Sequence[Phone]) -> np.ndarray:
    """float64 [parts]: seconds from a phone's edge to its plateau: a quarter of it, at most 30 ms for a pause; ours.

    The cap lets the mouth come to rest in a pause instead of holding the last pose for a quarter of it.
    """
    lengths = np.array([part.end - part.start for part in parts])
    silent = np.array([part.name == "sil" for part in parts])
    return np.where(silent, np.minimum(lengths / 4, 0.030), lengths / 4)


def _half_close(curves: np.ndarray, parts: Sequence[Phone], times: np.ndarray) -> None:
    """At f and v the lower lip is at the teeth: the jaw gap is half filled.

    That is what labiodental means (Ladefoged and Maddieson 1996), and the lower lip is raised for them as it is for p
    and b (Löfqvist, "Lip kinematics in long and short stop and fricative consonants", JASA 117, 2005). One half, and
    the jaw that is left free, are ours, by eye.
    """
    spans = [(part.start, part.end) for part in parts if part.name in LABIODENTALS]
    amount = shut_amount(spans, times)
    curves[:, _MC] = np.maximum(curves[:, _MC], 0.5 * amount * np.maximum(curves[:, _J] - 0.06, 0))
    curves[:, _LD] *= 1 - amount


def _shut(curves: np.ndarray, amount: np.ndarray) -> None:
    curves[:, _MC] = np.maximum(curves[:, _MC] * (1 - amount), _CLOSE_RATIO * amount * curves[:, _J])
    curves[:, [_LD, _UU]] *= (1 - amount)[:, None]
    curves[:, [_F]] *= (1 - 0.7 * amount)[:, None]
    for channel, floor in _SEAL.items():
        curves[:, channel] = np.maximum(curves[:, channel], floor * amount)


def _expansion() -> tuple[np.ndarray, np.ndarray]:
    pairs = [
        (ARKIT_CHANNELS.index(full), source)
        for source, name in enumerate(CHANNELS)
        for full in (name, f"{name}Left", f"{name}Right")
        if full in ARKIT_CHANNELS
    ]
    driven, source = np.array(pairs).T
    return driven, source


DRIVEN, SOURCE = _expansion()
"""int64: the ARKit channels that speech drives, and the channel of `CHANNELS` that each of them follows."""

assert set(POSES) == set(STRENGTHS) == set(CLASSES) >= BILABIALS | LABIODENTALS
