# SPDX-License-Identifier: Apache-2.0
"""From raw frames to what people look at: denoised stills, quick looks, the movie and the contact sheet."""

import os
from collections.abc import Sequence
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]
import numpy as np
import OpenEXR  # type: ignore[import-not-found, unused-ignore]

from node.engines.blender.inside.composite import tree_over
from node.engines.exr import FloatArray, Passes

_SHEET_WIDTH: Final = 1600
_SHEET_GAP: Final = 8
_LAYERS: Final = ("combined", "albedo", "normal")


class BadPicture(Exception):
    """A picture that another node delivered cannot be read."""

    code = "bad_result"


def denoise(scene: Any, passes: Passes, prefilter: str = "Accurate") -> FloatArray:
    """The combined pass without its noise (OpenImageDenoise, in the compositor), linear, (height, width, 4)."""
    width, height = passes.size
    guides = [_with_alpha(passes.albedo), _with_alpha(passes.normal)]
    images = [_image(name, pixels) for name, pixels in zip(_LAYERS, (passes.combined, *guides), strict=True)]
    try:
        return _composited(scene, _denoise_tree(images, prefilter), width, height)
    finally:
        for image in images:
            bpy.data.images.remove(image)


def composite(scene: Any, pixels: FloatArray) -> FloatArray:
    """The scene's own compositor over linear pixels, (height, width, 4)."""
    image = _image("render", pixels)
    try:
        return _composited(scene, tree_over(scene, image), pixels.shape[1], pixels.shape[0])
    finally:
        bpy.data.images.remove(image)


def _composited(scene: Any, tree: Any, width: int, height: int) -> FloatArray:
    """What a tree of compositor nodes makes, linear; the tree is removed."""
    path = os.path.join(os.getcwd(), "composited.tmp.exr")
    previous = scene.compositing_node_group
    try:
        _picture_settings(scene, width, height)
        scene.compositing_node_group, scene.render.use_compositing = tree, True
        scene.render.filepath = path
        settings = scene.render.image_settings
        settings.file_format, settings.color_mode = "OPEN_EXR", "RGBA"
        settings.color_depth, settings.exr_codec = "32", "ZIP"
        bpy.ops.render.render(write_still=True, scene=scene.name)
    finally:
        scene.compositing_node_group, scene.render.use_compositing = previous, False
        bpy.data.node_groups.remove(tree)
    pixels: FloatArray = OpenEXR.File(path).channels()["RGBA"].pixels
    os.unlink(path)
    return pixels


def picture(scene: Any, pixels: FloatArray, path: str) -> None:
    """Apply the scene's view transform to linear pixels and write an 8-bit PNG, with alpha only where it is needed."""
    image = _image("picture", pixels, is_data=False)  # Blender saves data as it is, without any transform
    try:
        _picture_settings(scene, pixels.shape[1], pixels.shape[0])
        settings = scene.render.image_settings
        settings.file_format, settings.color_depth = "PNG", "8"
        settings.color_mode = "RGBA" if bool((pixels[..., 3] < 1).any()) else "RGB"
        settings.color_management = "FOLLOW_SCENE"
        image.save_render(path, scene=scene)
    finally:
        bpy.data.images.remove(image)


def shrink(pixels: FloatArray, width: int) -> FloatArray:
    """Average whole blocks of pixels, so that the result is at most ``width`` wide."""
    step = -(-pixels.shape[1] // width)
    rows, columns = max(pixels.shape[0] // step, 1), max(pixels.shape[1] // step, 1)
    used = pixels[: rows * step, : columns * step]
    shape = (rows, used.shape[0] // rows, columns, used.shape[1] // columns, pixels.shape[2])
    averaged: FloatArray = used.reshape(shape).mean(axis=(1, 3), dtype=np.float32)
    return averaged


def movie(stills: Sequence[str], fps: float, path: str) -> None:
    """Encode PNG stills, in this order, as H.264 in MP4."""
    first = bpy.data.images.load(stills[0])
    width, height = first.size
    bpy.data.images.remove(first)
    scene = bpy.data.scenes.new("movie")
    try:
        _movie_settings(scene, width, height, fps, path)
        scene.frame_start, scene.frame_end = 1, len(stills)
        strips = scene.sequence_editor_create().strips
        # A strip each: elements appended to one strip keep uninitialised sizes (Blender 5.0.1 ends on them, sometimes).
        for at, still in enumerate(stills, start=1):
            strips.new_image(name="still", filepath=still, channel=1, frame_start=at, fit_method="ORIGINAL")
        bpy.ops.render.render(animation=True, scene=scene.name)
    finally:
        bpy.data.scenes.remove(scene)


def movie_frame(path: str, at: int, frames: int, size: tuple[int, int]) -> FloatArray:
    """Values over 255 of one frame of a movie, (height, width, 4), row 0 on top; ``at``: from 0; ``size``: (width,
    height) of its stills.

    :raises BadPicture: it does not play, or has another size or number of frames.
    """
    name, even = os.path.basename(path), (size[0] // 2 * 2, size[1] // 2 * 2)
    still = os.path.abspath("movie-frame.png")
    scene = bpy.data.scenes.new("movie")
    try:
        try:
            strip = scene.sequence_editor_create().strips.new_movie(
                name="movie", filepath=path, channel=1, frame_start=1, fit_method="ORIGINAL"
            )
        except RuntimeError as error:
            raise BadPicture(f"{name} does not play: {error}") from error
        element = strip.elements[0]
        found = (element.orig_width, element.orig_height, strip.frame_duration)
        if found != (*even, frames):
            raise BadPicture(f"{name} has {found[2]} frames of {found[0]}x{found[1]}, expected {frames} of {even}")
        _picture_settings(scene, *even)
        scene.render.use_sequencer, scene.render.use_compositing = True, False
        scene.render.image_settings.file_format, scene.render.filepath = "PNG", still
        scene.view_settings.view_transform = "Standard"
        strip.frame_start = 1 - at  # a frame that is set is not, in a scene without a window
        bpy.ops.render.render(write_still=True, scene=scene.name)
    finally:
        bpy.data.scenes.remove(scene)
    try:
        pixels = read_png(still, even)
    except BadPicture as error:  # Blender says nothing of a full disk
        raise OSError(f"the still that was to show {name} is none: {error}") from error
    os.unlink(still)
    return pixels


def contact_sheet(stills: Sequence[str], path: str) -> None:
    """All stills on one picture, in reading order, on a dark ground."""
    pictures = [read_png(still) for still in stills]
    columns = int(np.ceil(np.sqrt(len(pictures))))
    small = [shrink(picture, max(_SHEET_WIDTH // columns, 16)) for picture in pictures]
    height, width = max(item.shape[0] for item in small), max(item.shape[1] for item in small)
    rows = -(-len(small) // columns)
    sheet = np.full(
        (rows * (height + _SHEET_GAP) + _SHEET_GAP, columns * (width + _SHEET_GAP) + _SHEET_GAP, 4), 0.06, np.float32
    )
    sheet[..., 3] = 1
    for index, item in enumerate(small):
        top = _SHEET_GAP + index // columns * (height + _SHEET_GAP)
        left = _SHEET_GAP + index % columns * (width + _SHEET_GAP)
        sheet[top : top + item.shape[0], left : left + item.shape[1]] = item
    image = bpy.data.images.new("sheet", sheet.shape[1], sheet.shape[0], alpha=False)
    image.pixels.foreach_set(sheet[::-1].ravel())
    image.filepath_raw, image.file_format = path, "PNG"
    image.save()
    bpy.data.images.remove(image)


def _denoise_tree(images: Sequence[Any], prefilter: str) -> Any:
    tree = bpy.data.node_groups.new("denoise", "CompositorNodeTree")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    denoise, output = tree.nodes.new("CompositorNodeDenoise"), tree.nodes.new("NodeGroupOutput")
    denoise.inputs["HDR"].default_value = True
    denoise.inputs["Prefilter"].default_value = prefilter  # without an accurate one, noise in glass and metal stays
    denoise.inputs["Quality"].default_value = "Balanced"  # half the time of High, hard to tell apart
    for image, socket in zip(images, ("Image", "Albedo", "Normal"), strict=True):
        node = tree.nodes.new("CompositorNodeImage")
        node.image = image
        tree.links.new(node.outputs["Image"], denoise.inputs[socket])
    tree.links.new(denoise.outputs["Image"], output.inputs["Image"])
    return tree


def _image(name: str, pixels: FloatArray, *, is_data: bool = True) -> Any:
    """A float image holding exactly these (height, width, 4) values: numbers, or (not ``is_data``) linear colours."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=True, float_buffer=True, is_data=is_data)
    image.alpha_mode = "PREMUL"
    image.pixels.foreach_set(np.ascontiguousarray(pixels[::-1], dtype=np.float32).ravel())
    image.update()
    return image


def _with_alpha(pixels: FloatArray) -> FloatArray:
    return np.concatenate([pixels, np.ones((*pixels.shape[:2], 1), np.float32)], axis=2)


def read_png(path: str, size: tuple[int, int] | None = None) -> FloatArray:
    """Values of an 8-bit PNG over 255, (height, width, 4), row 0 on top; ``size`` is (width, height).

    :raises BadPicture: Blender cannot read it, or finds another size.
    """
    try:
        image = bpy.data.images.load(path)
        image.colorspace_settings.name = "Non-Color"
        image.alpha_mode = "CHANNEL_PACKED"
        width, height = image.size
    except RuntimeError as error:
        raise BadPicture(f"{os.path.basename(path)} cannot be read: {error}") from error
    if width * height == 0 or (size is not None and (width, height) != size):
        raise BadPicture(f"{os.path.basename(path)} has {width}x{height} pixels, expected {size}")
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)[::-1]


def _picture_settings(scene: Any, width: int, height: int) -> None:
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.use_border = render.use_crop_to_border = render.use_sequencer = render.use_file_extension = False
    render.use_multiview = False
    render.image_settings.media_type = "IMAGE"


def _movie_settings(scene: Any, width: int, height: int, fps: float, path: str) -> None:
    render = scene.render
    # H.264 halves the colour planes, so both sides are even.
    render.resolution_x, render.resolution_y, render.resolution_percentage = width // 2 * 2, height // 2 * 2, 100
    render.fps = max(round(fps), 1)
    render.fps_base = render.fps / fps
    render.use_sequencer, render.use_compositing = True, False
    render.use_file_extension = False
    render.filepath = path
    scene.view_settings.view_transform = "Standard"  # the stills already have theirs
    render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.image_settings.color_mode = "RGB"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.ffmpeg.constant_rate_factor, render.ffmpeg.ffmpeg_preset = "PERC_LOSSLESS", "GOOD"
