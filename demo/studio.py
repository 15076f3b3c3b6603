# SPDX-License-Identifier: GPL-3.0-or-later
"""The studio: a portrait camera, three lights and a backdrop around the demo head, and settings for a quick render."""

from __future__ import annotations

import bpy
from mathutils import Vector

FACE = Vector((0.0, -0.05, 0.215))
"""What camera and lights look at, from the head's origin, metres."""


def set_up(scene: bpy.types.Scene, head: bpy.types.Object) -> None:
    """Puts camera, lights, backdrop and render settings for a portrait of `head` into `scene`."""
    target = head.location + FACE
    camera(scene, target)
    light(scene, "Key", target, (-0.55, -0.75, 0.50), 11.0, 0.45, (1.0, 0.94, 0.87))
    light(scene, "Fill", target, (0.80, -0.60, 0.05), 3.2, 0.70, (0.85, 0.92, 1.0))
    light(scene, "Rim", target, (0.40, 0.75, 0.45), 12.0, 0.35, (0.95, 0.97, 1.0))
    backdrop(scene, head.location)
    world(scene)
    quick_render(scene)


def camera(scene: bpy.types.Scene, target: Vector) -> None:
    """An 85 mm portrait lens, a little from the side."""
    data = bpy.data.cameras.new("Portrait")
    data.lens = 85.0
    made = bpy.data.objects.new("Portrait", data)
    scene.collection.objects.link(made)
    made.location = target + Vector((0.10, -0.98, 0.03))
    face(made, target)
    scene.camera = made


def face(thing: bpy.types.Object, target: Vector) -> None:
    """Turns a camera or light towards a point."""
    thing.rotation_euler = (target - thing.location).to_track_quat("-Z", "Y").to_euler()


def light(
    scene: bpy.types.Scene, name: str, target: Vector, offset: tuple, watts: float, size: float, colour: tuple
) -> None:
    """One area light that looks at the face."""
    data = bpy.data.lights.new(name, "AREA")
    data.energy, data.size, data.color = watts, size, colour
    made = bpy.data.objects.new(name, data)
    scene.collection.objects.link(made)
    made.location = target + Vector(offset)
    face(made, target)


def backdrop(scene: bpy.types.Scene, floor: Vector) -> None:
    """A matte wall behind the head."""
    mesh = bpy.data.meshes.new("Backdrop")
    wall = [(-2.0, 0.9, -1.0), (2.0, 0.9, -1.0), (2.0, 0.9, 2.0), (-2.0, 0.9, 2.0)]
    mesh.from_pydata([tuple(Vector(corner) + floor) for corner in wall], [], [(0, 1, 2, 3)])
    made = bpy.data.materials.new("Backdrop")
    if made.node_tree is None:
        made.use_nodes = True
    shader = next(node for node in made.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (0.10, 0.135, 0.16, 1.0)
    shader.inputs["Roughness"].default_value = 0.9
    mesh.materials.append(made)
    scene.collection.objects.link(bpy.data.objects.new("Backdrop", mesh))


def world(scene: bpy.types.Scene) -> None:
    """A dim, cool surrounding."""
    made = bpy.data.worlds.new("Studio")
    if made.node_tree is None:
        made.use_nodes = True
    background = next(node for node in made.node_tree.nodes if node.type == "BACKGROUND")
    background.inputs["Color"].default_value = (0.045, 0.05, 0.06, 1.0)
    scene.world = made


def quick_render(scene: bpy.types.Scene, samples: int = 12) -> None:
    """Cycles with few samples, few bounces and the denoiser; the scene stays loaded from frame to frame."""
    scene.render.engine = "CYCLES"
    scene.cycles.samples = samples
    scene.cycles.use_adaptive_sampling = True
    scene.cycles.use_denoising = True
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.max_bounces = 3
    scene.render.use_persistent_data = True
    scene.render.resolution_x = scene.render.resolution_y = 720
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "AgX"
