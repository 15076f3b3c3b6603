# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes models: one loop, its tasks, and a room for each kind of data. Only the command line opens it."""
