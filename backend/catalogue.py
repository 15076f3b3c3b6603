# SPDX-License-Identifier: GPL-3.0-or-later
"""The models we know: those that ship with the backend and those in folders that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .checkpoint import CheckpointError, Header, ModelCard, read_header
from .face import Kind
from .models.talker_config import DiffusionTalkerConfig
from .performance import MOST_TAKES
from .settings import SettingsError, from_plain

SHIPPED = Path(__file__).parent / "weights"
SUFFIX = ".safetensors"


class CatalogueError(Exception):
    """A model or a folder of models is not there; the message is one sentence for the user."""


@dataclass(frozen=True)
class Entry:
    """One model, known from the header of its file."""

    name: str
    """The name of the file without its ending."""
    path: Path
    card: ModelCard
    spaces: tuple[str, ...]
    """The default first."""
    kinds: tuple[Kind, ...]
    """Of each space."""
    identities: tuple[str, ...]
    """Without the pivot."""
    bytes: int
    steps: int
    """Denoising steps that it was made for; 0: it does not denoise."""
    most_steps: int
    most_takes: int
    emotions: tuple[str, ...]
    """Those that it can tell from one another; none where it knows one only."""


@dataclass(frozen=True)
class Listing:
    """What lies in the folders."""

    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    """One sentence per file that looks like a model and is none."""


def listing(folders: Sequence[Path] = ()) -> Listing:
    """Every model that ships or lies in one of `folders`; reads no weights. Raises `CatalogueError`."""
    entries, problems = [], []
    for name, path in _files(folders).items():
        try:
            entries.append(_entry(name, path))
        except CheckpointError as error:
            problems.append(str(error))
    return Listing(tuple(entries), tuple(problems))


def find(name: str, folders: Sequence[Path] = ()) -> Path:
    """The file of a known model; never a path that was not in the folders. Raises `CatalogueError`."""
    files = _files(folders)
    if name not in files:
        known = ", ".join(files) or "none; put a model file into a folder and name it with --models"
        raise CatalogueError(f"There is no model “{name}”; known models: {known}.")
    return files[name]


def find_or_open(name: str, folders: Sequence[Path] = ()) -> Path:
    """As `find`, but a user at the command line may also name a model file by its path. Raises `CatalogueError`."""
    path = Path(name)
    if path.suffix == SUFFIX:
        if not path.is_file():
            raise CatalogueError(f"There is no model file {name}; check the path.")
        return path
    if path.is_file() and name not in _files(folders):
        raise CatalogueError(f"{name} is no model file, which ends in {SUFFIX}; `convert` makes one of a checkpoint.")
    return find(name, folders)


def _files(folders: Sequence[Path]) -> dict[str, Path]:
    """Model files by name; of two with one name, the shipped one or the one in the earlier folder counts."""
    files: dict[str, Path] = {}
    for folder in (SHIPPED, *folders):
        if folder is not SHIPPED and not folder.is_dir():
            raise CatalogueError(f"There is no folder {folder} with models; check the path.")
        for path in sorted(folder.glob(f"[!.]*{SUFFIX}")):
            files.setdefault(path.stem, path)
    return files


def _entry(name: str, path: Path) -> Entry:
    header = read_header(path)
    spaces = tuple(space.name for space in header.spaces)
    kinds: tuple[Kind, ...] = tuple(space.kind for space in header.spaces)
    about = (name, path, header.card, spaces, kinds, header.identities, path.stat().st_size)
    if header.model != "diffusion_talker":
        return Entry(*about, steps=0, most_steps=0, most_takes=1, emotions=())
    config = _config(path, header)
    emotions = config.emotions if len(config.emotions) > 1 else ()
    return Entry(*about, config.steps, config.times, MOST_TAKES, emotions)


def _config(path: Path, header: Header) -> DiffusionTalkerConfig:
    try:
        return from_plain(DiffusionTalkerConfig, header.config, "config")
    except SettingsError as error:
        raise CheckpointError(f"{path} is damaged: {error}; get it again.") from error
