# SPDX-License-Identifier: GPL-3.0-or-later
"""What a DiffusionTalker has to hold, measured beside its teacher and the annotation."""
