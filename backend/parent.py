# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices that the process which started this one is gone.

The end of input says so too, but not where another child of the same client has inherited the other end of the pipe.
In a virtual environment on Windows the parent is the environment's launcher, which waits for this process and outlives
Blender: there it is the end of input that tells, and Python lets no other child inherit the pipe.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

SECONDS = 1.0
"""How often POSIX systems are asked who the parent is: of an orphan it is another process."""
_SYNCHRONIZE = 0x00100000
_FOR_EVER = 0xFFFFFFFF


def watch(gone: Callable[[], object]) -> None:
    """Have `gone` called in a thread of its own as soon as the parent has ended."""
    wait = _wait_on_windows if sys.platform == "win32" else _wait_on_posix
    threading.Thread(target=lambda: wait(os.getppid()) and gone(), name="parent", daemon=True).start()


def _wait_on_posix(parent: int) -> bool:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    return True


def _wait_on_windows(parent: int) -> bool:
    """Whether the parent could be waited for; a number does not tell, it stays that of the ended process."""
    import ctypes

    kernel = ctypes.WinDLL("kernel32")  # pyright: ignore[reportAttributeAccessIssue]
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(kernel.OpenProcess(_SYNCHRONIZE, False, parent))
    return bool(handle) and kernel.WaitForSingleObject(handle, _FOR_EVER) == 0
