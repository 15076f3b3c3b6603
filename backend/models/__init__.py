# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks. They open no files and know no targets: numbers in, numbers out."""
