# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the installed extension's backend, says its process number, and waits to be killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from in_window import mouthpiece

session = mouthpiece("session").current
session.start(mouthpiece("preferences").launch())
while session.busy:
    session.pump()
    time.sleep(0.05)
sys.stdout.write(f"backend {session._backend._child.pid}\n")
sys.stdout.flush()
time.sleep(600)
