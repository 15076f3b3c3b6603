# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory: large tensors are freed and wanted again in every step, and the C library should keep them for it."""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""Parameters of glibc's mallopt(3)."""
NEVER, TOP_PAD = 2**31 - 1, 64 << 20


def keep_freed() -> None:
    """Give nothing back to the system from now on: getting it again, page by page, takes up to a third of a step.

    Where the C library is not glibc, nothing happens.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    library = ctypes.CDLL(None)
    for parameter, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, NEVER), (M_TOP_PAD, TOP_PAD)):
        library.mallopt(parameter, value)
