# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo head: curves, fields, surfaces and shapes computed from numbers in this folder, in millimetres."""
