# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of DiffusionTalker: to take noise off motion, and to do in one step what a teacher does in two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from backend.models import diffusion
from backend.models.diffusion_talker import Condition, DiffusionTalker
from backend.models.layers import Lengths
from backend.training.motion.regression import MotionBatch
from backend.training.task import Parts
from torch import Tensor

from . import losses
from .chunks import TalkerBatch
from .config import SamplingConfig


class Told(NamedTuple):
    """What a model makes of the sound of a batch and of who speaks."""

    condition: Condition
    aligned: Tensor
    """[B, T, encoder width]: what is heard at every frame."""
    personal: Tensor
    """[B, personal width]: the personalised embeddings of those who are heard, in no mood."""
    felt: Tensor
    """[B, personal width]: those of whose manner the motion is in, in the mood of the clip."""
    heard: Tensor
    """[B, personal width]: who is heard."""


class Diffusion:
    """To say what a noisy motion is without its noise, by the audio and the person (the teacher)."""

    def __init__(
        self, model: DiffusionTalker, rates: Mapping[str, float], config: SamplingConfig, parts: Parts
    ) -> None:
        """`rates`: frames per second by FaceSpace; `parts` learn."""
        self.model, self.rates, self.config = model, rates, config
        self._parts: Parts = parts

    def parts(self, step: int) -> Parts:
        """The same from the first step on."""
        return self._parts

    def step(self, batch: MotionBatch) -> dict[str, Tensor]:
        """Losses motion, velocity, tremble, contrast, and enhancer where the model has one."""
        model, frames = self.model, batch.lengths.frames
        choices, shown = drawn(batch, self.config), model.head(batch.space).shown
        told = tell(model, batch, self.rates[batch.space], choices)
        x = model.head(batch.space).encode(batch.values, batch.template)
        time = torch.randint(1, model.config.times + 1, (len(x),), device=x.device)
        level = diffusion.level_at(model.levels, time)
        z = diffusion.noisy(x, torch.randn_like(x), level)
        found = model.denoise(batch.space, z, time, told.condition, frames)
        found = model.decide(batch.space, found, told.condition, counts=frames)
        with torch.autocast(x.device.type, enabled=False):  # losses of small differences need all digits
            return {
                "motion": losses.motion(found, x, frames),
                "velocity": losses.velocity(found, x, frames),
                "tremble": losses.tremble(shown(found), shown(x), frames, level.alpha.square()),
                **personal_losses(model, batch, told, found),
            }


class Distillation:
    """To end in one step where the teacher ends in two; Salimans and Ho 2022, algorithm 2."""

    def __init__(
        self,
        model: DiffusionTalker,
        teacher: DiffusionTalker,
        rates: Mapping[str, float],
        config: SamplingConfig,
        largest_weight: float,
        parts: Parts = "all",
    ) -> None:
        """The student takes `model.config.steps` steps and the teacher twice as many on the same time axis.

        `parts` learn; with `denoiser`, the student is built as its teacher and shares all else with it.
        """
        self.model, self.rates, self.config, self.largest_weight = model, rates, config, largest_weight
        self.teacher = teacher.eval().requires_grad_(False)
        self._parts: Parts = parts

    def parts(self, step: int) -> Parts:
        """The same from the first step on."""
        return self._parts

    def step(self, batch: MotionBatch) -> dict[str, Tensor]:
        """Losses motion, velocity and tremble against the distilled target.

        And of what a student does not share with its teacher: contrast, enhancer and alignment.
        """
        space, model, frames = batch.space, self.model, batch.lengths.frames
        choices, rate, shown = drawn(batch, self.config), self.rates[space], model.head(space).shown
        with torch.no_grad():
            taught = tell(self.teacher, batch, rate, choices)
            x = model.head(space).encode(batch.values, batch.template)
            z, time, target = self._lesson(space, x, taught.condition, frames)
        shares_all = self._parts == "denoiser"
        told = taught if shares_all else tell(model, batch, rate, choices)
        found = model.denoise(space, z, time, told.condition, frames)
        if not shares_all:
            target = self.teacher.decide(space, target, taught.condition, counts=frames)
            found = model.decide(space, found, told.condition, counts=frames)
        level = diffusion.level_at(model.levels, time)
        weight = diffusion.distillation_weight(level, self.largest_weight)
        with torch.autocast(x.device.type, enabled=False):
            taken_over = {} if shares_all else self._taken_over(batch, told, taught, found)
            return {
                "motion": losses.motion(found, target, frames, weight),
                "velocity": losses.velocity(found, target, frames, weight),
                "tremble": losses.tremble(shown(found), shown(target), frames, level.alpha.square()),
                **taken_over,
            }

    def _taken_over(self, batch: MotionBatch, told: Told, taught: Told, found: Tensor) -> dict[str, Tensor]:
        """Losses of a student that has to learn to hear and to know people itself."""
        own = personal_losses(self.model, batch, told, found)
        if self.model.alignment is not None:
            read = self.model.alignment(told.aligned.float())
            own["alignment"] = losses.motion(read, taught.aligned.float(), batch.lengths.frames)
        return own

    def _lesson(self, space: str, x: Tensor, condition: Condition, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Noisy motion, its times, and what the student should take it to be so that its step ends where theirs do."""
        config, levels = self.model.config, self.model.levels
        number = torch.randint(1, config.steps + 1, (len(x),), device=x.device)
        time, middle, end = lesson_times(config.times, config.steps, number)
        now, then = diffusion.level_at(levels, time), diffusion.level_at(levels, end)
        z = diffusion.noisy(x, config.liveliness * torch.randn_like(x), now)
        halfway = self.teacher.step(space, z, time, middle, condition, counts=frames)
        taught = self.teacher.step(space, halfway, middle, end, condition, counts=frames)
        return z, time, diffusion.distilled(z, taught, now, then)


def lesson_times(times: int, steps: int, number: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where step `number` int64 [B], 1 to `steps`, of the student begins, where the teacher is halfway, and its end."""
    return number * times // steps, (2 * number - 1) * times // (2 * steps), (number - 1) * times // steps


class Choices(NamedTuple):
    """What is drawn for each chunk of a batch, the same for teacher and student."""

    identity: Tensor
    """int64 [B]: the row that speaks, perhaps the pivot."""
    is_heard: Tensor
    """bool [B]: the person is told as heard; never where a manner is borrowed."""
    is_unheard: Tensor
    """bool [B]: the audio is left out."""


def drawn(batch: MotionBatch, config: SamplingConfig) -> Choices:
    """The choices for a batch; the pivot is the row -1."""
    chance = torch.rand(2, len(batch.identity), device=batch.values.device)
    identity = batch.identity.masked_fill(chance[0] < config.pivot, -1)
    is_heard = (chance[0] > 1 - config.heard) & (voice_of(batch) == batch.identity)
    return Choices(identity, is_heard, chance[1] < config.unheard)


def voice_of(batch: MotionBatch) -> Tensor:
    """int64 [B]: the rows of who is heard."""
    voice = batch.voice if isinstance(batch, TalkerBatch) else None
    return batch.identity if voice is None else voice


def tell(model: DiffusionTalker, batch: MotionBatch, fps: float, choices: Choices) -> Told:
    """What a model makes of a batch: audio encoded once, whatever is denoised by it."""
    features, aligned, counts = _listened(model, batch, fps)
    with torch.autocast(batch.values.device.type, enabled=False):
        personalizer = model.personalizer
        heard = personalizer.heard(features.float(), counts)
        table = personalizer.identities.weight
        rows = choices.identity.where(choices.identity >= 0, len(table) - 1)
        person = torch.where(choices.is_heard[:, None], heard, table[rows])
        emotion = batch.emotion if isinstance(batch, TalkerBatch) else None
        told, felt = (personalizer.fused(each, emotion) for each in (person, table[batch.identity]))
        own = personalizer.fused(table[voice_of(batch)])
    condition = model.condition(aligned, told)
    silent = model.without_audio(condition).audio
    audio = torch.where(choices.is_unheard[:, None, None], silent.to(condition.audio), condition.audio)
    return Told(condition._replace(audio=audio), aligned, own, felt, heard)


def _listened(model: DiffusionTalker, batch: MotionBatch, fps: float) -> tuple[Tensor, Tensor, Tensor | None]:
    """Features, features at every frame, and how many of the former are real (None: all)."""
    lengths: Lengths | None = batch.lengths if batch.is_padded else None
    if isinstance(batch, TalkerBatch) and batch.features is not None:
        return batch.features, batch.features, None if lengths is None else lengths.frames
    model.encoder.train(model.training and any(parameter.requires_grad for parameter in model.encoder.parameters()))
    features = model.hear(batch.audio, lengths)
    counts = None if lengths is None else model.encoder.feature_count(lengths.samples)
    return features, model.aligned(features, batch.values.shape[1], fps), counts


def personal_losses(model: DiffusionTalker, batch: MotionBatch, told: Told, x: Tensor) -> dict[str, Tensor]:
    """Contrast of who speaks with who is heard, and with the upper face that was predicted (the enhancer)."""
    temperature = model.personalizer.temperature()
    found = {"contrast": losses.contrast(told.personal, told.heard, voice_of(batch), temperature)}
    if model.enhancer is not None and batch.space in model.enhancer.upper_face:
        values = model.head(batch.space).decode(x, batch.template)
        seen = model.enhancer(values, batch.space, batch.lengths.frames)
        found["enhancer"] = losses.contrast(told.felt, seen, _moods(batch), temperature)
    return found


def _moods(batch: MotionBatch) -> Tensor:
    """int64 [B]: the same number for the same person in the same mood."""
    if not isinstance(batch, TalkerBatch) or batch.emotion is None:
        return batch.identity
    facts = torch.cat((batch.identity[:, None], (1000 * batch.emotion).round().long()), dim=1)
    return facts.unique(dim=0, return_inverse=True)[1]
