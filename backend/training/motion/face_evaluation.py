# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate motion in any FaceSpace: predict annotated clips and measure how far they are from the annotation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from backend.checkpoint import Model
from backend.face import FaceSpace
from backend.models.diffusion_talker import DiffusionTalker
from backend.models.unitalker import UniTalker
from backend.training.readers.annotated import Split
from torch import Tensor
from tqdm import tqdm

from .clip import Clip
from .metrics import ClipErrors, measure
from .motion_set import MotionSet

Predict = Callable[[Clip, int], Tensor]
"""The motion [frames, dim] of a clip, in the model's unit, spoken by an identity row."""


class Item(NamedTuple):
    """One annotated clip to predict."""

    clip: Clip
    identity: int
    """The row to predict it with: the speaker's own, or the pivot's for speakers that the model does not know."""
    subject: str


def items(prepared: MotionSet, split: Split, identities: Sequence[str]) -> Iterator[Item]:
    """The clips of a split, loaded one by one, each with its speaker's identity row."""
    rows = {name: row for row, name in enumerate(identities)}
    for clip in prepared.split(split):
        yield Item(prepared.load(clip), rows.get(clip.identity, len(identities)), clip.identity)


def predictor(model: Model, space: FaceSpace) -> Predict:
    """What a model predicts on each speaker's own neutral face, and for as many frames as are annotated.

    Of a model that diffuses, the first take.
    """
    return _regression(model, space) if isinstance(model, UniTalker) else _take(model, space)


def _regression(model: UniTalker, space: FaceSpace) -> Predict:
    device = next(model.parameters()).device

    @torch.no_grad()
    def predict(clip: Clip, identity: int) -> Tensor:
        audio, template = (torch.from_numpy(array)[None].to(device) for array in (clip.samples, clip.template))
        row = torch.tensor([identity], device=device)
        return model(audio, space.name, len(clip.motion), row, template[:, None]).values[0].cpu()

    return predict


def _take(model: DiffusionTalker, space: FaceSpace) -> Predict:
    device = next(model.parameters()).device

    def predict(clip: Clip, identity: int) -> Tensor:
        audio, template = (torch.from_numpy(array).to(device) for array in (clip.samples, clip.template))
        values = model.predict(audio[None], space.name, len(clip.motion), torch.tensor([identity], device=device))[0]
        own = model.template(space.name)
        return (values if own is None else values - own + template).cpu()

    return predict


def evaluate(
    predict: Predict,
    space: FaceSpace,
    items: Iterable[Item],
    *,
    styles: Sequence[int] = (),
    in_model_unit: bool = False,
) -> list[ClipErrors]:
    """The errors of every item; with identity rows as `styles`, also how far these differ from each other."""
    return [
        measure(
            space,
            predict(item.clip, item.identity),
            torch.from_numpy(item.clip.motion),
            torch.from_numpy(item.clip.template),
            item.subject,
            styles=[predict(item.clip, style) for style in styles],
            in_model_unit=in_model_unit,
        )
        for item in tqdm(items, "evaluate", unit=" clips")
    ]
