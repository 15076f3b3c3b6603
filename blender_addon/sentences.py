# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist is told of the backend: how it is, why it failed, and that it is busy. No bpy."""

from __future__ import annotations

from ..backend import protocol
from .errors import BadInput, MouthpieceError
from .process import Ended

DEVICES = {"cpu": "Processor", "cuda": "Graphics card", "mps": "The Mac's graphics"}


def described(ready: protocol.Ready) -> str:
    """One sentence about a backend that is ready."""
    names = ", ".join(model.name for model in ready.models) or "none"
    return f"The backend works: Mouthpiece {ready.version} on {ready.device}, models: {names}."


def memory(device: str, status: protocol.Status) -> str:
    """Where models run and how much memory is left there, as far as that is known."""
    where = status.device if device == "cuda" and status.device else DEVICES.get(device, device)
    return f"{where}: {status.free / 1e9:.1f} of {status.memory / 1e9:.1f} GB free" if status.memory else where


def at_work() -> BadInput:
    """One job at a time."""
    return BadInput("Mouthpiece is at work already; wait for it or cancel it.")


def stranger(ready: protocol.Ready) -> MouthpieceError:
    """The backend is of another version than the add-on."""
    return MouthpieceError(
        f"The backend speaks version {ready.protocol} of the protocol, this add-on version {protocol.VERSION}. Restart "
        "Blender after an update."
    )


def silent(seconds: float) -> MouthpieceError:
    """A backend that was started has not answered."""
    return MouthpieceError(f"The backend gave no sign of life for {seconds:.0f} s; see its log.")


def failure(failed: protocol.Failed) -> MouthpieceError:
    """A failure without a traceback is one that the artist's input caused."""
    return MouthpieceError(failed.reason) if failed.detail else BadInput(failed.reason)


def obituary(ended: Ended, code: int | None, lines: list[str]) -> MouthpieceError:
    """Why a backend is gone: by its exit code and the last lines of its log."""
    if lines and lines[-1].startswith("error: "):  # it could not even begin: its Python lacks something
        return BadInput(lines[-1].removeprefix("error: "))
    how = ended.reason if code is None else f"exit code {code}"
    if code is not None and code < 0:
        how = "killed, perhaps because memory ran out" if code == -9 else f"ended by signal {-code}"
    return MouthpieceError(f"The backend stopped unexpectedly ({how}). Try again: that starts a new one.")
