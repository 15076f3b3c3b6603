# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh's motion on its way into the file: calculated aside in a thread, put in place in one step.

It is driven as `writing.staging.Writing` is, and leaves the curves to it.
"""

from __future__ import annotations

import secrets
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.types import Object

from ..errors import BadInput, MouthpieceError
from ..writing.ledger import Record
from ..writing.options import WritingOptions
from ..writing.staging import Placed, Writing
from ..writing.strand import Strand
from ..writing.take import Take
from . import cached, fitting, point_cache, refusing, shapes
from .basis import Basis, find
from .options import Keeping, MeshOptions

if TYPE_CHECKING:
    import numpy as np

RETIMING_TOLERANCE = 1e-3
"""Frames: what a straight line of frame numbers may be thinned to."""


class MeshWriting:
    """The motion of one mesh: prepare it with `advance`, put it in place with `commit`, or `discard` it."""

    def __init__(
        self,
        character: Object,
        record: Record,
        frames: np.ndarray,
        neutral: np.ndarray,
        kept: MeshOptions,
        options: WritingOptions,
        name: str,
    ) -> None:
        """Places of the model's vertices float32 [frames, V, 3], and of the face that nothing moves [V, 3].

        Raises `BadInput` where the mesh is not the model's or cannot keep a motion, or no folder for a cache is known.
        """
        options.check()
        refusing.check(character, kept.keeping)
        self.record, self.options, self._name, self._kept = record, options, name, kept
        self.strands: tuple[Strand, ...] = ()
        self._uid, self._rest = character.session_uid, rest_of(character)
        self._cache = cache_file(kept.folder, record) if kept.keeping is Keeping.CACHE else None
        fit = fitting.fit(neutral, self._rest)
        pool = ThreadPoolExecutor(1, "mesh")
        self._made: Future[Basis | int] = pool.submit(self._make, fit, frames, neutral)
        pool.shutdown(wait=False)

    @property
    def fraction(self) -> float:
        """How much of it is prepared, 0 to 1."""
        return 1.0 if self._made.done() else 0.5

    def advance(self, seconds: float = float("inf")) -> bool:
        """Wait for about that long; whether all is prepared. Raises `MouthpieceError` where a cache was not written."""
        deadline = time.perf_counter() + min(seconds, 0.005)
        while not self._made.done() and time.perf_counter() < deadline:
            time.sleep(0.001)
        if self._made.done():
            self._made.result()
        return self._made.done()

    def commit(self) -> Placed:
        """Put modifier or shape keys and their curves in place; where that fails, none of them stays."""
        character, made = self._character(), self._made.result()
        refusing.check(character, self._kept.keeping)  # the artist may have done anything since
        return self._play(character, made) if isinstance(made, int) else self._shape(character, made)

    def discard(self) -> None:
        """Forget what was prepared; a cache that was written for it is deleted."""
        self._made.cancel()
        if self._cache and self._made.done() and not self._made.cancelled() and not self._made.exception():
            self._cache.unlink(missing_ok=True)

    def _make(self, fit: fitting.Fit, frames: np.ndarray, neutral: np.ndarray) -> Basis | int:
        """Runs in a thread: no bpy. The shapes, or the number of frames in the cache that was written."""
        moves = self.record.strength * fit.moves(frames, neutral)
        if self._cache is None:
            size = float((self._rest.max(axis=0) - self._rest.min(axis=0)).max())
            return find(moves, self._kept.tolerance * size)
        point_cache.write(self._cache, self._rest + moves)
        return len(moves)

    def _play(self, character: Object, frames: int) -> Placed:
        before = cached.modifier_of(character, self.record.strip)
        path = _relative(self._cache)
        old = before.filepath if before else None
        modifier = cached.attach(character, self.record.strip, path)
        wider = replace(self.record, first_frame=self.record.first_frame - 1, last_frame=self.record.last_frame + 1)
        plain = replace(self.options, tolerance=RETIMING_TOLERANCE, smoothing=0.0, step=1, blend=0)
        try:
            retiming = Take.of(wider, cached.curves(modifier, frames, self.options.blend))
            placed = self._write(Writing([retiming], plain, self._name))
        except Exception:
            if old is None:
                character.modifiers.remove(modifier)
            else:
                modifier.filepath = old
            raise
        for strand in self.strands:  # as everybody else sees them, from the first frame to the last
            strand.shown = strand.shown[1:-1]
        return placed

    def _shape(self, character: Object, basis: Basis) -> Placed:
        had_keys = character.data.shape_keys is not None
        old = shapes.earlier(character, self.record)
        blocks = shapes.add(character, self.record.strip, basis, self._rest)
        try:
            weights = Take.of(self.record, shapes.curves(blocks, basis))
            placed = self._write(Writing([weights], self.options, self._name))
        except Exception:
            for block in blocks:
                character.shape_key_remove(block)
            if not had_keys:
                character.shape_key_clear()
            raise
        for name in old:
            character.shape_key_remove(character.data.shape_keys.key_blocks[name])
        return placed

    def _write(self, writing: Writing) -> Placed:
        writing.advance()
        placed = writing.commit()
        self.record = replace(writing.record, first_frame=self.record.first_frame, last_frame=self.record.last_frame)
        self.strands = writing.strands
        return placed

    def _character(self) -> Object:
        found = next((thing for thing in bpy.data.objects if thing.session_uid == self._uid), None)
        if found is None or len(found.data.vertices) != len(self._rest):
            raise MouthpieceError(
                f"The mesh of “{self.record.character}” was changed meanwhile. Click Apply Last Result."
            )
        return found


def rest_of(character: Object) -> np.ndarray:
    """The places of a mesh's vertices at rest, float32 [V, 3]."""
    import numpy as np

    mesh = character.data
    points = mesh.shape_keys.reference_key.data if mesh.shape_keys else mesh.vertices
    rest = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", rest)
    return rest.reshape(-1, 3)


def cache_file(folder: str, record: Record) -> Path:
    """Where a cache goes: a name of its own every time, so that an undo finds the earlier one again.

    Raises `BadInput` where the folder is relative to a .blend that was never saved.
    """
    if folder.startswith("//") and not bpy.data.filepath:
        raise BadInput("Save the file first: the point cache goes beside it. Or choose another folder, or shape keys.")
    name = bpy.path.clean_name(f"{record.character} {record.strip}", replace=" ")
    return Path(bpy.path.abspath(folder)) / f"{name[:80]} {secrets.token_hex(4)}.pc2"


def _relative(path: Path | None) -> str:
    """As Blender keeps it: beside a saved .blend, relative to it."""
    return bpy.path.relpath(str(path)) if bpy.data.filepath else str(path)
