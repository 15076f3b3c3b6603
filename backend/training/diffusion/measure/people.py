# SPDX-License-Identifier: GPL-3.0-or-later
"""People: whether speakers are known by their voice, and whether a changed identity moves as its speaker does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from backend.face import ARKIT_CHANNELS
from backend.training.diffusion.talker_model import Talker

from .scenes import Scene, perform
from .steps import spaced

_SPEECHES = 6
STATISTICS = ("jaw range", "rounding", "asymmetry")


def retrieved(talker: Talker, scenes: Sequence[Scene]) -> float:
    """Share of the scenes whose speaker is the nearest of all identities by what is heard."""
    nearest = _likeness(talker, scenes).argmax(axis=1)
    return float(
        np.mean([talker.identities[row] == scene.identity for row, scene in zip(nearest, scenes, strict=True)])
    )


def rank_correlation(talker: Talker, known: Sequence[Scene], strangers: Sequence[Scene]) -> float:
    """Whether strangers sound like those whose articulation is like theirs.

    For each stranger, Spearman's correlation over the known identities between how alike they sound and how alike the
    statistics of their motion are; the mean over strangers.
    """
    style = _by_identity(known)
    scale = np.stack(list(style.values())).std(axis=0) + 1e-6
    order = [talker.identities.index(name) for name in style]
    found = []
    for name, own in _by_identity(strangers).items():
        scenes = [scene for scene in strangers if scene.identity == name]
        sounds = _likeness(talker, scenes).mean(axis=0)[order]
        moves = [-float(np.linalg.norm((other - own) / scale)) for other in style.values()]
        found.append(np.corrcoef(_ranks(sounds), _ranks(np.array(moves)))[0, 1])
    return float(np.mean(found))


def personalization(
    talker: Talker, space: str, scenes: Sequence[Scene], annotated: Mapping[str, Sequence[Scene]]
) -> dict[str, dict[str, float]]:
    """Correlation over identities between what each makes of the same speech and their annotation.

    By what is taken for their annotation and by statistic; without moods.
    """
    taught = {kind: _by_identity([scene for scene in found if not scene.felt]) for kind, found in annotated.items()}
    names = sorted(set.intersection(*(set(found) for found in taught.values())))
    speech = spaced([scene for scene in scenes if not scene.felt], _SPEECHES)
    acted = [perform(talker, space, [scene.by(name, {}) for scene in speech], [0]).takes[:, 0] for name in names]
    made = np.stack([statistics(motions) for motions in acted])
    return {kind: _correlations(made, np.stack([found[name] for name in names])) for kind, found in taught.items()}


def _correlations(made: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
    """By statistic, of tables [identities, 3]."""
    return {
        name: float(np.corrcoef(made[:, column], wanted[:, column])[0, 1]) for column, name in enumerate(STATISTICS)
    }


def statistics(motions: np.ndarray) -> np.ndarray:
    """float64 [3] of ARKit motions [..., frames, 52]: jaw range, rounding, asymmetry of the smile."""
    flat = motions.reshape(-1, motions.shape[-1]).astype(float)
    jaw, pucker, left, right = (
        flat[:, ARKIT_CHANNELS.index(name)] for name in ("jawOpen", "mouthPucker", "mouthSmileLeft", "mouthSmileRight")
    )
    halves = (left.mean() - right.mean()) / max(left.mean() + right.mean(), 1e-3)
    return np.array([np.percentile(jaw, 95), np.percentile(pucker, 95), halves])


def _by_identity(scenes: Sequence[Scene]) -> Mapping[str, np.ndarray]:
    names = sorted({scene.identity for scene in scenes})
    return {name: statistics(np.stack([each.motion for each in scenes if each.identity == name])) for name in names}


@torch.inference_mode()
def _likeness(talker: Talker, scenes: Sequence[Scene]) -> np.ndarray:
    """float32 [scenes, identities]: how alike what is heard is to each identity's embedding."""
    personalizer = talker.model.personalizer
    features = torch.from_numpy(np.stack([scene.features for scene in scenes])).float()
    known = personalizer.fused(personalizer.identities.weight[:-1])
    return (torch.nn.functional.normalize(personalizer.heard(features), dim=1) @ known.T).numpy()


def _ranks(values: np.ndarray) -> np.ndarray:
    return values.argsort().argsort()
