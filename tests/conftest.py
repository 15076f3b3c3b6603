# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: the repository on the import path."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
