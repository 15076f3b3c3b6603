# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages inside the package: a README of their own, and no link to what only the repository has."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Collection
from pathlib import Path

README = Path(__file__).with_name("packaged_readme.md")
"""What lies in the package as README.md; the repository's own shows pictures and leads into docs/."""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def finish(archive: Path) -> None:
    """Rewrite the pages in an archive; everything else stays byte for byte."""
    with zipfile.ZipFile(archive) as packed:
        entries = {entry.filename: (entry, packed.read(entry)) for entry in packed.infolist()}
    names = {*entries, "README.md"}
    entries["README.md"] = (zipfile.ZipInfo("README.md"), README.read_bytes())
    whole = archive.with_suffix(".part")
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as finished:
        for name, (entry, content) in entries.items():
            written = fitted(name, content.decode("utf-8"), names).encode() if name.endswith(".md") else content
            finished.writestr(entry, written, zipfile.ZIP_DEFLATED)
    whole.replace(archive)


def fitted(page: str, text: str, names: Collection[str]) -> str:
    """A page whose links to files that are not among `names` are plain words, and without such pictures."""

    def kept(link: re.Match[str]) -> str:
        if leads_somewhere(page, link[3], names):
            return link[0]
        return "" if link[1] else link[2]

    return _LINK.sub(kept, text)


def dead_links(page: str, text: str, names: Collection[str]) -> list[str]:
    """The targets of a page's links that are not among `names`."""
    return [link[3] for link in _LINK.finditer(text) if not leads_somewhere(page, link[3], names)]


def leads_somewhere(page: str, target: str, names: Collection[str]) -> bool:
    """Whether a link in a page leads to the net, to a heading of the page, or to a file or folder among `names`."""
    if "://" in target or target.startswith("#"):
        return True
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target.partition("#")[0]))
    return path in names or any(name.startswith(f"{path}/") for name in names)
