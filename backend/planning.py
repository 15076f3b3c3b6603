# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a model, and whether it can do that.

A `Request` is what anybody may want; `plan` makes a `Plan` of it, which one model can fulfil, or says what it can.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from . import audio, emotions, identities, windows
from .face import FaceSpace
from .performance import Performance
from .version import version

if TYPE_CHECKING:
    from .checkpoint import LoadedModel
    from .models.diffusion_talker import DiffusionTalker

PIVOT = "pivot"
"""The identity that stands for nobody in particular."""
Style: TypeAlias = Literal["nearest", "heard"]
"""How a recording gives a style: by the known identity that sounds most like it, or as its own voice is heard."""
HIGHEST_FPS = 1000.0


class RequestError(Exception):
    """What was asked for is not possible with this model; the sentence says what is."""


@dataclass(frozen=True)
class Request:
    """What kind of motion is wanted."""

    space: str = ""
    """Name of one of the model's face spaces; empty: its first one."""
    fps: float | None = None
    """Frames per second; None: the space's own."""
    identity: str = PIVOT
    """Name, label (`identities.labels`) or row number of the model's identity table, or `PIVOT`."""
    raw: bool = False
    """The model's own numbers: no clamp, rest offset, closing of lips that nearly meet, or audio levelling."""
    performance: Performance = field(default_factory=Performance)
    """What only a model that diffuses can be asked for."""


@dataclass(frozen=True)
class Plan:
    """A request that one model can fulfil."""

    space: FaceSpace
    fps: float
    row: int | None
    """Row of the identity table; None for the pivot."""
    raw: bool
    performance: Performance | None = None
    """None where the model does not diffuse and so has one take."""

    @property
    def channels(self) -> tuple[str, ...]:
        """One name per column of the motion; none where it moves a mesh."""
        return () if self.space.moves_mesh else self.space.channels

    def frames(self, samples: int) -> int:
        """Frames of motion for so many samples at 16 kHz: their seconds times the frame rate, rounded."""
        return windows.frame_count(samples, self.fps)


def plan(loaded: LoadedModel, request: Request) -> Plan:
    """Check a request against a model. Raises `RequestError`."""
    spaces = loaded.spaces
    space = spaces.get(request.space) if request.space else next(iter(spaces.values()))
    if space is None:
        raise RequestError(
            f"The model {loaded.info.name} has no face space “{request.space}”; it has {', '.join(spaces)}."
        )
    fps = space.fps if request.fps is None else request.fps
    if not 1.0 <= fps <= HIGHEST_FPS:
        raise RequestError(f"{fps:g} frames per second are not possible; choose 1 to {HIGHEST_FPS:g}.")
    performance = _performance(loaded, request.performance)
    return Plan(space, fps, _row(loaded, request.identity), request.raw, performance)


def metadata(loaded: LoadedModel, request: Request, take: int = 0) -> dict[str, str | bool | int | float]:
    """What a motion should carry about how it was made; plain JSON values."""
    planned = plan(loaded, request)
    about = {"model": loaded.info.name, "identity": _name(loaded, planned.row), "raw": request.raw}
    about |= {"version": version(), "precision": loaded.precision}
    made = planned.performance
    if made is not None:
        about |= {"seed": made.seeds()[take], "steps": made.steps, "guidance": made.guidance}
        about |= {} if made.style is None else {"identity": "heard"}
        about |= {} if made.emotions is None else {"emotions": emotions.as_text(made.emotions)}
    return about | {"licence": loaded.info.licence}


def styled(loaded: LoadedModel, request: Request, reference: np.ndarray, how: Style) -> Request:
    """The request in the style of a recording (float32 [n], mono, 16 kHz): see `Style`. Raises `RequestError`."""
    from . import takes

    model = _diffusing(loaded)
    if model is None:
        raise RequestError(f"The model {loaded.info.name} hears no style; name one of its identities instead.")
    heard = takes.heard_style(model, reference * np.float32(audio.speech_gain(reference)))
    if how == "heard":
        return replace(request, performance=replace(request.performance, style=heard))
    if not loaded.identities:
        raise RequestError(f"The model {loaded.info.name} knows nobody by name; take the style as it is heard.")
    return replace(request, identity=loaded.identities[takes.nearest_row(model, heard)])


def _performance(loaded: LoadedModel, wanted: Performance) -> Performance | None:
    """What a model that diffuses does; None for another one, which cannot be asked for anything."""
    model = _diffusing(loaded)
    if model is None:
        if asked := wanted.asked():
            raise RequestError(
                f"The model {loaded.info.name} does not diffuse: it has one take and no {' or '.join(asked)} to "
                "choose. Leave that out, or choose a model that does, such as diffusion."
            )
        return None
    known = model.config.emotions
    if strange := [name for name in emotions.named(wanted.emotions or {}) if name not in known]:
        raise RequestError(
            f"The model {loaded.info.name} does not know the emotion {strange[0]}; it knows {', '.join(known)}."
        )
    steps, most = wanted.steps or model.config.steps, model.config.times
    if steps > most:
        raise RequestError(f"{steps} steps are not possible with {loaded.info.name}; choose 1 to {most}.")
    return replace(wanted, steps=steps, guidance=1.0 if wanted.guidance is None else wanted.guidance)


def _diffusing(loaded: LoadedModel) -> DiffusionTalker | None:
    from .models.diffusion_talker import DiffusionTalker

    return loaded.model if isinstance(loaded.model, DiffusionTalker) else None


def _row(loaded: LoadedModel, identity: str) -> int | None:
    names = loaded.identities
    if identity == PIVOT:
        return None
    name = identity if identity in names else identities.labels(names).get(identity)
    if name is not None:
        return names.index(name)
    if identity.isdecimal() and len(identity) < 10 and int(identity) <= len(names):
        return int(identity)  # the row behind the last name is the pivot's
    known = ", ".join(identities.labels(names))
    known = f"it has {known} and pivot; or name a row, 0 to {len(names) - 1}" if names else "use pivot"
    raise RequestError(f"The model {loaded.info.name} has no identity “{identity}”; {known}.")


def _name(loaded: LoadedModel, row: int | None) -> str:
    return PIVOT if row is None or row == len(loaded.identities) else loaded.identities[row]
