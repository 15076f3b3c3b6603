# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear under their names only when they are whole. No bpy."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write a file; where that fails (`OSError`), the one that was there stays, and nothing else does."""
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")  # short: every name that a disk takes can be written
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
