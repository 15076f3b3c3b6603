# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job asks of the backend. It is put together in the sending thread: no bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..backend import protocol

if TYPE_CHECKING:
    from .audio import StripSound
    from .choice import Choice
    from .performing.emotions import Feelings

PIVOT = "pivot"
"""The identity that is nobody in particular."""


@dataclass(frozen=True, eq=False)
class Order:
    """A choice with all that is heard and felt."""

    choice: Choice
    voice: StripSound
    reference: StripSound | None
    """In whose style is spoken; None: in that of the chosen identity."""
    feelings: Feelings | None
    """None: it is left to the model."""

    def request(self, job: int, models: Sequence[protocol.ModelInfo]) -> protocol.Generate:
        """The request of a job; raises `BadInput` where a sound file cannot be read."""
        import numpy as np

        choice, voice = self.choice, self.voice
        fields: dict[str, Any] = {
            "sound": np.frombuffer(voice.read(), np.uint8),
            "start": voice.start,
            "duration": voice.duration,
            "fps": voice.fps,
            **{name: getattr(choice, name) for name in ("model", "space", "identity", "raw", "transcript", "language")},
        }
        return protocol.Generate(job=job, **fields | self._performance(model_of(models, choice.model)))

    def _performance(self, model: protocol.ModelInfo | None) -> dict[str, Any]:
        """The fields for models that denoise."""
        asked = self.choice.performance.possible_with(model, self.choice.space)
        fields: dict[str, Any] = {name: getattr(asked, name) for name in ("steps", "seed", "takes", "guidance")}
        if self.reference and asked.style_from:
            fields |= _style(self.reference, asked.style_as)
            if asked.where_possible:
                fields["identity"] = PIVOT
        feelings = self.feelings if asked.emotions or asked.keyed else None
        if feelings and model and asked.where_possible:
            feelings = feelings.among(model.emotions)
        if feelings and feelings.names:
            fields |= {"emotions": feelings.names, "emotion_seconds": feelings.seconds}
            fields["emotion_weights"] = feelings.weights
        return fields


def _style(reference: StripSound, style_as: str) -> dict[str, Any]:
    import numpy as np

    sound = np.frombuffer(reference.read(), np.uint8)
    where = {"reference_start": reference.start, "reference_duration": reference.duration}
    return {"reference": sound, "style": str(style_as), **where}


def model_of(models: Sequence[protocol.ModelInfo], name: str) -> protocol.ModelInfo | None:
    """What a backend has told about a model; None while that is nothing."""
    return next((model for model in models if model.name == name), None)
