# SPDX-License-Identifier: GPL-3.0-or-later
"""The model files that are there, as their headers tell it: no backend has to run for that. No bpy.

A model file is a ``.safetensors`` whose metadata entry ``mouthpiece`` is one JSON object with spaces, identities and a
card (name, title, licence, training). The backend checks it whole before it uses it; here it is only shown.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUFFIX = ".safetensors"
MOST_HEADER_BYTES = 100_000_000
"""As the format allows."""
DENOISING = "diffusion_talker"
"""What model files call the kind of model that performs a line in several ways."""


@dataclass(frozen=True)
class ModelFile:
    """One file, in the artist's words."""

    path: Path
    bytes: int
    is_own: bool
    """Whether it lies in the artist's folder, and not among the shipped ones."""
    title: str = ""
    moves: tuple[str, ...] = ()
    """What it moves, a phrase for each of its face spaces."""
    styles: tuple[str, ...] = ()
    """Ways of speaking that it knows besides nobody's in particular."""
    has_takes: bool = False
    """Whether it performs a line in several ways."""
    licence: str = ""
    origin: str = ""
    problem: str = ""
    """Why it cannot be used; everything else about it is unknown then."""

    @property
    def name(self) -> str:
        """What it is called in the panel."""
        return self.path.stem


def listing(shipped: Path, own: Path) -> tuple[ModelFile, ...]:
    """All model files; of two with one name the shipped one counts, as it does for the backend."""
    found = {file.stem: (file, is_own) for folder, is_own in ((own, True), (shipped, False)) for file in _files(folder)}
    return tuple(read(file, is_own=is_own) for file, is_own in sorted(found.values(), key=lambda one: one[1]))


def read(path: Path, *, is_own: bool) -> ModelFile:
    """What the header of a file says; a file that is no model becomes one with a `problem`."""
    try:
        about, size = _about(path), path.stat().st_size
        card, spaces = about["card"], about["spaces"]
        moves = tuple(_phrase(space["name"], space["kind"], int(space["dim"])) for space in spaces)
        origin = _origin(card.get("training", {}), is_own)
        return ModelFile(
            path,
            size,
            is_own,
            title=str(card["title"]),
            moves=moves,
            styles=tuple(map(str, about["identities"])),
            has_takes=about.get("model") == DENOISING,
            licence=str(card["licence"]),
            origin=origin,
        )
    except OSError as problem:
        return ModelFile(path, 0, is_own, problem=f"It cannot be read: {problem.strerror}.")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, struct.error):
        hint = "It is no model of Mouthpiece. Official UniTalker checkpoints have to be converted."
        return ModelFile(path, 0, is_own, problem=hint)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.glob(f"[!.]*{SUFFIX}")) if file.is_file())


def _about(path: Path) -> dict[str, Any]:
    """The JSON object in a file's metadata."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > MOST_HEADER_BYTES:
            raise ValueError("no header is that long")
        header = json.loads(file.read(length))
    return json.loads(header["__metadata__"]["mouthpiece"])


def _phrase(name: str, kind: str, count: int) -> str:
    """A face space in the artist's words; `count` are the numbers that it has for each frame."""
    if name == "arkit":
        return f"{count} ARKit shape keys"
    phrases = {"controls": f"{count} controls", "flame": "a FLAME head", "vertices": "a whole mesh"}
    return f"{phrases.get(kind, kind)} ({name})"


def _origin(training: object, is_own: bool) -> str:
    if not is_own:
        return "Comes with Mouthpiece"
    converted = training.get("converted_from") if isinstance(training, dict) else None
    return f"Converted from {converted}" if converted else "Your own"
