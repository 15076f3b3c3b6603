# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be run to make the backend's own Python environment, and what went wrong where it failed. No bpy.

The environment is a virtual environment of the Python that Blender brings, because that one is always there; of
another Python on this computer only where Blender's lacks a part (some Linux packages leave out ``ensurepip``). pip
installs the packages of ``backend/requirements.lock``, whose hashes it checks. Among them is uv, which then fetches the
build of torch that fits the graphics card, and writes torch's long paths on Windows.
"""

from __future__ import annotations

import enum
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import environment
from .errors import BadInput, MouthpieceError

LOCKS = Path(__file__).parents[1] / "backend"
"""The folder that holds the two files of pinned packages."""
PACKAGES, TORCH = "requirements.lock", "torch.lock"
STAMP = "mouthpiece.json"
"""The file in an environment that is complete; it says what the environment was made from."""
OFFLINE = (
    "Blender may not go online: tick Allow Online Access, here or in Edit > Preferences > System > Network, or choose "
    "a wheel folder."
)
FETCHING = "Installing torch, the largest package"
TRIED = "torch, numpy, transformers, soundfile, soxr, safetensors, tqdm"
PROBE = "import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
PROBE_SECONDS = 20


class Build(enum.Enum):
    """The builds of torch: each is for other hardware."""

    CPU = "cpu"
    GPU = "gpu"
    APPLE = "apple"


ROOM = {Build.CPU: 3 << 30, Build.GPU: 14 << 30, Build.APPLE: 3 << 30}
"""Bytes that must be free: the packages, and beside them what they are unpacked from."""
TORCH_BACKEND = "--torch-backend"
"""The option by which uv asks PyTorch's own index."""
UV_BACKENDS = {Build.CPU: "cpu", Build.GPU: "auto"} if sys.platform != "win32" else {Build.GPU: "auto"}
"""uv's names of the builds that PyTorch's own index has; `auto` asks the graphics driver whether it is CUDA or ROCm.

The general package index has Apple's one build, and for Windows the one for the processor.
"""
PIP_WRITES_TORCH = sys.platform != "win32"
"""Whether pip can unpack torch: a licence in it has 167 letters, too many below the user's folder on Windows."""


@dataclass(frozen=True)
class Step:
    """One command, with what is shown while it runs."""

    title: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """What the artist wants installed, and where."""

    folder: Path
    """The environment; beside it lie `FOLDER.partial` and `FOLDER.old` while it is made and exchanged."""
    build: Build
    wheels: Path | None = None
    """A folder of wheels to install from, without any network."""
    locks: Path = LOCKS


def plan(python: Path, folder: Path, order: Order) -> tuple[Step, ...]:
    """The commands that make a whole environment in `folder`, one after the other; `trial` is still to be run."""
    inside = str(environment.inside_environment(folder))
    pip = (inside, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-cache-dir")
    pip = (*pip, "--progress-bar=off", "--only-binary=:all:")
    packages, torch = (("-r", str(order.locks / name)) for name in (PACKAGES, TORCH))
    uv = (inside, "-I", "-m", "uv", "pip", "install", "--no-cache", "--no-config", "--python", inside)
    if order.wheels:
        local = ("--no-index", "--find-links", str(order.wheels))
        pip = (*pip, *local)
        fetch = (*(pip if PIP_WRITES_TORCH else (*uv, *local)), *torch)
    else:
        backend = (TORCH_BACKEND, UV_BACKENDS[order.build]) if order.build in UV_BACKENDS else ()
        fetch = (*uv, *backend, *torch)
    return (
        Step("Making the environment", (str(python), "-I", "-m", "venv", str(folder))),
        Step("Installing packages", (*pip, "--require-hashes", *packages)),
        Step(FETCHING, fetch),
    )


def trial(folder: Path) -> Step:
    """The command that shows whether a whole environment works on this computer."""
    inside = str(environment.inside_environment(folder))
    return Step("Trying it", (inside, "-I", "-c", f"import {TRIED}"))


def check(order: Order, may_go_online: bool) -> None:
    """Raise `BadInput` where the order cannot be carried out on this computer."""
    if order.wheels is None and not may_go_online:
        raise BadInput(OFFLINE)
    if order.wheels and not order.wheels.is_dir():
        raise BadInput(f"The wheel folder “{order.wheels}” is not there. Choose another one, or none.")
    free = shutil.disk_usage(next(folder for folder in order.folder.parents if folder.is_dir())).free
    if free < ROOM[order.build]:
        raise BadInput(
            f"The backend needs {ROOM[order.build] >> 30} GB of disk while it is installed and {free / 2**30:.1f} GB "
            f"are free. Make room where Blender keeps your files: {order.folder.parent}"
        )


def candidates() -> Iterator[Path]:
    """Pythons that may be able to make the environment, Blender's own first."""
    yield Path(sys.executable)
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        if found := shutil.which(name):
            yield Path(found)
    for folder in sorted((Path.home() / "AppData/Local/Programs/Python").glob("Python31[123]"), reverse=True):
        yield folder / "python.exe"


def find_python(pythons: Iterator[Path]) -> Path:
    """The first that is of a version we know and can make environments; raises `BadInput` where there is none."""
    for python in pythons:
        try:
            done = subprocess.run(
                [python, "-I", "-c", PROBE],
                capture_output=True,
                timeout=PROBE_SECONDS,
                check=False,
                env=environment.without_python(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return python
    raise BadInput(
        "No Python from 3.11 to 3.13 that can make virtual environments was found, not even in this Blender. Install "
        "Python 3.13 (on Debian and Ubuntu also the package python3-venv) and try again."
    )


def fingerprint(locks: Path) -> str:
    """What the pinned packages are, as a short text that changes with them."""
    return hashlib.sha256(b"".join((locks / name).read_bytes() for name in (PACKAGES, TORCH))).hexdigest()[:16]


def stamp(folder: Path, order: Order) -> None:
    """Mark an environment as complete."""
    content = {"packages": fingerprint(order.locks), "build": order.build.value}
    (folder / STAMP).write_text(json.dumps(content), encoding="utf-8")


def is_current(folder: Path, locks: Path) -> bool:
    """Whether a complete environment has just the packages that are pinned now."""
    return _stamped(folder).get("packages") == fingerprint(locks)


def is_made(folder: Path, order: Order) -> bool:
    """Whether a complete environment is just what the order asks for, and can run."""
    wanted = is_current(folder, order.locks) and _stamped(folder).get("build") == order.build.value
    return wanted and environment.has_python(folder)


def _stamped(folder: Path) -> dict[str, object]:
    """What an environment was made from; nothing where it is not complete."""
    try:
        content = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


NO_BUILD = (
    "There is no torch for this system. It needs Windows or Linux with 64 bits (a Linux of 2018 or later), or macOS 14 "
    "on an Apple chip."
)
SENTENCES = (
    (
        ("visual c++ redistributable", "winerror 126]", "winerror 1114]"),
        "Windows lacks the Microsoft Visual C++ Redistributable, or has an old one, and torch needs it. Install "
        "https://aka.ms/vs/17/release/vc_redist.x64.exe by Microsoft, and install again.",
    ),
    (
        ("input/output error",),  # Linux's own os error 5
        "The disk cannot be read or written (input/output error). Look whether it is sound, and install again.",
    ),
    (
        (
            "no space left on device",
            "not enough space on the disk",
            "disk quota exceeded",
            "os error 28",
            "os error 112)",
            "winerror 112]",
        ),
        "The disk is full. Make room where Blender keeps your files, and install again.",
    ),
    (
        ("do not match the hashes", "hash mismatch"),
        "A package is not the one that Mouthpiece was tested with (its checksum differs), and was not installed. "
        "Try again; in a wheel folder, fetch the package anew.",
    ),
    (
        ("permission denied", "access is denied", "winerror 5]", "os error 5)", "read-only file system"),
        "The folder where Blender keeps your files cannot be written to. Change its permissions, and install again.",
    ),
)
"""By what is printed in small letters; Windows prints in its user's language, so that there the numbers tell."""
NO_WHEELS = "no wheels with a matching"
NO_PACKAGE = ("no matching distribution found", "no solution found")
MISSING = re.compile(r"(?:no matching distribution found for|you\s+require)\s+(\S+)", re.IGNORECASE)
"""How pip and uv name the package that they have not found."""
NO_NETWORK = (
    "connection broken",
    "connection refused",
    "dns error",
    "error sending request",
    "failed to establish a new connection",
    "failed to fetch",
    "max retries exceeded",
    "name resolution",
    "network is unreachable",
    "proxyerror",
    "timed out",
)


def explain(step: Step, lines: Sequence[str], wheels: Path | None) -> MouthpieceError:
    """Why a step failed, from the last lines that it has printed, in one sentence for the artist."""
    text = "\n".join(lines).lower()
    for marks, sentence in SENTENCES:
        if any(mark in text for mark in marks):
            return MouthpieceError(sentence)
    if wheels is None and any(mark in text for mark in NO_NETWORK):
        own = TORCH_BACKEND in step.command
        where = "PyTorch's own package index, a server of its own," if own else "The package index"
        return MouthpieceError(
            f"{where} cannot be reached. Look at the network connection and try again, or choose a wheel folder."
        )
    if wheels is None and NO_WHEELS in text:
        return MouthpieceError(NO_BUILD)
    if any(mark in text for mark in NO_PACKAGE):
        where = f"The wheel folder “{wheels}”" if wheels else "The package index"
        missing = MISSING.search(" ".join(lines))
        name = missing[1].rstrip(",.") if missing else "fitting package"
        return MouthpieceError(f"{where} has no {name} for this system and Python. The log has the details.")
    last = next((line for line in reversed(lines) if line), "it printed nothing")
    return MouthpieceError(f"“{step.title}” failed: {last.rstrip('.')}. Open Install Log for all of it.")
