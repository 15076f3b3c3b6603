# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that others publish (UniTalker, FLAME, data sets), read without running or believing anything in them."""
