# SPDX-License-Identifier: GPL-3.0-or-later
"""DiffusionTalker: a teacher that takes noise off motion, and students that do it in fewer and fewer steps."""
