# SPDX-License-Identifier: GPL-3.0-or-later
"""What files and models contain, in a word: a run that goes on must find the same again, under whatever name."""

from __future__ import annotations

import hashlib
from pathlib import Path

from torch import nn

DIGITS = 12


def of_file(path: Path) -> str:
    """The first digits of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]


def of_tensors(module: nn.Module) -> str:
    """The same of all names and tensors of a module, wherever they are stored."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()[:DIGITS]
