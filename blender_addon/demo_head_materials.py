# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of the demo head, as principled shaders that every renderer of Blender understands."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

TINT = "Tint"
"""The mesh's colour attribute with the colour of the skin."""


@dataclass(frozen=True)
class Surface:
    """What the principled shader is told about one material."""

    colour: tuple[float, float, float]
    roughness: float
    subsurface: float = 0.0
    """How strongly light wanders under the surface."""
    wet: float = 0.0
    """Weight of the clear coat."""
    tinted: bool = False
    """Takes its colour from the mesh instead."""


SURFACES = {
    "Skin": Surface((0.60, 0.36, 0.26), 0.44, subsurface=0.12, tinted=True),
    "Mouth": Surface((0.16, 0.03, 0.03), 0.35),
    "Eye White": Surface((0.80, 0.77, 0.74), 0.25, wet=1.0),
    "Iris": Surface((0.10, 0.19, 0.26), 0.30, wet=1.0),
    "Pupil": Surface((0.004, 0.004, 0.004), 0.20, wet=1.0),
    "Teeth": Surface((0.78, 0.72, 0.62), 0.22, wet=0.5),
    "Gums": Surface((0.48, 0.14, 0.13), 0.30, wet=0.5),
    "Tongue": Surface((0.48, 0.16, 0.15), 0.38, wet=0.4),
    "Brows": Surface((0.035, 0.02, 0.014), 0.55),
}
SCATTER_SCALE = 0.004
"""How far light wanders under the skin, in metres."""


def material(name: str) -> bpy.types.Material:
    """A new material for one part of the head."""
    made = bpy.data.materials.new(name)
    if made.node_tree is None:
        made.use_nodes = True
    surface = SURFACES[name]
    shader = next(node for node in made.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    made.diffuse_color = (*surface.colour, 1.0)
    made.roughness = surface.roughness
    values = {
        "Base Color": (*surface.colour, 1.0),
        "Roughness": surface.roughness,
        "Subsurface Weight": surface.subsurface,
        "Subsurface Scale": SCATTER_SCALE,
        "Coat Weight": surface.wet,
        "Coat Roughness": 0.04,
    }
    for socket, value in values.items():
        shader.inputs[socket].default_value = value
    if surface.tinted:
        tint = made.node_tree.nodes.new("ShaderNodeAttribute")
        tint.attribute_name = TINT
        made.node_tree.links.new(tint.outputs["Color"], shader.inputs["Base Color"])
    return made
