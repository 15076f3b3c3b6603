# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the demo head for the documentation: all 52 shapes, four views, six visemes.

Run in the environment that has bpy: `python -m demo.head.pictures [chart] [turntable] [visemes]`.
"""

from __future__ import annotations

import importlib
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import bpy
import numpy as np
from mathutils import Vector

from demo import extension, studio
from demo.layout import ROOT

Colour: TypeAlias = tuple[float, float, float, float]
FOLDER = ROOT / "docs" / "images"
QUALITY = 88
LABEL_SIZE, LABEL_STRIP = 0.075, 0.125
"""Height of the letters, and of the light strip below the face that they stand on, against the width of a tile."""
LETTERS, PAPER = (0.010, 0.012, 0.015, 1.0), (1.0, 1.0, 1.0, 1.0)
VISEMES = {
    "p b m": {"jawOpen": 0.15, "mouthClose": 0.15, "mouthPress": 0.4},
    "f v": {"mouthRollLower": 0.45, "mouthUpperUp": 0.2, "jawOpen": 0.06},
    "o": {"jawOpen": 0.30, "mouthFunnel": 0.55, "mouthPucker": 0.30},
    "u w": {"jawOpen": 0.10, "mouthPucker": 0.70, "mouthFunnel": 0.30},
    "a": {"jawOpen": 0.55, "mouthLowerDown": 0.28},
    "i": {"jawOpen": 0.08, "mouthSmile": 0.35, "mouthStretch": 0.25, "mouthUpperUp": 0.15, "mouthLowerDown": 0.25},
}
EXPRESSIONS = {
    "neutral": {},
    "smile": {"mouthSmile": 0.75, "cheekSquint": 0.5, "eyeSquint": 0.25, "mouthUpperUp": 0.15, "mouthDimple": 0.2},
    "surprise": {"jawOpen": 0.35, "browInnerUp": 0.8, "browOuterUp": 0.7, "eyeWide": 0.6, "mouthFunnel": 0.2},
    "anger": {"browDown": 0.9, "eyeSquint": 0.5, "noseSneer": 0.6, "mouthPress": 0.5, "mouthFrown": 0.4},
}
"""How the shapes combine: the last tiles of the chart."""
WITH_OTHERS = {"mouthClose": {"jawOpen": 1.0}}
"""Shapes that only make sense on top of another one."""
VIEWS = {"front": 0.0, "three-quarter": 40.0, "profile": 90.0, "back": 155.0}
"""Degrees the head is turned."""


@dataclass(frozen=True)
class Framing:
    """How one kind of picture looks at the head."""

    width: int
    """Pixels of one tile, whose face is square."""
    columns: int
    height: float
    """What the camera looks at, metres above the head's origin."""
    distance: float
    side: float = 0.12
    """How far the camera stands to the side, as a share of the distance."""
    samples: int = 8
    """Of each pixel."""

    @property
    def full_height(self) -> int:
        """Pixels of a tile with its label."""
        return self.width + round(self.width * LABEL_STRIP)


CHART = Framing(240, 8, 0.197, 0.50, samples=16)
TURNTABLE = Framing(460, 4, 0.170, 0.98, side=0.0)
CLOSE_UP = Framing(420, 3, 0.172, 0.30)


class Shoot:
    """The head in the studio, ready to be posed and photographed."""

    def __init__(self, head: bpy.types.Object, framing: Framing) -> None:
        """Sets up the studio around `head` and moves its camera."""
        self.scene, self.head, self.framing = bpy.context.scene, head, framing
        studio.set_up(self.scene, head)
        studio.quick_render(self.scene, samples=framing.samples)
        self.scene.cycles.denoising_quality = "HIGH"
        render = self.scene.render
        render.resolution_x, render.resolution_y = framing.width, framing.full_height
        render.image_settings.file_format = "PNG"
        target = head.location + Vector((0.0, -0.05, framing.height))
        camera = self.scene.camera
        camera.location = target + Vector((framing.side, -1.0, 0.02)).normalized() * framing.distance
        studio.face(camera, target)
        camera.data.sensor_fit, camera.data.shift_y = "HORIZONTAL", -LABEL_STRIP / 2
        reach = camera.data.sensor_width / camera.data.lens * 0.2
        self._hold("Paper", _paper(reach), PAPER, -0.2001)
        self.letters = _letters(reach)
        self._hold("Label", self.letters, LETTERS, -0.2)

    def _hold(self, name: str, shape: bpy.types.Curve | bpy.types.Mesh, colour: Colour, depth: float) -> None:
        """Fix something flat to the camera, in a colour that no light changes."""
        shape.materials.append(studio.glowing(name, colour))
        held = bpy.data.objects.new(name, shape)
        self.scene.collection.objects.link(held)
        held.parent, held.location.z = self.scene.camera, depth

    def tile(self, text: str, pose: dict[str, float], turn: float = 0.0) -> np.ndarray:
        """One picture, [full height, width, 4] from the bottom up."""
        for key in self.head.data.shape_keys.key_blocks:
            key.value = next((pose[name] for name in (key.name, sideless(key.name)) if name in pose), 0.0)
        self.head.rotation_euler.z = math.radians(turn)
        self.letters.body = text
        with tempfile.TemporaryDirectory() as folder:
            self.scene.render.filepath = str(Path(folder) / "tile.png")
            bpy.ops.render.render(write_still=True)
            image = bpy.data.images.load(self.scene.render.filepath)
            pixels = np.empty(self.framing.full_height * self.framing.width * 4, dtype=np.float32)
            image.pixels.foreach_get(pixels)
            bpy.data.images.remove(image)
        return pixels.reshape(self.framing.full_height, self.framing.width, 4)


def _paper(reach: float) -> bpy.types.Mesh:
    """The strip below the face; `reach` is the width of the picture at its depth."""
    left, right, bottom, top = -0.6 * reach, 0.6 * reach, (-0.6 - LABEL_STRIP) * reach, -0.5 * reach
    mesh = bpy.data.meshes.new("Paper")
    mesh.from_pydata([(left, bottom, 0), (right, bottom, 0), (right, top, 0), (left, top, 0)], [], [(0, 1, 2, 3)])
    return mesh


def _letters(reach: float) -> bpy.types.Curve:
    """A line of text in the middle of the strip."""
    curve = bpy.data.curves.new("Label", "FONT")
    curve.align_x, curve.size = "CENTER", LABEL_SIZE * reach
    curve.offset_y = -(0.5 + 0.64 * LABEL_STRIP) * reach
    return curve


def sideless(name: str) -> str:
    """The name of a shape without Left or Right."""
    return name.removesuffix("Left").removesuffix("Right")


def save(tiles: list[np.ndarray], columns: int, path: Path) -> None:
    """The tiles as one JPEG, row by row from the top; an unfilled rest is as light as the labels."""
    blank = np.broadcast_to(tiles[0][0, 0], tiles[0].shape)
    tiles = tiles + [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    sheet = np.vstack(rows[::-1])
    image = bpy.data.images.new(path.stem, sheet.shape[1], sheet.shape[0])
    image.pixels.foreach_set(sheet.ravel())
    image.file_format = "JPEG"
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(filepath=str(path), quality=QUALITY)


def chart(head: bpy.types.Object) -> Iterator[np.ndarray]:
    """Every shape at 1, in Apple's order, and a few expressions."""
    shoot = Shoot(head, CHART)
    for key in list(head.data.shape_keys.key_blocks)[1:]:
        helped = WITH_OTHERS.get(key.name, {})
        yield shoot.tile(" + ".join((key.name, *helped)), {key.name: 1.0} | helped)
    for name, pose in EXPRESSIONS.items():
        yield shoot.tile(name, pose)


def turntable(head: bpy.types.Object) -> Iterator[np.ndarray]:
    """The neutral head from four sides."""
    shoot = Shoot(head, TURNTABLE)
    for name, turn in VIEWS.items():
        yield shoot.tile(name, {}, turn)


def visemes(head: bpy.types.Object) -> Iterator[np.ndarray]:
    """Mouths that a viewer must be able to tell apart."""
    shoot = Shoot(head, CLOSE_UP)
    for name, pose in VISEMES.items():
        yield shoot.tile(name, pose)


PICTURES = {"chart": (chart, CHART), "turntable": (turntable, TURNTABLE), "visemes": (visemes, CLOSE_UP)}


def main(names: list[str]) -> None:
    """Renders the pictures asked for, or all of them."""
    with extension.enabled(ROOT) as package:
        addon = importlib.import_module(f"{package}.blender_addon.demo_head")
        for name in names or PICTURES:
            bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
            make, framing = PICTURES[name]
            save(list(make(addon.build(bpy.context))), framing.columns, FOLDER / f"head_{name}.jpg")


if __name__ == "__main__":
    main(sys.argv[1:])
