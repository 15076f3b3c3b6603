# SPDX-License-Identifier: GPL-3.0-or-later
"""A command that runs beside Blender and whose output is read line by line, ended with all that it starts. No bpy."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import environment


class Child:
    """A running command, the leader of a group of its own."""

    def __init__(self, command: Sequence[str], scratch: Path) -> None:
        """Start it, with `scratch` for its temporary files; raises `OSError` where it cannot be started."""
        variables = environment.without_python() | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=variables,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def lines(self) -> Iterator[str]:
        """What it prints, as it comes, up to its end."""
        assert self._process.stdout
        with self._process.stdout as output:
            for line in output:
                yield line.strip()

    def wait(self) -> int:
        """The exit code."""
        return self._process.wait()

    def kill(self) -> None:
        """End it and everything that it has started."""
        if self._process.poll() is not None:
            return
        if sys.platform == "win32":
            subprocess.run(
                ["taskkill", "/T", "/F", "/PID", str(self._process.pid)],
                capture_output=True,
                check=False,
                creationflags=subprocess.CREATE_NO_WINDOW,
            )
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
