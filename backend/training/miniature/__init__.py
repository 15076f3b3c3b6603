# SPDX-License-Identifier: GPL-3.0-or-later
"""UniTalker's findings on synthesized data sets that anybody can make."""
