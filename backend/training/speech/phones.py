# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones moved to `backend.phonetics.phones`."""

from backend.phonetics.phones import *  # noqa: F403
