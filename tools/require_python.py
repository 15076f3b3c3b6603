# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops `make` with one sentence when this Python cannot run Blender's module, which exists for Python 3.11 only."""

import sys

if sys.version_info[:2] != (3, 11):
    found = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"error: this is Python {found}; the demo and the tests need 3.11, name it with: make PYTHON=python3.11 …")
