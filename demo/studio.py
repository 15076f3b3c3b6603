# SPDX-License-Identifier: GPL-3.0-or-later
"""The studio: a portrait camera, three lights and a backdrop around the demo head, and settings for a quick render."""

from __future__ import annotations

import bpy
from mathutils import Vector

FACE = Vector((0.0, -0.05, 0.215))
"""What camera and lights look at, from the head's origin, metres."""

BACKDROP_MIDDLE = (0.16, 0.21, 0.24, 1.0)
BACKDROP_EDGE = (0.030, 0.042, 0.052, 1.0)


def set_up(scene: bpy.types.Scene, head: bpy.types.Object) -> None:
    """Puts camera, lights, backdrop and render settings for a portrait of `head` into `scene`."""
    target = head.location + FACE
    camera(scene, target)
    lights(scene, target)
    backdrop(scene, head.location)
    world(scene)
    quick_render(scene)


def lights(scene: bpy.types.Scene, target: Vector, away: float = 1.0) -> None:
    """Key, fill and rim; so many times as far away, larger and stronger, the same light for more than one head."""
    watts = away * away
    light(scene, "Key", target, Vector((-0.52, -0.80, 0.28)) * away, 11.5 * watts, 0.40 * away, (1.0, 0.94, 0.87))
    light(scene, "Fill", target, Vector((0.50, -0.85, -0.12)) * away, 3.4 * watts, 0.60 * away, (0.85, 0.92, 1.0))
    light(scene, "Rim", target, Vector((0.42, 0.72, 0.46)) * away, 2.6 * watts, 0.50 * away, (0.95, 0.97, 1.0))


def camera(scene: bpy.types.Scene, target: Vector) -> None:
    """An 85 mm portrait lens, a little from the side."""
    data = bpy.data.cameras.new("Portrait")
    data.lens = 85.0
    made = bpy.data.objects.new("Portrait", data)
    scene.collection.objects.link(made)
    made.location = target + Vector((0.10, -0.76, 0.01))
    face(made, target)
    scene.camera = made


def face(thing: bpy.types.Object, target: Vector) -> None:
    """Turns a camera or light towards a point."""
    thing.rotation_euler = (target - thing.location).to_track_quat("-Z", "Y").to_euler()


def light(
    scene: bpy.types.Scene, name: str, target: Vector, offset: Vector, watts: float, size: float, colour: tuple
) -> None:
    """One area light that looks at the face."""
    data = bpy.data.lights.new(name, "AREA")
    data.energy, data.size, data.color = watts, size, colour
    made = bpy.data.objects.new(name, data)
    scene.collection.objects.link(made)
    made.location = target + offset
    face(made, target)


def backdrop(scene: bpy.types.Scene, floor: Vector) -> None:
    """A painted cloth behind the head that glows by itself: light sampling on a wall would double the render time."""
    mesh = bpy.data.meshes.new("Backdrop")
    wall = [(-2.0, 0.0, -1.2), (2.0, 0.0, -1.2), (2.0, 0.0, 1.2), (-2.0, 0.0, 1.2)]
    mesh.from_pydata(wall, [], [(0, 1, 2, 3)])
    mesh.materials.append(painted_cloth())
    made = bpy.data.objects.new("Backdrop", mesh)
    made.location = floor + Vector((0.0, 1.1, 0.26))
    scene.collection.objects.link(made)


def painted_cloth() -> bpy.types.Material:
    """Light behind the head, darker towards the edges."""
    made = glowing("Backdrop", BACKDROP_MIDDLE)
    nodes, links = node_tree(made).nodes, node_tree(made).links
    place, spot = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeTexGradient")
    spot.gradient_type = "SPHERICAL"
    paint = nodes.new("ShaderNodeValToRGB")
    paint.color_ramp.interpolation = "EASE"
    paint.color_ramp.elements[0].color = BACKDROP_EDGE
    paint.color_ramp.elements[1].color = BACKDROP_MIDDLE
    links.new(place.outputs["Object"], spot.inputs["Vector"])
    links.new(spot.outputs["Fac"], paint.inputs["Fac"])
    glow = next(node for node in nodes if node.type == "EMISSION")
    links.new(paint.outputs["Color"], glow.inputs["Color"])
    return made


def glowing(name: str, colour: tuple[float, float, float, float]) -> bpy.types.Material:
    """A material that shows its colour without any light and gives none."""
    made = bpy.data.materials.new(name)
    tree = node_tree(made)
    nodes = tree.nodes
    nodes.clear()
    glow, output = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    glow.inputs["Color"].default_value = colour
    tree.links.new(glow.outputs["Emission"], output.inputs["Surface"])
    made.cycles.emission_sampling = "NONE"
    return made


def node_tree(owner: bpy.types.Material | bpy.types.World) -> bpy.types.NodeTree:
    """The shader nodes of a material or world; a Blender before 5.0 makes them on request."""
    if owner.node_tree is None:
        owner.use_nodes = True
    return owner.node_tree


def world(scene: bpy.types.Scene) -> None:
    """A dim, cool surrounding."""
    made = bpy.data.worlds.new("Studio")
    background = next(node for node in node_tree(made).nodes if node.type == "BACKGROUND")
    background.inputs["Color"].default_value = (0.045, 0.05, 0.06, 1.0)
    scene.world = made


def quick_render(scene: bpy.types.Scene, samples: int = 3) -> None:
    """Cycles with few samples and bounces and the fast denoiser: about a second and a half a frame on two cores."""
    cycles, render = scene.cycles, scene.render
    render.engine = "CYCLES"
    cycles.samples = samples
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
    cycles.use_light_tree = False
    cycles.use_denoising = has_denoiser()
    cycles.denoising_prefilter = "FAST"
    if hasattr(cycles, "denoising_quality"):
        cycles.denoising_quality = "FAST"
    render.use_persistent_data = True
    render.resolution_x = render.resolution_y = 720
    render.resolution_percentage = 100
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"


def has_denoiser() -> bool:
    """Blender's own builds bring OpenImageDenoise; some distributions leave it out and refuse to render with it."""
    import _cycles

    return bool(_cycles.with_openimagedenoise)
