# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs pytest inside a real Blender: ``blender -b --python-exit-code 1 --python run_pytest.py -- PACKAGES ARGUMENT…``.

PACKAGES is a folder that has pytest; it comes last on the path, so that everything else is Blender's own.
"""

import sys

packages, *arguments = sys.argv[sys.argv.index("--") + 1 :]
sys.path.append(packages)

import pytest  # noqa: E402

sys.exit(pytest.main(["--import-mode=importlib", "-p", "no:cacheprovider", *arguments]))
