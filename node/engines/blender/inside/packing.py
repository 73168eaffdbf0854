# SPDX-License-Identifier: Apache-2.0
"""Brings what lies beside a scene into it, and says what that was: a stranger's scene may name any file of its folder.

Refused is what lies in a hidden file or folder, and what is of no kind that Blender loads there: drawn workers read all
that is packed.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any, Final

import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]

_IMAGES: Final = (
    b"\x89PNG", b"\xff\xd8\xff", b"\x76\x2f\x31\x01", b"II*\0", b"MM\0*", b"II+\0", b"#?RADIANCE", b"#?RGBE", b"8BPS",
    b"DDS ", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51", b"SDPX", b"XPDS", b"\x80\x2a\x5f\xd7", b"\x01\xda",
)  # fmt: skip
_SOUNDS: Final = (b"OggS", b"fLaC", b"ID3", b"FORM", b".snd", b"\x1a\x45\xdf\xa3")
_FONTS: Final = (
    b"\0\1\0\0",
    b"OTTO",
    b"true",
    b"ttcf",
    b"wOFF",
    b"wOF2",
    b"%!PS-AdobeFont",
    b"%!FontType",
    b"\x80\x01",
)
_VOLUMES: Final = (b" BDV\0\0\0\0",)
_HEAD: Final = 64
Files = list[dict[str, object]]


def bring_in() -> Files:
    """Packs every external file that Blender can into the open .blend.

    Each has its ``name``, seen from the scene's folder, ``size`` in bytes, and ``problem``: why it may not leave this
    machine, empty where it may.
    """
    found: Files = []
    for collection, is_kind, kind in (
        (bpy.data.images, _is_image, "image"),
        (bpy.data.fonts, lambda head: head.startswith(_FONTS), "font"),
        (bpy.data.volumes, lambda head: head.startswith(_VOLUMES), "volume"),
        (bpy.data.sounds, _is_sound, "sound"),
    ):
        for item in collection:
            if item.packed_file is None and getattr(item, "filepath", "") not in ("", "<builtin>"):
                _quietly(item.pack)
                found += [_looked_at(item, *each, is_kind, kind) for each in _packed(item)]
    for node in nodes():
        if node.bl_idname == "ShaderNodeTexIES" and node.mode == "EXTERNAL":
            found += _light_profile(node)
    unpacked = [library for library in bpy.data.libraries if library.packed_file is None]
    if bpy.data.libraries:
        for library in unpacked:
            library.filepath = bpy.path.relpath(library.filepath)  # of absolute paths Blender packs nothing
        _quietly(bpy.ops.file.pack_libraries)
        for library in unpacked:
            found += [_looked_at(library, *each, lambda _: True, "library") for each in _packed(library)]
    return found


def _packed(item: Any) -> Iterator[tuple[str, bytes, int]]:
    """What came in with a data block: path, first bytes, size. An image may have several: tiles, or eyes."""
    files = [(file.filepath, file.packed_file) for file in getattr(item, "packed_files", ())]
    for path, file in files or [(item.filepath, item.packed_file)]:
        if file is not None and file.size:
            yield path or item.filepath, bytes(file.data[:_HEAD]), int(file.size)


def _looked_at(
    item: Any, path: str, head: bytes, size: int, is_kind: Callable[[bytes], bool], kind: str
) -> dict[str, object]:
    own = None if kind == "library" else item.library
    place = bpy.path.abspath(path, library=own)
    problem = _why_hidden(place)
    if not problem and not is_kind(head):
        problem = f"is no {kind}, and the scene asks for it as one"
    return {"name": _shown(place), "size": size, "problem": problem}


def _why_hidden(path: str) -> str:
    """Why the place of a file is none that a scene may ask for; links on the way are followed."""
    for place in (_beside(path), _beside(os.path.realpath(path))):
        if any(part.startswith(".") for part in PurePath(place).parts):
            return "is hidden, or in a hidden folder"
    return ""


def _beside(path: str) -> str:
    """A path as seen from the scene's folder; whole where it is elsewhere."""
    folder, path = os.path.realpath(os.path.dirname(bpy.data.filepath)), os.path.normpath(path)
    return os.path.relpath(path, folder) if PurePath(path).is_relative_to(folder) else path


def _light_profile(node: Any) -> Iterator[dict[str, object]]:
    path = bpy.path.abspath(node.filepath)
    if not os.path.isfile(path):
        return
    data = Path(path).read_bytes()
    problem = _why_hidden(path)
    if not problem and not (data.startswith(b"IESNA") or b"\nTILT=" in data[:4_096]):
        problem = "is no light profile, and the scene asks for it as one"
    if not problem:
        node.ies = bpy.data.texts.load(path, internal=True)
        node.mode = "INTERNAL"
    yield {"name": _shown(path), "size": len(data), "problem": problem}


def _is_image(head: bytes) -> bool:
    """Of the formats that Blender reads. Targa has no magic: its header is one that no text begins with."""
    is_riff = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    is_bitmap = head.startswith(b"BM") and head[6:10] == bytes(4)
    is_targa = len(head) > 18 and head[1] < 2 and head[2] in (1, 2, 3, 9, 10, 11) and head[16] in (8, 15, 16, 24, 32)
    return head.startswith(_IMAGES) or is_riff or is_bitmap or is_targa


def _is_sound(head: bytes) -> bool:
    is_riff = head.startswith(b"RIFF") and head[8:12] in (b"WAVE", b"AVI ")
    is_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0  # MP3, AAC
    return head.startswith(_SOUNDS) or is_riff or is_frame or head[4:8] == b"ftyp"


def nodes() -> Iterator[Any]:
    """Of every tree of the open .blend."""
    for owner in bpy.data.user_map():
        tree = owner if isinstance(owner, bpy.types.NodeTree) else getattr(owner, "node_tree", None)
        if tree is not None:
            yield from tree.nodes


def _quietly(action: Callable[[], object]) -> None:
    """What cannot be packed is found again, and named, by the report on the packed file."""
    try:
        action()
    except RuntimeError as error:
        print(error)


def _shown(path: str) -> str:
    """As people may be shown it: a control character would be an order to their terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in _beside(path))
