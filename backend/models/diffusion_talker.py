# SPDX-License-Identifier: GPL-3.0-or-later
"""DiffusionTalker: motion by denoising, heard in the audio and personal by contrast.

After "DiffusionTalker: personalization and acceleration for speech-driven 3D face diffuser" (Chen et al., 2023, and the
version of 2025). There is no public code; docs/diffusion_talker.md says what is theirs and what is our choice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from . import diffusion
from .articulator import Articulator
from .audio_encoder import build_encoder
from .denoiser import Denoiser
from .layers import Lengths, PrincipalComponents, at_frames, output_layers
from .mel_encoder import FEATURE_RATE, MelEncoder
from .mel_filters import RATE
from .personalizer import Personalizer, UpperFaceReader
from .regression_ear import RegressionEar, RegressionEarConfig
from .speech_config import SpeechEncoderConfig
from .talker_config import DiffusionTalkerConfig
from .unitalker import HeadConfig

STILLEST = 0.05
"""Numbers that move less than this share of the liveliest are scaled as if they moved that much."""


class Condition(NamedTuple):
    """What motion is denoised by; made once for a sound, whatever the number of steps."""

    audio: Tensor
    """[B, frames, audio width]."""
    personal: Tensor
    """[B, 1, personal width], or a row per frame."""


class MotionHead(nn.Module):
    """The door between the denoiser and the numbers of one FaceSpace.

    Inside, motion is the offset from the neutral face, as PCA coefficients where the space has a basis, shifted and
    scaled to about unit size: noise has to have a size that it can be compared to.
    """

    def __init__(self, config: HeadConfig, width: int, audio_width: int, decided: Sequence[int] = ()) -> None:
        """`decided` numbers are not left to chance: the denoiser neither sees them nor says anything about them."""
        super().__init__()
        self.numbers = config.components or config.dim
        self.inward = nn.Linear(self.numbers, width)
        self.layers = output_layers(width, self.numbers, config.layers)
        self.heard = nn.Linear(audio_width, self.numbers)
        """Straight from what is heard to motion."""
        nn.init.zeros_(self.heard.weight)
        nn.init.zeros_(self.heard.bias)
        with torch.device("cpu"):
            chance = torch.ones(self.numbers)
            chance[list(decided)] = 0
            self.register_buffer("chance", chance, persistent=False)
            self.register_buffer("decided", torch.tensor(decided, dtype=torch.long), persistent=False)
        self.basis = PrincipalComponents(config.components, config.dim) if config.components else None
        self.register_buffer("template", torch.zeros(config.dim) if config.has_template else None)
        self.register_buffer("mean", torch.zeros(self.numbers))
        self.register_buffer("deviation", torch.ones(self.numbers))

    def seen(self, z: Tensor) -> Tensor:
        """Noisy motion [B, T, numbers] as the denoiser sees it, [B, T, width]."""
        return self.inward(z * self.get_buffer("chance"))

    def said(self, hidden: Tensor, audio: Tensor) -> Tensor:
        """What a denoiser says [B, T, numbers], of its last states [B, T, width] and of the audio that it heard.

        What is decided stays at its mean.
        """
        return (self.layers(hidden) + self.heard(audio)).float() * self.get_buffer("chance")

    def shown(self, x: Tensor) -> Tensor:
        """What is left to chance of what is denoised, [B, T, numbers], as large as it is seen: in mean deviations."""
        deviation = self.get_buffer("deviation")
        return x * (self.get_buffer("chance") * deviation / deviation.mean())

    def encode(self, values: Tensor, template: Tensor | None) -> Tensor:
        """Values [B, T, dim] to what is denoised, [B, T, numbers]."""
        offsets = values if template is None else values - template
        coefficients = offsets if self.basis is None else self.basis.encode(offsets)
        return (coefficients - self.get_buffer("mean")) / self.get_buffer("deviation")

    def decode(self, x: Tensor, template: Tensor | None) -> Tensor:
        """What was denoised, [B, T, numbers], to values [B, T, dim]."""
        coefficients = x * self.get_buffer("deviation") + self.get_buffer("mean")
        offsets = coefficients if self.basis is None else self.basis.decode(coefficients)
        return offsets if template is None else offsets + template

    @torch.no_grad()
    def scale_to(self, mean: Tensor, deviation: Tensor) -> None:
        """Take over the statistics [numbers] of what is encoded before it is shifted and scaled."""
        self.get_buffer("mean").copy_(mean)
        self.get_buffer("deviation").copy_(deviation.clamp(min=float(deviation.max()) * STILLEST + 1e-12))


class DiffusionTalker(nn.Module):
    """The model, of a teacher as of a student."""

    def __init__(self, config: DiffusionTalkerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.denoiser.width
        with torch.device("cpu"):  # model files are read into modules without storage; constants need theirs
            levels = diffusion.levels_of(diffusion.signal_shares(config.schedule, config.times, config.shift))
            self.register_buffer("alphas", levels.alpha, persistent=False)
            self.register_buffer("sigmas", levels.sigma, persistent=False)
        ear = config.encoder
        self.encoder = RegressionEar(ear) if isinstance(ear, RegressionEarConfig) else build_encoder(ear)
        audio_width = max(width, config.articulator.width) if config.decided else width
        self.audio = nn.Linear(self.encoder.width, audio_width)
        self.unheard = nn.Parameter(torch.zeros(audio_width))
        """In place of the audio, for what guidance leads away from."""
        self.personalizer = Personalizer(
            config.identity_count, len(config.emotions), config.personal_width, self.encoder.width
        )
        self.denoiser = Denoiser(config.denoiser, audio_width, config.personal_width)
        decided = {region.space: region.numbers for region in config.decided}
        self.heads = nn.ModuleDict(
            {head.space: MotionHead(head, width, audio_width, decided.get(head.space, ())) for head in config.heads}
        )
        counts = {space: len(numbers) for space, numbers in decided.items()}
        self.articulator = (
            Articulator(config.articulator, audio_width, config.personal_width, counts) if decided else None
        )
        upper_faces = {upper.space: upper.numbers for upper in config.enhanced}
        self.enhancer = UpperFaceReader(upper_faces, config.personal_width) if upper_faces else None
        self.alignment = nn.Linear(self.encoder.width, config.aligned_width) if config.aligned_width else None

    @property
    def levels(self) -> diffusion.Level:
        """How noisy every time is, float32 [times + 1]: Metal has no float64."""
        return diffusion.Level(self.get_buffer("alphas"), self.get_buffer("sigmas"))

    @property
    def feature_rate(self) -> float:
        """Audio features per second."""
        encoder = self.config.encoder
        if isinstance(encoder, RegressionEarConfig):
            return encoder.fps
        if isinstance(encoder, SpeechEncoderConfig):
            return RATE / math.prod(encoder.convolution_strides)
        return FEATURE_RATE

    @property
    def mel(self) -> MelEncoder | None:
        """What makes a spectrum of the audio and goes by its level; None for speech encoders."""
        encoder = self.encoder.mel if isinstance(self.encoder, RegressionEar) else self.encoder
        return encoder if isinstance(encoder, MelEncoder) else None

    def hear(self, audio: Tensor, lengths: Lengths | None = None, level: Tensor | None = None) -> Tensor:
        """Audio float32 [B, n] at 16 kHz to features [B, t, encoder width].

        `level` of the speech in a longer sound that `audio` is a piece of, where the encoder goes by it.
        """
        if self.mel is not None:
            return self.encoder(audio, lengths, level)
        return self.encoder(audio, lengths)

    def aligned(self, features: Tensor, frames: int, fps: float) -> Tensor:
        """Features [B, t, C] at the times of frames, [B, frames, C] (`at_frames`)."""
        return at_frames(features, self.feature_rate, frames, fps)

    def condition(self, aligned: Tensor, personal: Tensor) -> Condition:
        """What motion is denoised by, of `aligned` features and personalised embeddings [B, personal width]."""
        return Condition(self.audio(aligned), personal[:, None])

    def without_audio(self, condition: Condition) -> Condition:
        """The same where nothing is heard."""
        return condition._replace(audio=self.unheard.expand_as(condition.audio))

    def denoise(
        self, space: str, z: Tensor, time: Tensor, condition: Condition, counts: Tensor | None = None
    ) -> Tensor:
        """What a noisy motion z [B, T, numbers] at the times int64 [B] is taken to be when it is clean.

        `counts` int64 [B] frames are real where clips are padded.
        """
        head = self.head(space)
        level = diffusion.level_at(self.levels, time)
        noise = diffusion.angle(level)
        hidden = self.denoiser(head.seen(z), condition.audio, condition.personal, noise, counts)
        return diffusion.clean(head.said(hidden, condition.audio), z, level, self.config.prediction)

    def decide(
        self, space: str, x: Tensor, condition: Condition, guidance: float = 1.0, counts: Tensor | None = None
    ) -> Tensor:
        """Clean motion x [B, T, numbers] with what is decided about it; x itself where all is left to chance."""
        numbers = self.head(space).get_buffer("decided")
        if self.articulator is None or not len(numbers):
            return x
        found = self.articulator(space, condition.audio, condition.personal, counts)
        if guidance != 1.0:
            unheard = self.articulator(space, self.without_audio(condition).audio, condition.personal, counts)
            found = diffusion.guided(found, unheard, guidance)
        return x.index_copy(2, numbers, found.expand(len(x), -1, -1))

    def step(
        self,
        space: str,
        z: Tensor,
        time: Tensor,
        then: Tensor,
        condition: Condition,
        guidance: float = 1.0,
        counts: Tensor | None = None,
    ) -> Tensor:
        """One DDIM step of z [B, T, numbers] between times int64 [B]; `counts` as for `denoise`."""
        x = self.denoise(space, z, time, condition, counts)
        if guidance != 1.0:
            x = diffusion.guided(x, self.denoise(space, z, time, self.without_audio(condition), counts), guidance)
        return diffusion.ddim_step(z, x, diffusion.level_at(self.levels, time), diffusion.level_at(self.levels, then))

    def sample(
        self, space: str, z: Tensor, condition: Condition, steps: int | None = None, guidance: float = 1.0
    ) -> Tensor:
        """From noise z [B, T, numbers] to the motion behind it, still encoded; `steps` as trained by default."""
        times = diffusion.sampling_times(self.config.times, steps or self.config.steps)
        for time, then in itertools.pairwise(torch.tensor(times, device=z.device)[:, None].expand(-1, len(z))):
            z = self.step(space, z, time, then, condition, guidance)
        return self.decide(space, z, condition, guidance)

    @torch.no_grad()
    def predict(self, audio: Tensor, space: str, frames: int, identity: Tensor | None = None, seed: int = 0) -> Tensor:
        """One take of a short sound, as `UniTalker.predict`: float32 [B, frames, dim] with the model's template.

        Every row of `audio` float32 [B, n] is given the noise of `seed`; `identity` int64 [B] rows, None for the pivot.
        """
        head, batch = self.head(space), len(audio)
        rows = torch.full((batch,), self.config.identity_count - 1) if identity is None else identity
        personal = self.personalizer.fused(self.personalizer.identities(rows.to(audio.device)))
        aligned = self.aligned(self.hear(audio), frames, frames * RATE / audio.shape[1])
        z = self.noise(seed, 0, frames, space).to(audio.device).expand(batch, -1, -1)
        return head.decode(self.sample(space, z, self.condition(aligned, personal)), self.template(space))

    def noise(self, seed: int, start: int, frames: int, space: str) -> Tensor:
        """float32 [frames, numbers]: what a take begins with, from frame `start` on (`diffusion.noise_field`)."""
        return self.config.liveliness * diffusion.noise_field(seed, start, frames, self.head(space).numbers)

    def head(self, space: str) -> MotionHead:
        """The head of a FaceSpace."""
        return cast("MotionHead", self.heads[space])

    def template(self, space: str) -> Tensor | None:
        """float32 [dim]: the neutral face of a space, in the model's own unit; None where the model keeps none."""
        return self.head(space).get_buffer("template")
