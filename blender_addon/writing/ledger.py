# SPDX-License-Identifier: GPL-3.0-or-later
"""What an action remembers of the lip sync in it, so that a later one changes only what belongs to the earlier one.

It lies in the action as one custom property, JSON, and so goes wherever the action goes: copies, undo, other files.
"""

from __future__ import annotations

import base64
import functools
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bpy.types import Action

from ..errors import BadInput
from . import keys

if TYPE_CHECKING:
    import numpy as np

PROPERTY = "mouthpiece"
MOST_BYTES = 64 << 20
"""Of the keys that made room on one curve: almost a million of them."""


@dataclass(frozen=True)
class Record:
    """What a lip sync was generated from."""

    strip: str
    character: str
    model: str
    space: str
    identity: str
    strength: float
    version: str
    """Of Mouthpiece."""
    first_frame: int
    last_frame: int
    fps: float
    shape_keys: tuple[str, ...]
    """What is animated, by the names that the artist sees."""
    take: int = 1
    """Its number among the takes of this strip and character."""
    seed: int | None = None
    """What its noise was drawn by; None where the model has but one answer."""


@dataclass(frozen=True)
class Trace:
    """What a lip sync did to one curve."""

    path: str
    index: int
    first: int
    last: int
    """Its keys lie between these frames."""
    anchors: tuple[float, ...]
    """Frames beside them at which it holds the artist's curve."""
    rest: float
    """What the property was before anything animated it."""
    kept: str
    """The artist's keys that made room, `packed`; empty where there were none."""

    @property
    def target(self) -> tuple[str, int]:
        """Which curve it is."""
        return self.path, self.index


def packed(artists: np.ndarray) -> str:
    """Keys as text, bit for bit."""
    return base64.b64encode(zlib.compress(artists.tobytes(), 1)).decode("ascii") if len(artists) else ""


def unpacked(text: str) -> np.ndarray:
    """Keys out of text, as records of `keys.layout`; raises `BadInput` for what `packed` has not made."""
    import numpy as np

    if not text:
        return keys.none()
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(base64.b64decode(text), MOST_BYTES)  # a .blend may come from anybody
        if not unpacking.eof:
            raise ValueError("cut off, or more than anybody's keys")
        return np.frombuffer(content, keys.layout())
    except (ValueError, TypeError, zlib.error) as problem:
        raise BadInput(
            "The keys of yours that an earlier lip sync put aside in this action are damaged; "
            f"delete its custom property “{PROPERTY}” to go on without them."
        ) from problem


@dataclass(frozen=True)
class Line:
    """One lip sync in an action."""

    record: Record
    slot: int
    """Handle of the slot that its curves lie in; 0 where Blender had no slots, and put all curves into one later."""
    traces: tuple[Trace, ...]
    waiting: tuple[str, ...] = ()
    """Names of the actions that hold its other takes; what has another name now is the artist's."""

    def is_of(self, strip: str, character: str, slot: int) -> bool:
        """Whether another lip sync of this strip and character would take this one's place."""
        return (self.record.strip, self.record.character) == (strip, character) and self.slot in (0, slot)


@dataclass(frozen=True)
class Ledger:
    """All lip syncs in an action."""

    own: bool
    """Whether the action was made by Mouthpiece; else it is the artist's."""
    lines: tuple[Line, ...]
    parked: str = ""
    """The name under which it waits as a take that does not play; empty where it does not wait."""

    @classmethod
    def of(cls, action: Action) -> Ledger:
        """What an action remembers; empty for any action without lip sync."""
        try:
            return _read(action[PROPERTY])
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
            return cls(False, ())

    def store(self, action: Action) -> None:
        """Let an action remember this, or forget everything where no lip sync is left in an action of the artist's."""
        if self.own or self.lines:
            action[PROPERTY] = json.dumps(asdict(self), ensure_ascii=False)
        elif PROPERTY in action:
            del action[PROPERTY]

    def find(self, strip: str, character: str, slot: int) -> Line | None:
        """The line of a strip and character, or None."""
        return next((line for line in self.lines if line.is_of(strip, character, slot)), None)


@functools.lru_cache(maxsize=64)  # panels ask for it each time they are drawn
def _read(text: str) -> Ledger:
    data = json.loads(text)
    return Ledger(data["own"], tuple(_line(line) for line in data["lines"]), data.get("parked", ""))


def _line(data: Mapping[str, Any]) -> Line:
    record = Record(**data["record"] | {"shape_keys": tuple(data["record"]["shape_keys"])})
    traces = tuple(_trace(trace) for trace in data["traces"])
    return Line(record, data["slot"], traces, tuple(data.get("waiting", ())))


def _trace(data: Mapping[str, Any]) -> Trace:
    return Trace(**{**data, "anchors": tuple(data["anchors"])})


def is_own(action: Action) -> bool:
    """Whether an action was made by Mouthpiece."""
    return Ledger.of(action).own
