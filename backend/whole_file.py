# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear under their names only when they are whole, and leave the old one as it was where that fails."""

from __future__ import annotations

import contextlib
import errno
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def written(path: Path) -> Iterator[Path]:
    """The path of a new file beside `path`, which takes its place when the block ends well and is gone otherwise.

    Its name is short, so that every name that a disk takes can be written. The folder must be there. An `OSError` out
    of the block has a reason (`strerror`), also where numpy tells none.
    """
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        if error.strerror is None:
            raise OSError(errno.ENOSPC, "the disk took only a part of it", str(path)) from error
        raise
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
