# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be generated: all that the panel, the command line or a job file says of one lip sync. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .performing.options import PerformanceOptions
from .phones import Phone
from .vertices.options import MeshOptions
from .writing.options import WritingOptions


@dataclass(frozen=True)
class Choice:
    """What to generate: names and numbers only."""

    scene: str
    strip: str
    """Name of a sound strip; empty where `audio` is spoken."""
    character: str
    """Name of the object with the shape keys."""
    audio: str = ""
    """Path of a sound file to speak without a strip, from `first_frame` on."""
    first_frame: int = 1
    model: str = "default"
    space: str = ""
    """A FaceSpace of the model; empty: its first one."""
    identity: str = "pivot"
    strength: float = 1.0
    action: str = ""
    """Name of a new action; empty: one made of the strip's and the character's name."""
    profile: str = ""
    """A rig profile's id, or the path of one; empty: what the character carries, or what it is recognised as."""
    transcript: str = ""
    """What is spoken, for the lips to follow; empty where nobody has written it down."""
    sidecar: bool = False
    """The transcript is to be read from the text file beside the sound."""
    language: str = "en"
    """Of the transcript, as espeak-ng names it."""
    phones_file: str = ""
    """Where the phones are saved, as .TextGrid or .json; empty: nowhere."""
    motion_file: str = ""
    """Where the motion is saved for other programs, as .csv, .json or .npz; empty: nowhere."""
    visemes: tuple[Phone, ...] = ()
    """Phones with the strengths that their spans are written with; empty: all as the model gives them."""
    raw: bool = False
    """The model's own numbers: no rest pose is subtracted, no level of the voice made even."""
    performance: PerformanceOptions = field(default_factory=PerformanceOptions)
    """What only a model that denoises can be asked for."""
    writing: WritingOptions = field(default_factory=WritingOptions)
    """How the keys are written."""
    mesh: MeshOptions = field(default_factory=MeshOptions)
    """How the motion is kept where the model moves the whole mesh."""

    @property
    def title(self) -> str:
        """What is spoken: the strip's or the file's name."""
        return self.strip or Path(self.audio).stem
