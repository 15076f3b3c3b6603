# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of the demo head, as principled shaders that every renderer of Blender understands."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

TINT = "Tint"
"""The mesh's colour attribute with the colour of skin and eyes."""
GRAIN = "Grain"
"""The mesh's vector attribute with the coordinates of fine texture."""


@dataclass(frozen=True)
class Surface:
    """What the principled shader is told about one material."""

    colour: tuple[float, float, float]
    roughness: float
    subsurface: float = 0.0
    """How strongly light wanders under the surface."""
    wet: float = 0.0
    """Weight of the clear coat."""
    sheen: float = 0.04
    """Roughness of the clear coat."""
    tinted: bool = False
    """Takes its colour from the mesh instead."""
    grain: float = 0.0
    """How many waves of texture there are per unit of the grain's coordinates; 0 for a plain surface."""
    contrast: float = 0.0
    """How much darker the grain's valleys are."""
    relief: float = 0.0
    """Depth of the grain as bumps."""
    glow: float = 0.0
    """A little light of its own, for what shines through from behind."""


SURFACES = {
    "Skin": Surface((0.62, 0.33, 0.215), 0.50, subsurface=0.12, tinted=True),
    "Lips": Surface((0.45, 0.125, 0.105), 0.36, subsurface=0.12, wet=0.25, sheen=0.2, tinted=True),
    "Wet Rim": Surface((0.44, 0.195, 0.145), 0.30, wet=0.8, tinted=True),
    "Mouth": Surface((0.22, 0.045, 0.04), 0.32, wet=0.4, tinted=True, glow=0.10),
    "Eye White": Surface((0.80, 0.77, 0.74), 0.30, wet=0.4, tinted=True),
    "Iris": Surface((0.02, 0.055, 0.075), 0.60, tinted=True, grain=2.2, contrast=0.40),
    "Pupil": Surface((0.0, 0.0, 0.0), 1.0),
    "Teeth": Surface((0.86, 0.80, 0.70), 0.22, wet=0.45, tinted=True, glow=0.20),
    "Gums": Surface((0.50, 0.17, 0.155), 0.28, wet=0.7, glow=0.05),
    "Tongue": Surface((0.52, 0.18, 0.165), 0.36, wet=0.5, tinted=True, grain=1.2, relief=0.25, glow=0.05),
    "Brows": Surface((0.06, 0.032, 0.020), 0.60, tinted=True, grain=2.2, contrast=0.6, relief=0.5),
    "Hair": Surface((0.105, 0.046, 0.022), 0.42, tinted=True, grain=4.5, contrast=0.35, relief=0.35),
    "Lashes": Surface((0.012, 0.008, 0.006), 0.6),
}
SCATTER_SCALE = 0.004
"""How far light wanders under the skin, in metres."""
SOLID_LIGHT = 1.6
"""Power by which colours are brought closer to white for the viewport's solid shading, whose lights are dim."""


def material(name: str) -> bpy.types.Material:
    """A new material for one part of the head."""
    made = bpy.data.materials.new(name)
    if made.node_tree is None:
        made.use_nodes = True
    if name == "Cornea":
        make_clear(made)
    else:
        make_solid(made, SURFACES[name])
    return made


def make_solid(made: bpy.types.Material, surface: Surface) -> None:
    """Sets the principled shader, and its colour and bumps where the surface has some."""
    links = made.node_tree.links
    shader = next(node for node in made.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    made.diffuse_color = (*(1.0 - (1.0 - part) ** SOLID_LIGHT for part in surface.colour), 1.0)
    made.roughness = surface.roughness
    made.metallic = 0.0 if any(surface.colour) else 1.0  # black metal mirrors nothing: black in solid shading too
    set_values(shader, surface)
    waves = noise(made, surface.grain) if surface.grain else None
    colour = attribute(made, TINT).outputs["Color"] if surface.tinted else None
    if surface.contrast:
        colour = shaded(made, colour, surface, waves)
    if colour:
        links.new(colour, shader.inputs["Base Color"])
        if surface.glow:
            links.new(colour, shader.inputs["Emission Color"])
    if surface.relief:
        links.new(bumps(made, waves, surface.relief), shader.inputs["Normal"])


def set_values(shader: bpy.types.Node, surface: Surface) -> None:
    """What is the same all over a surface."""
    values = {
        "Base Color": (*surface.colour, 1.0),
        "Roughness": surface.roughness,
        "Subsurface Weight": surface.subsurface,
        "Subsurface Scale": SCATTER_SCALE,
        "Coat Weight": surface.wet,
        "Coat Roughness": surface.sheen,
        "Emission Color": (*surface.colour, 1.0),
        "Emission Strength": surface.glow,
    }
    for socket, value in values.items():
        shader.inputs[socket].default_value = value
    shader.subsurface_method = "BURLEY"  # a third of the price of a random walk, and here nobody sees a difference


def bumps(made: bpy.types.Material, waves: bpy.types.NodeSocket, relief: float) -> bpy.types.NodeSocket:
    """Normals of a surface that waves of up to a millimetre go through."""
    bump = made.node_tree.nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = relief
    bump.inputs["Distance"].default_value = 0.001
    made.node_tree.links.new(waves, bump.inputs["Height"])
    return bump.outputs["Normal"]


def attribute(made: bpy.types.Material, name: str) -> bpy.types.Node:
    """A node that reads an attribute of the mesh."""
    node = made.node_tree.nodes.new("ShaderNodeAttribute")
    node.attribute_name = name
    return node


def noise(made: bpy.types.Material, scale: float) -> bpy.types.NodeSocket:
    """Noise along the grain, 0 to 1."""
    node = made.node_tree.nodes.new("ShaderNodeTexNoise")
    node.inputs["Scale"].default_value = scale
    node.inputs["Detail"].default_value = 1.0
    made.node_tree.links.new(attribute(made, GRAIN).outputs["Vector"], node.inputs["Vector"])
    return node.outputs[0]


def shaded(
    made: bpy.types.Material, colour: bpy.types.NodeSocket | None, surface: Surface, waves: bpy.types.NodeSocket
) -> bpy.types.NodeSocket:
    """The colour darkened in the valleys of the grain and lightened on its ridges."""
    nodes, links = made.node_tree.nodes, made.node_tree.links
    strength = nodes.new("ShaderNodeMapRange")
    strength.inputs["From Min"].default_value, strength.inputs["From Max"].default_value = 0.3, 0.7
    strength.inputs["To Min"].default_value = 1.0 - surface.contrast
    strength.inputs["To Max"].default_value = 1.0 + surface.contrast
    links.new(waves, strength.inputs["Value"])
    scaled = nodes.new("ShaderNodeVectorMath")
    scaled.operation = "SCALE"
    scaled.inputs[0].default_value = surface.colour
    if colour:
        links.new(colour, scaled.inputs[0])
    links.new(strength.outputs["Result"], scaled.inputs["Scale"])
    return scaled.outputs["Vector"]


def make_clear(made: bpy.types.Material) -> None:
    """A clear coat that light passes straight through, with a soft reflection; no slow refraction."""
    nodes, links = made.node_tree.nodes, made.node_tree.links
    output = next(node for node in nodes if node.type == "OUTPUT_MATERIAL")
    nodes.remove(next(node for node in nodes if node.type == "BSDF_PRINCIPLED"))
    clear, glossy = nodes.new("ShaderNodeBsdfTransparent"), nodes.new("ShaderNodeBsdfGlossy")
    edge, mix = nodes.new("ShaderNodeFresnel"), nodes.new("ShaderNodeMixShader")
    glossy.inputs["Roughness"].default_value = 0.05
    edge.inputs["IOR"].default_value = 1.5
    links.new(edge.outputs["Fac"], mix.inputs["Fac"])
    links.new(clear.outputs["BSDF"], mix.inputs[1])
    links.new(glossy.outputs["BSDF"], mix.inputs[2])
    links.new(mix.outputs["Shader"], output.inputs["Surface"])
    made.diffuse_color = (1.0, 1.0, 1.0, 0.0)  # solid shading knows no reflections: it would hide the pupil in grey
    made.surface_render_method = "BLENDED"
